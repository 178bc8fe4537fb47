import { detached } from '../../lib/text/detached.js'
import { dropOldest } from '../../lib/drop-oldest.js'
import { deepFreeze } from '../../lib/json/freeze.js'
import { isSessionRecord, type SessionRecord } from '../../record.js'

/** A place that is reserved when the store is asked, and holds the record once the store has returned it. */
export interface Place {
  readonly steadyAt: number
  readonly wallAt: number
  record: SessionRecord | undefined
}

/**
 * The records that a process holds for a moment. A lookup reserves a place *before* it is sent, and fills it only
 * if the place is still there. A write or a failure in between drops the place: what the lookup returns may be
 * older than that, and is not held.
 */
export class NearRecords {
  /** The oldest first, since places are only ever added at the end. */
  readonly #places = new Map<string, Place>()

  constructor(
    private readonly maxStaleness: number,
    private readonly maxEntries: number,
  ) {}

  find(id: string): SessionRecord | undefined {
    const place = this.#places.get(id)
    return place === undefined || this.#isStale(place) ? undefined : place.record
  }

  /** A place for a lookup that is about to be sent; none where an earlier lookup of this id is on its way. */
  reserve(id: string): Place | undefined {
    const earlier = this.#places.get(id)
    // If each lookup took the place of the one before, a session that is asked for all the time would never be held.
    if (earlier !== undefined && !this.#isStale(earlier)) return undefined
    this.#places.delete(id)
    dropOldest(this.#places, this.maxEntries - 1)
    const place: Place = { steadyAt: performance.now(), wallAt: Date.now(), record: undefined }
    this.#places.set(detached(id), place)
    return place
  }

  /** Holds what a lookup found, if its place is still there. What is absent is not held: strangers may ask for anything. */
  settle(id: string, place: Place | undefined, found: SessionRecord | undefined): SessionRecord | undefined {
    if (place === undefined || this.#places.get(id) !== place) return found
    // One object is returned to many callers, so none of them may change it.
    if (isSessionRecord(found)) place.record = deepFreeze(found)
    else this.#places.delete(id)
    return found
  }

  drop(id: string): void {
    this.#places.delete(id)
  }

  /** Drops what `deleteExpired(now)` may have removed, and every lookup that is on its way. */
  dropExpired(now: number): void {
    for (const [id, { record }] of this.#places) {
      if (record === undefined || record.expiresAt <= now) this.#places.delete(id)
    }
  }

  clear(): void {
    this.#places.clear()
  }

  /**
   * By two clocks, and the greater age counts: the wall clock can be set back, and the steady one stands still
   * while the machine sleeps. A jump of either clock can only make a record stale too early.
   */
  #isStale({ steadyAt, wallAt }: Place): boolean {
    const wallAge = Date.now() - wallAt
    return performance.now() - steadyAt >= this.maxStaleness || wallAge >= this.maxStaleness || wallAge < 0
  }
}
