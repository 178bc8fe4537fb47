import type { SessionRecord } from '../../record.js'

/** A login that is under way in this process, and what comes of it. */
type Flight = Promise<SessionRecord | undefined>

/** The logins that are under way in this process, so that a change of their user can wait for them. */
export class Flights {
  readonly #byUser = new Map<string, Set<Flight>>()
  /** Changes that wait for the logins that were under way when they were made. */
  readonly #waiting = new Set<string>()

  /** Does the work of a login, and lets it be seen meanwhile. */
  async track<T extends { readonly record: SessionRecord } | undefined>(
    userId: string,
    login: () => Promise<T>,
  ): Promise<T> {
    const done = login()
    const flight = done.then(
      (started) => started?.record,
      () => undefined,
    )
    const flights = this.#byUser.get(userId) ?? new Set()
    this.#byUser.set(userId, flights.add(flight))
    try {
      return await done
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
