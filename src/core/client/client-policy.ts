import type { SessionRecord } from '../../record.js'
import type { Events } from '../events/events.js'
import { ReportLimit } from '../events/report-limit.js'
import type { ClientChangePolicy, Settings } from '../settings.js'
import { userIdOf } from '../user/user-id.js'
import { compareClients, type Client, type ClientChange } from './client.js'

/** Applies `onClientChange`: decides whether a client may use a session, and reports what changed. */
export class ClientPolicy {
  readonly #limit: ReportLimit

  constructor(
    private readonly events: Events,
    private readonly settings: Pick<Settings, 'onClientChange' | 'touchInterval'>,
  ) {
    this.#limit = new ReportLimit(settings.touchInterval)
  }

  /** Whether this client must not use the session. Call it for verified sessions only: it may send an event. */
  refuses(record: SessionRecord, seen: Client): boolean {
    const changes = compareClients(record, seen)
    if (changes.length === 0) return false
    const reported = changes.filter((change) => this.#policyFor(change) !== 'ignore')
    if (reported.length === 0) return false
    const refused = changes.some((change) => this.#policyFor(change) === 'refuse')
    const userId = userIdOf(record)
    if (userId !== undefined && this.#limit.allows(record.id)) {
      this.events.emit('clientChange', {
        sessionId: record.id,
        userId,
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
}
