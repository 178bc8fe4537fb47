import { isDeepStrictEqual } from 'node:util'
import type { SessionRecord } from '../../record.js'

/** What a touch changes of a record. */
type Seen = Pick<SessionRecord, 'version' | 'lastSeenAt' | 'expiresAt' | 'userAgent' | 'ip'>

interface Touch {
  /** The version that the store holds; `seen.version` is the one that this process has come to since. */
  readonly on: number
  readonly seen: Seen
}

/** So many touches are remembered. Where one is forgotten, its session is touched again a little early. */
const MAX_TOUCHES = 10_000

/**
 * Whether two records differ in nothing but what a touch changes. Both are plain JSON.
 *
 * @example isTouch(current, next)
 */
export function isTouch(from: SessionRecord, to: SessionRecord): boolean {
  return isDeepStrictEqual({ ...from, ...seenOf(to) }, to)
}

/**
 * What this process has touched. A store's `touch` moves a deadline and leaves the record as it is, so the rest is
 * remembered here. Otherwise a session would look unused, and each request would touch it again.
 */
export class Touches {
  readonly #byId = new Map<string, Touch>()
  /** The most versions that a touch which is forgotten was ahead of the store. */
  #ahead = 0

  remember(stored: SessionRecord, next: SessionRecord): void {
    this.#byId.delete(next.id)
    this.#byId.set(next.id, { on: stored.version, seen: seenOf(next) })
    for (const [id, { on, seen }] of this.#byId) {
      if (this.#byId.size <= MAX_TOUCHES) return
      this.#ahead = Math.max(this.#ahead, seen.version - on)
      this.#byId.delete(id)
    }
  }

  /**
   * The record under a version that no request of this process can hold for other content. A request may hold the
   * version of a touch that is forgotten, so versions as low as that are left out. Whoever wrote the record is told
   * `conflict` at the next write, and reads it again.
   */
  unmistakable(next: SessionRecord): SessionRecord {
    return this.#ahead === 0 ? next : { ...next, version: next.version + this.#ahead }
  }

  /** The stored record with the touches that came after it. */
  applied(stored: SessionRecord): SessionRecord {
    const touch = this.#byId.get(stored.id)
    return touch?.on === stored.version ? { ...stored, ...touch.seen } : stored
  }

  /** Whether there were touches of another version than this one. */
  forgetIfNotOn(stored: SessionRecord): boolean {
    const touch = this.#byId.get(stored.id)
    return touch !== undefined && touch.on !== stored.version && this.#byId.delete(stored.id)
  }

  forget(id: string): void {
    this.#byId.delete(id)
  }
}

function seenOf({ version, lastSeenAt, expiresAt, userAgent, ip }: SessionRecord): Seen {
  return { version, lastSeenAt, expiresAt, userAgent, ip }
}
