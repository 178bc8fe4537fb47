import { setImmediate } from '../../lib/async/timers.js'
import { isSessionRecord, type SessionRecord } from '../../record.js'
import type { EndsChannel } from '../../store.js'
import { isExpired } from '../lifetime.js'
import type { LiveRecords } from '../records/live-records.js'
import type { Records } from '../records/records.js'
import { heard, lost, tick, TICKS, unheard, type Hearing } from './schedule.js'
import { WatchedSessions } from './watched.js'

/** How many sessions are looked for in one question. */
const BATCH = 500

/**
 * Tells the end of sessions, whoever ends them: at once where this process does, by the store's channel or by looking
 * for them where another one does, and by looking for them once their deadline has passed. A store that fails has ended
 * nobody: it is asked again at the next tick.
 */
export class EndWatch {
  readonly #watched = new WatchedSessions()
  /** Whom the next questions are about. Whoever is in it already is not asked for twice. */
  readonly #wanted = new Set<string>()
  #isLooking = false
  #hearing: Hearing = unheard
  #channel: EndsChannel | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(
    private readonly records: Records,
    private readonly live: LiveRecords,
    private readonly heardWithin: number,
  ) {
    records.onDeleted = (id) => this.#watched.end(id)
  }

  /** Calls `close` once at the end of the session. Returns what takes that back. */
  add(id: string, close: () => unknown): () => void {
    const takeBack = this.#watched.add(id, close)
    this.#start()
    // It may have ended already, since the request that asked for it.
    this.#lookFor([id])
    return takeBack
  }

  /** Watches no more: nothing is called from now on. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#watched.clear()
    this.records.onDeleted = undefined
    const channel = this.#channel
    this.#channel = undefined
    await channel?.close()
  }

  #start(): void {
    if (this.#timer !== undefined) return
    this.#timer = setInterval(() => this.#tick(), this.heardWithin / TICKS).unref()
    this.#channel = this.records.hearEnds({
      // No sign of life: what comes from one of two stores says nothing of the other.
      ended: (id) => this.#watched.end(id),
      alive: () => this.#heard(),
      lost: () => {
        this.#hearing = lost(this.#hearing)
      },
    })
  }

  #heard(): void {
    const wasUp = this.#hearing.isUp
    this.#hearing = heard(this.#hearing)
    // What was told while nobody heard it has to be looked for.
    if (!wasUp) this.#lookFor(this.#watched.all())
  }

  #tick(): void {
    const { hearing, asks, looksForAll } = tick(this.#hearing, this.#channel !== undefined)
    this.#hearing = hearing
    if (asks) void this.#beat()
    this.#lookFor(looksForAll ? this.#watched.all() : this.#watched.due(Date.now()))
  }

  /** A sign of life that can't be sent does not arrive either. */
  async #beat(): Promise<void> {
    try {
      await this.#channel?.beat()
    } catch {}
  }

  #lookFor(ids: readonly string[]): void {
    for (const id of ids) this.#wanted.add(id)
    if (this.#isLooking || this.#wanted.size === 0) return
    this.#isLooking = true
    // At the end of the turn, so that sockets which are opened together are one question.
    setImmediate(() => void this.#look())
  }

  /** One question after another, with time for requests in between. Never rejects. */
  async #look(): Promise<void> {
    while (this.#wanted.size > 0) {
      const ids = this.#nextBatch()
      try {
        const records = await this.records.findMany(ids)
        ids.forEach((id, at) => this.#judge(id, records[at]))
      } catch {
        // It was reported as a `storeError`. The next tick asks again.
        this.#wanted.clear()
      }
      await turn()
    }
    this.#isLooking = false
  }

  #nextBatch(): string[] {
    const batch: string[] = []
    for (const id of this.#wanted) {
      this.#wanted.delete(id)
      if (this.#watched.has(id) && batch.push(id) === BATCH) break
    }
    return batch
  }

  #judge(id: string, record: SessionRecord | undefined): void {
    if (record === undefined || record === null) return this.#watched.end(id)
    // Nobody can say of a damaged record that its session has ended.
    if (!isSessionRecord(record)) return
    const isOver = isExpired(record, Date.now())
    if (!isOver && record.actor === undefined) return this.#watched.livesUntil(id, record.expiresAt)
    // What is marked as ended is left to those who know what else its end takes.
    if (record.endedBy === undefined) void this.#endIfDead(record)
    if (isOver) this.#watched.end(id)
  }

  /**
   * Removes what has expired, and what has ended with the session of its actor. Nobody tells of the latter, so it stays
   * due, and is looked for at each tick.
   */
  async #endIfDead(record: SessionRecord): Promise<void> {
    try {
      if ((await this.live.ifAlive(record)) === undefined) this.#watched.end(record.id)
    } catch {
      // Reported as a `storeError`. What has expired has ended all the same, and a sweep removes it.
    }
  }
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
