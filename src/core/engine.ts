import type { JsonObject, SessionInfo, SessionRecord } from '../record.js'
import type { MaybePromise } from '../store.js'
import { Acting } from './acting/acting.js'
import { ActingSessions } from './acting/acting-sessions.js'
import { Adoption } from './adoption/adoption.js'
import { closeFor, type OldDoor } from './adoption/old-doors.js'
import { Beginning, type GivenSession, type LoginTerms, type Started } from './beginning.js'
import { ClientPolicy } from './client/client-policy.js'
import type { Client } from './client/client.js'
import { assertFits } from './data-limit.js'
import { DeviceBinding } from './binding/device-binding.js'
import { Ending, type End } from './ending.js'
import { Events } from './events/events.js'
import { Identification } from './identification.js'
import { infoOf } from './info.js'
import { Flights } from './ledger/flights.js'
import { Ledgers } from './ledger/ledgers.js'
import { LoginGate } from './ledger/login-gate.js'
import { isTouchDue, touched } from './lifetime.js'
import { LiveRecords } from './records/live-records.js'
import { Marks } from './marks/marks.js'
import { ProviderSessions } from './marks/provider-sessions.js'
import { Records } from './records/records.js'
import { Sweep } from './records/sweep.js'
import type { Settings } from './settings.js'
import { Reauthentication } from './reauthentication.js'
import { Succession } from './succession.js'
import { Renewal } from './rotation/renewal.js'
import { Reuse } from './rotation/reuse.js'
import type { TokenText } from './token.js'
import { Unawaited } from './events/unawaited.js'
import { AuthVersions } from './user/auth-versions.js'
import { Reach } from './user/reach.js'
import { userOf } from './user/user.js'
import { UserSessions } from './user/user-sessions.js'
import { userIdText, type UserId } from './user/user-id.js'
import type { ClientSource, Settle } from './verdict.js'
import { EndWatch } from './watch/end-watch.js'

/**
 * The life of sessions, as the HTTP side calls it: who is asking, a session begins, changes, ends. One engine
 * belongs to one manager; what an application may call is `Sessions`.
 */
export class Engine {
  readonly events = new Events()
  readonly unawaited = new Unawaited(this.events)
  readonly records: Records
  readonly live: LiveRecords
  /** Absent where sessions are not bound to devices: then nothing of it runs. */
  readonly binding: DeviceBinding | undefined
  /** Absent where no cookie of another system may start a session. */
  readonly adoption: Adoption | undefined
  /** The ways by which sessions of another system come in. None, in most applications. */
  readonly oldDoors: OldDoor[] = []
  /** What all nodes must know of, and is no session. */
  readonly marks: Marks
  readonly #providerSessions: ProviderSessions
  readonly #identification: Identification
  readonly #beginning: Beginning
  readonly #ending: Ending
  readonly #actingSessions: ActingSessions
  /** What is done to all sessions of a user. */
  readonly users: UserSessions
  readonly acting: Acting
  /** A user proves again who they are. */
  readonly reauthentication: Reauthentication
  readonly #sweep: Sweep | undefined
  readonly #versions: AuthVersions | undefined
  #endWatch: EndWatch | undefined

