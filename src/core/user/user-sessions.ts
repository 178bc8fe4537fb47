import type { SessionRecord } from '../../record.js'
import { assertNotActing } from '../acting/actor.js'
import { closeFor, type OldDoor } from '../adoption/old-doors.js'
import type { Started } from '../beginning.js'
import type { Client } from '../client/client.js'
import type { Ending } from '../ending.js'
import type { Events } from '../events/events.js'
import type { LiveRecords } from '../records/live-records.js'
import type { Settings } from '../settings.js'
import type { Succession } from '../succession.js'
import { versionOf } from './auth-version.js'
import { assertKeepsUsers, withChangedUser, type UserChange } from './change-user.js'
import type { Reach } from './reach.js'
import { userIdText, type UserId } from './user-id.js'
import { userOf } from './user.js'

/** The session of a user. */
export type UserRecord = SessionRecord & { readonly userId: string }

/** What is done to all sessions of a user together. */
export class UserSessions {
  constructor(
    private readonly live: LiveRecords,
    private readonly events: Events,
    private readonly settings: Settings,
    private readonly ending: Ending,
    private readonly succession: Succession,
    private readonly reach: Reach,
    private readonly oldDoors: readonly OldDoor[],
  ) {}

  /**
   * Changes the user in each of their sessions, each by compare-and-set; returns how many there were.
   *
   * @throws SessionError UNSUPPORTED where sessions keep no user, and where the store can't list.
   */
  async update(userId: UserId, fn: UserChange): Promise<number> {
    const edit = this.changeOf(fn)
    const change = async (record: SessionRecord) => (await this.live.change(record, edit)) !== undefined
    return this.reach.each(userIdText(userId), change)
  }

  /** The same as a change of one session, for `change()`. */
  changeOf(fn: UserChange): (record: SessionRecord) => SessionRecord {
    assertKeepsUsers(this.settings)
    return (record) => withChangedUser(record, fn, this.settings)
  }

  /**
   * Ends all sessions of a user but this one, and gives this one a successor. The others come first: where one can't be
   * ended, this one is as it was, and the call can be made again.
   *
   * @returns `undefined` where the session has ended.
   */
  async credentialsChanged(
    record: UserRecord,
    client: Client,
    takesOffer: boolean,
  ): Promise<Started | undefined> {
    assertNotActing(record)
    const cause = 'credentialsChanged'
    const end = async (one: SessionRecord) =>
      (await this.live.ifAlive(one)) !== undefined && this.ending.revokeFound(one, { cause, client })
    // Whoever has a copy of an old cookie of this user must not start a session by it any more.
    await closeFor(record.userId, this.oldDoors)
    const spared = new Set([record.id])
    const ended = await this.reach.each(record.userId, end, spared)
    const changes = { authVersion: await this.#versionNow(record) }
    // A login that is under way elsewhere has the old credentials, and fails: it must not sign this user out before.
    const terms = { changes, takesOffer, goesFirst: true }
    const started = await this.succession.succeed(record, client, terms)
    if (started === undefined) return undefined
    spared.add(started.record.id)
    this.events.emit('logout', { record, client, cause, replaced: true })
    this.events.emit(cause, { record: started.record, client, cause, replaced: record.id, ended })
    return started
  }

  close(): void {
    this.reach.close()
  }

  /** What the new session has to have, so that it does not end with the old ones. */
  async #versionNow(record: SessionRecord): Promise<string | undefined> {
    if (this.settings.authVersion === undefined) return record.authVersion
    const user = await userOf(record, this.settings)
    return user === undefined ? record.authVersion : versionOf(user, this.settings)
  }
}
