import type { SessionRecord } from '../../record.js'
import type { Events } from '../events.js'
import type { ClientChangePolicy, Settings } from '../settings.js'
import { compareClients, type Client, type ClientChange } from './client.js'

/** How many sessions' last reports are remembered. Past it the oldest are forgotten, and may be reported again. */
const MAX_REMEMBERED = 10_000

/** Applies `onClientChange`: decides whether a client may use a session, and reports what changed. */
export class ClientPolicy {
  readonly #reportedAt = new Map<string, number>()

  constructor(
    private readonly events: Events,
    private readonly settings: Pick<Settings, 'onClientChange' | 'touchInterval'>,
  ) {}

  /** Whether this client must not use the session. Call it for verified sessions only: it may send an event. */
  refuses(record: SessionRecord, seen: Client): boolean {
    const changes = compareClients(record, seen)
    if (changes.length === 0) return false
    const reported = changes.filter((change) => this.#policyFor(change) !== 'ignore')
    if (reported.length === 0) return false
    const refused = changes.some((change) => this.#policyFor(change) === 'refuse')
    if (record.userId !== undefined && this.#mayReport(record.id)) {
      this.events.emit('clientChange', {
        sessionId: record.id,
        userId: record.userId,
        changes: reported,
        refused,
        recorded: { userAgent: record.userAgent, ip: record.ip },
        seen,
      })
    }
    return refused
  }

  #policyFor(change: ClientChange): ClientChangePolicy {
    // Browsers update themselves: a new version of the same engine is worth a line in a log, no more.
    return change === 'userAgent' ? 'report' : this.settings.onClientChange[change]
  }

  /** At most one report for each session in a `touchInterval`. */
  #mayReport(id: string): boolean {
    const now = Date.now()
    const last = this.#reportedAt.get(id)
    if (last !== undefined && now - last < this.settings.touchInterval) return false
    // Deleted first, so that the map stays in the order of the reports.
    this.#reportedAt.delete(id)
    this.#reportedAt.set(id, now)
    if (this.#reportedAt.size > MAX_REMEMBERED) {
      for (const oldest of this.#reportedAt.keys()) return this.#reportedAt.delete(oldest)
    }
    return true
  }
}
