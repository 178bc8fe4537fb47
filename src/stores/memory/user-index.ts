/** What belongs to whom. Nearly every user has one session: a Set for each would double what the index takes. */
export class UserIndex<T extends object> {
  readonly #byUser = new Map<string, T | Set<T>>()

  /** How many users have something. */
  get size(): number {
    return this.#byUser.size
  }

  add(userId: string, item: T): void {
    const found = this.#byUser.get(userId)
    if (found instanceof Set) found.add(item)
    else this.#byUser.set(userId, found === undefined ? item : new Set([found, item]))
  }

  remove(userId: string, item: T): void {
    const found = this.#byUser.get(userId)
    if (found instanceof Set && found.size > 1) found.delete(item)
    else this.#byUser.delete(userId)
  }

  of(userId: string): T[] {
    const found = this.#byUser.get(userId)
    if (found instanceof Set) return [...found]
    return found === undefined ? [] : [found]
  }
}
