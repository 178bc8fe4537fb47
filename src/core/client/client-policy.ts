import type { SessionRecord } from '../../record.js'
import { clientOf } from '../events/envelope.js'
import type { Events } from '../events/events.js'
import { ReportLimit } from '../events/report-limit.js'
import type { ClientChangePolicy, Settings } from '../settings.js'
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

  /**
   * What keeps this client from using the session; `undefined` where it may. Call it for verified sessions only: it may
   * send an event.
   */
  refusalOf(record: SessionRecord, seen: Client): ClientChange | undefined {
    const changes = compareClients(record, seen)
    if (changes.length === 0) return undefined
    const reported = changes.filter((change) => this.#policyFor(change) !== 'ignore')
    if (reported.length === 0) return undefined
    const refused = changes.find((change) => this.#policyFor(change) === 'refuse')
    if (record.userId !== undefined && this.#limit.allows(record.id)) {
      const [recorded, now] = [clientOf(record), clientOf(seen)]
      const told = { changes: Object.freeze(reported), refused: refused !== undefined, recorded, seen: now }
      this.events.emit('clientChange', { record, client: now, ...told })
    }
    return refused
  }

  #policyFor(change: ClientChange): ClientChangePolicy {
    // Browsers update themselves: a new version of the same engine is worth a line in a log, no more.
    return change === 'userAgent' ? 'report' : this.settings.onClientChange[change]
  }
}
