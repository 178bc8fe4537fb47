import { isSessionRecord, type SessionRecord } from '../../record.js'

/** A place that is kept from the moment the store is asked, and holds the record once it has answered. */
export interface Place {
  readonly steadyAt: number
  readonly wallAt: number
  record: SessionRecord | undefined
}

/**
 * The records that a process holds for a moment. A lookup reserves a place *before* it is sent and fills it
 * with the answer only if the place is still there: whatever drops it in between (a write, a doubt) so
 * keeps an answer that may be older than that from being held.
 */
export class NearRecords {
  /** In the order of their age, since places are only ever added at the end. */
  readonly #places = new Map<string, Place>()

  constructor(
    private readonly maxStaleness: number,
    private readonly maxEntries: number,
  ) {}

  find(id: string): SessionRecord | undefined {
    const place = this.#places.get(id)
    return place === undefined || this.#isStale(place) ? undefined : place.record
  }

  /** A place for the answer to a question that is about to be sent; none where an earlier one is on its way. */
  reserve(id: string): Place | undefined {
    const earlier = this.#places.get(id)
    // Taking its place would mean that a session which is asked for all the time is never held.
    if (earlier !== undefined && !this.#isStale(earlier)) return undefined
    this.#places.delete(id)
    this.#makeRoom()
    const place: Place = { steadyAt: performance.now(), wallAt: Date.now(), record: undefined }
    this.#places.set(id, place)
    return place
  }

  /** The answer, held if its place still is. Absence takes no place: strangers may ask for anything. */
  settle(id: string, place: Place | undefined, answer: SessionRecord | undefined): SessionRecord | undefined {
    if (place === undefined || this.#places.get(id) !== place) return answer
    if (isSessionRecord(answer)) place.record = frozen(answer)
    else this.#places.delete(id)
    return answer
  }

  drop(id: string): void {
    this.#places.delete(id)
  }

  /** Whatever `deleteExpired(now)` may have removed, answers on their way included. */
  dropExpired(now: number): void {
    for (const [id, { record }] of this.#places) {
      if (record === undefined || record.expiresAt <= now) this.#places.delete(id)
    }
  }

  clear(): void {
    this.#places.clear()
  }

  #makeRoom(): void {
    for (const oldest of this.#places.keys()) {
      if (this.#places.size < this.maxEntries) return
      this.#places.delete(oldest)
    }
  }

  /**
   * By two clocks, and the older age counts: the wall clock can be set back, and the steady one stands
   * still while the machine sleeps. A step of either can only make a record stale too early.
   */
  #isStale({ steadyAt, wallAt }: Place): boolean {
    const wallAge = Date.now() - wallAt
    return performance.now() - steadyAt >= this.maxStaleness || wallAge >= this.maxStaleness || wallAge < 0
  }
}

/** One object is the answer to many, so none of them may change it. */
function frozen<T extends object>(value: T): T {
  for (const inner of Object.values(value) as unknown[]) {
    if (typeof inner === 'object' && inner !== null) frozen(inner)
  }
  return Object.freeze(value)
}