  constructor(readonly settings: Settings) {
    this.records = new Records(settings.store, settings.storeTimeout, (operation, error) =>
      this.events.emit('storeError', { operation, error }),
    )
    this.live = new LiveRecords(this.records, this.events)
    const { records, live, events } = this
    const { deviceBinding } = settings
    this.binding = deviceBinding && new DeviceBinding(records, live, events, settings, deviceBinding.ttl)
    this.#ending = new Ending(records, live, events)
    const ending = this.#ending
    const versions = settings.authVersion && new AuthVersions(live, ending, settings)
    this.#versions = versions
    this.#actingSessions = new ActingSessions(live, settings, versions)
    this.#identification = new Identification(
      records,
      live,
      new ClientPolicy(events, settings),
      new Renewal(records, events, settings),
      new Reuse(
        records,
        live,
        events,
        settings,
        (userId, except, client) => this.revokeAll(userId, except, { cause: 'reuse', client }),
        (own, client) => ending.endActing(own, client),
      ),
      settings,
      this.binding,
      versions,
      this.#actingSessions,
    )
    this.marks = new Marks(records)
    this.#providerSessions = new ProviderSessions(this.marks)
    const flights = new Flights()
    const ledgers = new Ledgers(records)
    const gate = new LoginGate(records, live, ledgers, flights, settings, (record, client) =>
      ending.revokeFound(record, { cause: 'maxSessions', client }),
    )
    this.#beginning = new Beginning(
      records,
      live,
      events,
      settings,
      this.binding,
      gate,
      flights,
      this.#providerSessions,
      (held, client) => this.end(held, { cause: 'login', client }),
    )
    const { adoptUntil } = settings
    this.adoption =
      adoptUntil === undefined
        ? undefined
        : new Adoption(this.marks, records, this.#beginning, settings, adoptUntil)
    if (this.adoption !== undefined) this.oldDoors.push(this.adoption)
    const succession = new Succession(
      records,
      live,
      settings,
      this.binding,
      gate,
      flights,
      this.#providerSessions,
    )
    const reach = new Reach(records, flights, settings.maxSessions === undefined ? undefined : ledgers)
    this.reauthentication = new Reauthentication(events, settings, succession)
    this.users = new UserSessions(live, events, settings, ending, succession, reach, this.oldDoors)
    this.acting = new Acting(records, live, events, settings, succession, flights, this.binding)
    const { expiryStep } = records
    this.#sweep = expiryStep && new Sweep((limit) => expiryStep(limit, live.toldOfExpired()))
    this.#sweep?.start()
  }

  /**
   * Finds out whose request it is, and calls `settle` exactly once with the verdict: at once where the store is in
   * the process. A failure of the store is a verdict too. What `settle` throws is never caught here.
   */
  identify(values: readonly TokenText[], source: ClientSource, settle: Settle): void {
    this.#identification.identify(values, source, settle)
  }

  /** The user of a session, as the application knows them. */
  userOf(record: SessionRecord): MaybePromise<unknown> {
    return userOf(record, this.settings)
  }

  /** What may be shown of a session: to the request that uses it, then it is the current one, or to others. */
  infoOf(record: SessionRecord, isCurrent = true): SessionInfo {
    return infoOf(record, isCurrent, this.isBound(record))
  }

  /** Whether a session is bound to its device, and that is enforced. */
  isBound(record: SessionRecord): boolean {
    return this.binding !== undefined && record.binding?.state === 'bound'
  }

  /** Starts a session without a user. */
  startGuest(data: JsonObject, client: Client): Promise<Started> {
    return this.#beginning.startGuest(data, client)
  }

  /**
   * Starts a user's session, then ends those that the browser held: nothing is adopted, nothing left behind.
   * If they can't be ended, the new session is taken back and the login has failed.
   */
  login(user: unknown, client: Client, held: readonly SessionRecord[], terms?: LoginTerms): Promise<Started> {
    return this.#beginning.login(user, client, held, terms)
  }

  /** Starts a session whose token and data are given, as the drop-in for express-session does. */
  startGiven(given: GivenSession, client: Client): Promise<Started> {
    return this.#beginning.startGiven(given, client)
  }

  /** Ends sessions from within; true when one was there. */
  end(held: readonly SessionRecord[], end: End = { cause: 'logout' }): Promise<boolean> {
    return this.#ending.end(held, end)
  }

  /**
   * Changes any field of a session, by compare-and-set: `edit` runs again on a newer record until nobody else has
   * written in between. Whoever changes a session is using it, so the change moves the idle deadline as well.
   *
   * @param client who is using the session; absent where this is no activity of its user. Then the deadline stays.
   * @param edit must do nothing else. Where it returns the very same record, nothing is written.
   * @returns the record as it is now; `undefined` when the session has ended.
   */
  async change(
    record: SessionRecord,
    edit: (current: SessionRecord) => SessionRecord,
    client?: Client,
  ): Promise<SessionRecord | undefined> {
    const changed = await this.live.change(record, (current) => {
      const edited = edit(current)
      if (edited.data !== current.data) assertFits(edited.data, current.data, this.settings.maxDataBytes)
      if (edited === current || client === undefined) return edited
      return touched(edited, Date.now(), client, this.settings)
    })
    if (changed?.actor !== undefined && client !== undefined)
      await this.#actingSessions.keepUp(changed, changed.lastSeenAt, client)
    return changed
  }

  /** Moves the idle deadline as a request does, where that is due; false when the session has ended. */
  async touch(sessionId: string): Promise<boolean> {
    const isDue = (record: SessionRecord) => isTouchDue(record, Date.now(), this.settings)
    const found = await this.live.find(sessionId)
    if (found === undefined || !isDue(found)) return found !== undefined
    if (!(await this.#isOfCurrentUser(found))) return false
    // Who uses it is not known here, so the client on record stays.
    const touch = (current: SessionRecord) =>
      isDue(current) ? touched(current, Date.now(), current, this.settings) : current
    const changed = await this.live.change(found, touch)
    if (changed?.actor !== undefined) await this.#actingSessions.keepUp(changed, changed.lastSeenAt, changed)
    return changed !== undefined
  }

  /** Whether the session is not older than the version of its user. If it is, it has ended by that. */
  async #isOfCurrentUser(record: SessionRecord): Promise<boolean> {
    if (this.#versions === undefined) return true
    const user = await this.userOf(record)
    return user === undefined || (await this.#versions.admit(record, user, undefined)) !== undefined
  }

  /** Calls `close` once when the session ends, whoever ends it. Returns what takes that back. */
  onEnd(sessionId: string, close: () => unknown): () => void {
    const { records, live, settings } = this
    records.assertOpen()
    this.#endWatch ??= new EndWatch(records, live, settings.heardWithin)
    return this.#endWatch.add(sessionId, close)
  }

  /** Ends one session from outside it; true when it was there. */
  revoke(sessionId: string, end: End): Promise<boolean> {
    return this.#ending.revoke(sessionId, end)
  }

  /**
   * What the store lists for a user; some may have expired. Nobody's id is '', which an admin's form may well send.
   *
   * @throws SessionError USER_INVALID for what can't be an id at all: most often a property that is misspelt.
   */
  async *pagesByUser(userId: UserId): AsyncGenerator<readonly SessionRecord[]> {
    if (userId !== '') yield* this.records.pagesByUser(userIdText(userId))
  }

  /** Ends all sessions of a user, or all but one, from outside them; returns how many there were. */
  async revokeAll(userId: UserId, except: string | undefined, end: End): Promise<number> {
    // First: a session that an old cookie starts meanwhile is either listed below, or finds this.
    if (userId !== '') await closeFor(userIdText(userId), this.oldDoors)
    return this.#ending.revokeAll(this.pagesByUser(userId), except, end)
  }

  /** Ends those sessions of a user whose login is older than this, from outside them; returns how many there were. */
  async revokeBefore(userId: UserId, before: number, end: End): Promise<number> {
    if (userId !== '') await closeFor(userIdText(userId), this.oldDoors)
    return this.#ending.revokeAll(olderThan(before, this.pagesByUser(userId)), undefined, end)
  }

  /**
   * Ends the sessions that a session at an identity provider has begun before this time; returns how many there were, and
   * `undefined` where no login has said that it comes from there.
   */
  async endProviderSession(providerSession: string, before: number, end: End): Promise<number | undefined> {
    const ids = await this.#providerSessions.end(providerSession, before)
    if (ids.length === 0) return undefined
    const found = await Promise.all(ids.map(async (id) => this.records.findFresh(id)))
    const there = [found.filter((record) => record !== undefined)]
    return this.#ending.revokeAll(olderThan(before, there), undefined, end)
  }

  /** Ends the engine's own work. Later calls fail with CLOSED. */
  async close(): Promise<void> {
    this.users.close()
    await Promise.all([this.#sweep?.stop(), this.#endWatch?.close()])
    this.records.close()
  }
}

/** Those of the records whose user last proved who they are before this time. What is damaged is one of them. */
async function* olderThan(
  before: number,
  pages: AsyncIterable<readonly SessionRecord[]> | Iterable<readonly SessionRecord[]>,
): AsyncGenerator<readonly SessionRecord[]> {
  for await (const page of pages) yield page.filter(({ authenticatedAt }) => !(authenticatedAt >= before))
}
