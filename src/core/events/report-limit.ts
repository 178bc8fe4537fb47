import { detached } from '../../lib/text/detached.js'

/** How many sessions' last reports are remembered. Past it the oldest are forgotten, and may be reported again. */
const MAX_REMEMBERED = 10_000

/** Keeps events about a session that could come with every request from filling a log. In memory, so for each process. */
export class ReportLimit {
  readonly #reportedAt = new Map<string, number>()

  /** @param interval how often one session may be reported at most, in milliseconds. */
  constructor(private readonly interval: number) {}

  /** Whether this session may be reported now; counts as a report. */
  allows(sessionId: string): boolean {
    const now = Date.now()
    const last = this.#reportedAt.get(sessionId)
    if (last !== undefined && now - last < this.interval) return false
    // Deleted first, so that the map stays in the order of the reports.
    this.#reportedAt.delete(sessionId)
    this.#reportedAt.set(detached(sessionId), now)
    if (this.#reportedAt.size > MAX_REMEMBERED) {
      for (const oldest of this.#reportedAt.keys()) return this.#reportedAt.delete(oldest)
    }
    return true
  }
}
