import { SessionError } from '../errors.js'
import type { SessionRecord } from '../record.js'
import type { Client } from './client/client.js'
import type { Events } from './events.js'
import type { LiveRecords } from './records/live-records.js'
import type { Records } from './records/records.js'
import { ReportLimit } from './report-limit.js'
import type { ReusePolicy, Settings } from './settings.js'

/** Acts on the use of a superseded secret: there are two holders of one cookie. */
export class Reuse {
  readonly #policy: ReusePolicy
  readonly #limit: ReportLimit

  constructor(
    private readonly records: Records,
    private readonly live: LiveRecords,
    private readonly events: Events,
    settings: Pick<Settings, 'onReuse' | 'touchInterval'>,
    /** Ends all sessions of a user. */
    private readonly endAll: (userId: string) => Promise<unknown>,
  ) {
    this.#policy = settings.onReuse
    this.#limit = new ReportLimit(settings.touchInterval)
  }

  /**
   * Concludes the theft, or finds that there was none. The record at hand may be old, and in an old record an honest
   * secret looks superseded. So it is concluded only by a compare-and-set that succeeds on a record in which the
   * secret is superseded still.
   *
   * @param isSuperseded whether the secret is superseded in a record.
   * @returns the record where the secret turned out to be good; else the error that bars the request.
   * @throws SessionError 503 where the store fails: then nothing has ended.
   */
  async conclude(
    record: SessionRecord,
    client: Client,
    isSuperseded: (record: SessionRecord) => boolean,
  ): Promise<SessionRecord | SessionError> {
    let isProven = false
    const changed = await this.live.change(record, (current) => {
      isProven = isSuperseded(current)
      if (!isProven) return current
      return this.#policy === 'report' ? { ...current } : { ...current, endedBy: 'reuse' as const }
    })
    if (changed === undefined) return secretReused()
    if (!isProven) return changed
    await this.#act(changed, client)
    return secretReused()
  }

  async #act({ id: sessionId, userId = '' }: SessionRecord, client: Client): Promise<void> {
    const ended = this.#policy !== 'report'
    if (ended) await this.records.delete(sessionId)
    if (ended || this.#limit.allows(sessionId)) {
      this.events.emit('reuse', { sessionId, userId, client, ended })
    }
    if (this.#policy === 'endAll') await this.endAll(userId)
  }
}

function secretReused(): SessionError {
  return new SessionError(
    'SECRET_REUSED',
    'The cookie of this request is outdated: its session has gone on with another one. ' +
      'The cookie was copied, or a backup of the browser was restored. Log in again.',
  )
}
