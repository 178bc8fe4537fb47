import type { SessionRecord } from '../../record.js'

/** A login that is under way in this process, and what comes of it. */
type Flight = Promise<SessionRecord | undefined>

/** The logins that are under way in this process, so that a change of their user can wait for them. */
export class Flights {
  readonly #byUser = new Map<string, Set<Flight>>()
  /** Changes that wait for the logins that were under way when they were made. */
  readonly #waiting = new Set<string>()
  /** What later looks at a user's sessions leave alone. */
  readonly #spared = new Map<string, Set<Set<string>>>()

  /** Does the work of a login, and lets it be seen meanwhile. */
  async track<T extends { readonly record: SessionRecord } | undefined>(
    userId: string,
    login: () => Promise<T>,
  ): Promise<T> {
    // Those that were told of before it began: it is not what they look for.
    const sparing = [...(this.#spared.get(userId) ?? [])]
    const done = login()
    const flight = done.then(
      (started) => started?.record,
      () => undefined,
    )
    const flights = this.#byUser.get(userId) ?? new Set()
    this.#byUser.set(userId, flights.add(flight))
    try {
      const started = await done
      if (started !== undefined) for (const spared of sparing) spared.add(started.record.id)
      return started
    } finally {
      flights.delete(flight)
      if (flights.size === 0) this.#byUser.delete(userId)
    }
  }

  /** The sessions that come of the logins which are under way now. */
  async landed(userId: string): Promise<SessionRecord[]> {
    const flights = this.#byUser.get(userId) ?? new Set<Flight>()
    const records = await Promise.all(flights)
    return records.filter((record) => record !== undefined)
  }

  /**
   * Adds the sessions of all logins of this process that begin from now on. What began after a change needs no clock to
   * be told from what began before it.
   *
   * @returns what ends that.
   */
  spareLater(userId: string, spared: Set<string>): () => void {
    const all = this.#spared.get(userId) ?? new Set()
    this.#spared.set(userId, all.add(spared))
    return () => {
      all.delete(spared)
      if (all.size === 0 && this.#spared.get(userId) === all) this.#spared.delete(userId)
    }
  }

  /** From now on, and until `forget`, this change is one that reaches the logins of this process by itself. */
  expect(change: string): void {
    this.#waiting.add(change)
  }

  forget(change: string): void {
    this.#waiting.delete(change)
  }

  /** Whether a change reaches the logins of this process that began before it. */
  reaches(change: string): boolean {
    return this.#waiting.has(change)
  }
}
