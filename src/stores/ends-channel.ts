import { isSessionId } from '../lib/uuid.js'
import type { EndsChannel, EndsListener } from '../store.js'

/** What comes of a line to the database. */
export interface LineEvents {
  /** A text that some process has published. */
  readonly message: (text: string) => void
  /** The connection is lost, or was never there. */
  readonly lost: () => void
}

/** One connection that listens. It is opened once, and never mended. */
export interface Line {
  /** Resolves when it hears what is published from now on. */
  readonly ready: Promise<unknown>
  /** Publishes a text to all lines, this one too. */
  readonly publish: (text: string) => unknown
  /** Closes the connection, whatever state it is in. */
  readonly close: () => unknown
}

/** A sign of life. No session has this id. */
const BEAT = ''
const RETRY_MS = 1_000
/** A line that is not ready after so many signs of life were due is given up. */
const MAX_UNREADY = 2

/**
 * A channel over lines to a database: where one is lost, another one is opened a second later. A line that does not bring
 * back the last sign of life is taken as lost: its connection may be half open, or lead to a server that is cut off.
 *
 * @param open opens a line.
 * @example hearEnds: (listener) => endsChannel((events) => openLine(pool, events), listener)
 */
export function endsChannel(open: (events: LineEvents) => Line, listener: EndsListener): EndsChannel {
  return new Channel(open, listener)
}

class Channel implements EndsChannel {
  #line: Line | undefined
  #isReady = false
  /** How many signs of life have not come through, or were due while the line was not ready. */
  #unheard = 0
  #isClosed = false
  #retry: NodeJS.Timeout | undefined

  constructor(
    private readonly open: (events: LineEvents) => Line,
    private readonly listener: EndsListener,
  ) {
    this.#open()
  }

  async beat(): Promise<void> {
    const line = this.#line
    if (line === undefined) return this.#open()
    const isSilent = this.#isReady ? this.#unheard > 0 : this.#unheard >= MAX_UNREADY
    if (isSilent) {
      this.#drop(line)
      return this.#open()
    }
    this.#unheard += 1
    if (this.#isReady) await line.publish(BEAT)
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#retry)
    const line = this.#line
    this.#line = undefined
    if (line !== undefined) await closed(line)
  }

  #open(): void {
    clearTimeout(this.#retry)
    if (this.#line !== undefined || this.#isClosed) return
    this.#isReady = false
    this.#unheard = 0
    try {
      const line: Line = this.open({
        message: (text) => this.#line === line && this.#onMessage(text),
        lost: () => this.#onLost(line),
      })
      this.#line = line
      line.ready.then(
        () => this.#line === line && this.#onReady(),
        () => this.#onLost(line),
      )
    } catch {
      this.#openLater()
    }
  }

  #openLater(): void {
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => this.#open(), RETRY_MS).unref()
  }

  #onReady(): void {
    this.#isReady = true
    this.#unheard = 0
    this.listener.alive()
  }

  #onMessage(text: string): void {
    this.#unheard = 0
    if (text === BEAT) this.listener.alive()
    else if (isSessionId(text)) this.listener.ended(text)
  }

  #onLost(line: Line): void {
    if (this.#line !== line) return
    this.#drop(line)
    this.#openLater()
  }

  #drop(line: Line): void {
    this.#line = undefined
    void closed(line)
    this.listener.lost()
  }
}

/** To close what is lost already may fail, which is no matter. */
async function closed(line: Line): Promise<void> {
  try {
    await line.close()
  } catch {}
}
