import { SessionError } from '../errors.js'
import type { RecordLifetime, SessionRecord } from '../record.js'
import type { Started } from './beginning.js'
import type { Client } from './client/client.js'
import { placeOf } from './client/place.js'
import type { Events } from './events/events.js'
import { timesAtStart } from './lifetime.js'
import { withMethods } from './methods.js'
import type { Settings } from './settings.js'
import type { Succession } from './succession.js'
import type { UserRecord } from './user/user-sessions.js'
import { keepUser } from './user/user.js'

/** What a re-authentication says of itself. */
export interface ReauthenticationTerms {
  /** How the user has proven who they are. Absent: not said. */
  readonly methods: readonly string[] | undefined
  /** How long the new session lives. Absent: as the settings say. */
  readonly lifetime: RecordLifetime | undefined
  /** Whether the browser can be offered to bind the session to its device. */
  readonly takesOffer: boolean
}

/** Lets the user of a session prove again who they are: the session gets a successor, with all times anew. */
export class Reauthentication {
  constructor(
    private readonly events: Events,
    private readonly settings: Settings,
    private readonly succession: Succession,
  ) {}

  /**
   * @returns `undefined` where the session has ended: it is not gone on with.
   * @throws SessionError OTHER_USER for anybody else. Then nothing has changed.
   */
  async perform(
    old: UserRecord,
    user: unknown,
    client: Client,
    { methods, lifetime, takesOffer }: ReauthenticationTerms,
  ): Promise<Started | undefined> {
    const kept = keepUser(user, this.settings)
    if (kept.userId !== old.userId) throw this.#otherUser(old, client)
    const place = this.settings.describeAddress && (await placeOf(client.ip, this.settings))
    const now = Date.now()
    const changes: Partial<SessionRecord> = {
      ...timesAtStart(now, false, this.settings, lifetime),
      userIdType: kept.userIdType,
      user: kept.user,
      authVersion: kept.authVersion,
      methods: withMethods(old.methods, methods, now),
      lifetime,
      place,
    }
    const started = await this.succession.succeed(old, client, { changes, takesOffer })
    if (started === undefined) return undefined
    const cause = 'reauthentication'
    this.events.emit('logout', { record: old, client, cause, replaced: true })
    this.events.emit('login', { record: started.record, client, cause })
    return started
  }

  /** Somebody else has proven who they are. */
  #otherUser(record: SessionRecord, client: Client): SessionError {
    this.events.emit('loginRefused', { reason: 'OTHER_USER', record, client })
    return new SessionError(
      'OTHER_USER',
      'This is not the user who is logged in here. Confirm as that user, or log out first.',
    )
  }
}
