import { SessionError } from '../../errors.js'
import type { SessionRecord } from '../../record.js'
import type { Client } from '../client/client.js'
import type { Events } from '../events/events.js'
import type { LiveRecords } from '../records/live-records.js'
import type { Records } from '../records/records.js'
import { ReportLimit } from '../events/report-limit.js'
import type { Standing } from './rotation.js'
import type { ReusePolicy, Settings } from '../settings.js'

/**
 * Acts on the use of a superseded secret: there are two holders of one cookie. The record is marked as ended, which
 * proves that it is the current one, then reported, then removed.
 */
export class Reuse {
  readonly #policy: ReusePolicy
  readonly #limit: ReportLimit

  constructor(
    private readonly records: Records,
    private readonly live: LiveRecords,
    private readonly events: Events,
    settings: Pick<Settings, 'onReuse' | 'touchInterval'>,
    /** Ends all sessions of a user but one. */
    private readonly endOthers: (userId: string, except: string, client: Client) => Promise<unknown>,
    /** Ends the session in which the user of this one acts as another one. */
    private readonly endActing: (own: SessionRecord, client: Client) => Promise<unknown>,
  ) {
    this.#policy = settings.onReuse
    this.#limit = new ReportLimit(settings.touchInterval)
  }

  /**
   * Concludes the theft, or finds that there was none. The record at hand may be old, and in an old record an honest
   * secret looks superseded. So it is concluded only by a compare-and-set that succeeds on a record in which the
   * secret is superseded still.
   *
   * @param standingIn the standing of the secret in a record.
   * @returns the record where the secret turned out to be good; the error that bars the request; nothing where there is
   * no such session any more, or the secret was made up.
   * @throws SessionError 503 where the store fails: then nothing has ended.
   */
  async conclude(
    record: SessionRecord,
    client: Client,
    standingIn: (record: SessionRecord) => Standing | undefined,
  ): Promise<SessionRecord | SessionError | undefined> {
    let isProven = false
    const changed = await this.live.change(record, (current) => {
      isProven = standingIn(current) === 'superseded'
      if (!isProven) return current
      const ends = isRotated(current) && this.#policy !== 'report'
      // Written also where nothing ends: a near cache would return the same old record again and again.
      return ends ? { ...current, endedBy: 'reuse' as const } : { ...current }
    })
    if (changed === undefined || !isProven) return changed
    if (!isRotated(changed)) return undefined
    this.#report(changed, client)
    if (this.#policy !== 'report') await this.#end(changed, client)
    return secretReused()
  }

  /**
   * Does what is left to do for a record that is marked as ended. A store may fail, or the process die, between the
   * mark and this. Then the next request with a secret of the session comes here, whoever sends it.
   *
   * @throws SessionError 503 where the store fails: the mark stays, so the session is ended all the same.
   */
  async finish(record: SessionRecord, client: Client): Promise<void> {
    // Who has set the mark may never have learned that it was written. Better reported twice than never.
    if (await this.#end(record, client)) this.#report(record, client)
  }

  async #end(record: SessionRecord, client: Client): Promise<boolean> {
    const { id, userId } = record
    // The record itself comes last: it is what the next try begins with.
    if (this.#policy === 'endAll' && userId !== undefined) await this.endOthers(userId, id, client)
    const wasThere = await this.records.delete(id)
    await this.endActing(record, client)
    return wasThere
  }

  /** Comes before the session is removed, so that no failure of the store can hide it. */
  #report(record: SessionRecord, client: Client): void {
    if (!this.#limit.allows(record.id)) return
    this.events.emit('reuse', { record, client, ended: this.#policy !== 'report' })
  }
}

/** Whether the session had another secret before. If not, one that is not its own was made up, by who has the series. */
function isRotated({ rotatedAt }: SessionRecord): boolean {
  return rotatedAt !== undefined
}

function secretReused(): SessionError {
  return new SessionError(
    'SECRET_REUSED',
    'The cookie of this request is outdated: its session has gone on with another one. ' +
      'The cookie was copied, or a backup of the browser was restored. Log in again.',
  )
}
