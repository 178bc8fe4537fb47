import { setImmediate } from '../../lib/async/timers.js'
import type { EndsChannel, EndsListener, SessionStore } from '../../store.js'
import type { Found } from './copied.js'

/** How many sessions are looked for in one question. */
const BATCH = 500

type Look = (ids: readonly string[]) => Promise<readonly Found[]>

/**
 * Hears the ends that either store tells. A store tells of each record that leaves it, and a session that moves leaves
 * one, too: so it is looked for before its end is told.
 *
 * The channel works only where both do. A sign of life is told once it has come through both.
 *
 * @param look finds sessions, wherever they are by now.
 */
export function hearBoth(
  stores: readonly Required<Pick<SessionStore, 'hearEnds'>>[],
  look: Look,
  listener: EndsListener,
): EndsChannel {
  const doubts = new Doubts(look, listener)
  const alive = new Set<number>()
  const channels = stores.map((store, at) =>
    store.hearEnds({
      ended: (id) => doubts.add(id),
      alive() {
        alive.add(at)
        if (alive.size < stores.length) return
        alive.clear()
        listener.alive()
      },
      lost() {
        alive.delete(at)
        listener.lost()
      },
    }),
  )
  const each = async (ask: (channel: EndsChannel) => unknown) => {
    await Promise.all(channels.map(async (channel) => ask(channel)))
  }
  return {
    beat: () => each((channel) => channel.beat()),
    close() {
      doubts.close()
      return each((channel) => channel.close())
    },
  }
}

/** Sessions that have ended, or moved. */
class Doubts {
  readonly #ids = new Set<string>()
  #isLooking = false
  #isClosed = false

  constructor(
    private readonly look: Look,
    private readonly listener: EndsListener,
  ) {}

  add(id: string): void {
    this.#ids.add(id)
    if (this.#isLooking) return
    this.#isLooking = true
    // At the end of the turn: a copy that finishes moves many at once.
    setImmediate(() => void this.#settle())
  }

  close(): void {
    this.#isClosed = true
  }

  /** Never rejects. */
  async #settle(): Promise<void> {
    while (this.#ids.size > 0 && !this.#isClosed) {
      const ids = [...this.#ids].slice(0, BATCH)
      for (const id of ids) this.#ids.delete(id)
      await this.#settleBatch(ids)
    }
    this.#isLooking = false
  }

  async #settleBatch(ids: readonly string[]): Promise<void> {
    let found: readonly Found[]
    try {
      found = await this.look(ids)
    } catch {
      // An end may be missed here, which is what a lost channel does.
      this.#tell(() => this.listener.lost())
      return
    }
    this.#tell(() => ids.forEach((id, at) => hasEnded(found[at]) && this.listener.ended(id)))
  }

  #tell(what: () => void): void {
    if (!this.#isClosed) what()
  }
}

function hasEnded(found: Found): boolean {
  return found === undefined || found === null || found.endedBy !== undefined
}
