import { inBatches } from '../lib/async/batches.js'
import type { JsonObject, SessionInfo, SessionRecord } from '../record.js'
import type { MaybePromise } from '../store.js'
import { ClientPolicy } from './client/client-policy.js'
import type { Client } from './client/client.js'
import { assertFits } from './data-limit.js'
import { DeviceBinding } from './binding/device-binding.js'
import { Events } from './events/events.js'
import { Identification } from './identification.js'
import { infoOf } from './info.js'
import { timesAtStart, touched } from './lifetime.js'
import { LiveRecords } from './records/live-records.js'
import { Records } from './records/records.js'
import { Sweep } from './records/sweep.js'
import type { Settings } from './settings.js'
import { Renewal } from './rotation/renewal.js'
import { Reuse } from './rotation/reuse.js'
import { mint, type TokenText } from './token.js'
import { Unawaited } from './events/unawaited.js'
import { keepUser, userOf, type KeptUser } from './user/user.js'
import { userIdOf, userIdText, type UserId } from './user/user-id.js'
import type { ClientSource, Settle } from './verdict.js'

/** A session that was just made, with the token that only its browser will know. */
export interface Started {
  readonly record: SessionRecord
  readonly token: TokenText
  /** The challenge of the offer to bind the session to its device, where there is one. */
  readonly offer?: string | undefined
}

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
  readonly #identification: Identification
  readonly #sweep: Sweep | undefined

  constructor(readonly settings: Settings) {
    this.records = new Records(settings.store, settings.storeTimeout, (operation, error) =>
      this.events.emit('storeError', { operation, error }),
    )
    this.live = new LiveRecords(this.records, this.events)
    const { records, live, events } = this
    const { deviceBinding } = settings
    this.binding = deviceBinding && new DeviceBinding(records, live, events, settings, deviceBinding.ttl)
    this.#identification = new Identification(
      records,
      live,
      new ClientPolicy(events, settings),
      new Renewal(records, events, settings),
      new Reuse(records, live, events, settings, (userId, except) => this.revokeAll(userId, except)),
      settings,
      this.binding,
    )
    const { expiryStep } = this.records
    this.#sweep = expiryStep && new Sweep(expiryStep)
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
    return this.#start(undefined, data, client)
  }

  /**
   * Starts a user's session, then ends those that the browser held: nothing is adopted, nothing left behind.
   * If they can't be ended, the new session is taken back and the login has failed.
   *
   * @param keep the names of the data to take over from a guest's session.
   * @param takesOffer whether the browser can be offered to bind the session to its device.
   */
  async login(
    user: unknown,
    client: Client,
    held: readonly SessionRecord[],
    keep: readonly string[] = [],
    takesOffer = false,
  ): Promise<Started> {
    const kept = keepUser(user, this.settings)
    const guest = keep.length > 0 ? onlyGuest(held) : undefined
    const current = guest && (await this.records.find(guest.id))
    let started = await this.#start(kept, pick(current?.data ?? {}, keep), client, takesOffer)
    const sessionId = started.record.id
    try {
      if (current === undefined) await this.end(held, true)
      else started = await this.#takeOver(current, started, keep)
    } catch (error) {
      this.#takeBack(sessionId)
      throw error
    }
    this.events.emit('login', { sessionId, userId: userIdOf(started.record)!, client })
    return started
  }

  /**
   * Ends a guest whose data a login takes over, by compare-and-set: a write of the guest that was acknowledged since its
   * data was read is a conflict here, and is taken over as well. A write that comes later finds that the guest has ended.
   */
  async #takeOver(guest: SessionRecord, started: Started, keep: readonly string[]): Promise<Started> {
    let taken = guest
    const ended = await this.live.change(guest, (current) => {
      taken = current
      return { ...current, endedBy: 'login' as const }
    })
    // It is marked as ended, so that its record is removed is no longer urgent.
    this.#takeBack(guest.id)
    if (ended === undefined || taken === guest) return started
    const data = pick(taken.data, keep)
    const record = await this.live.change(started.record, (current) => ({ ...current, data }))
    return record === undefined ? started : { ...started, record }
  }

  /** Ends sessions from within; true when one was there. */
  async end(held: readonly SessionRecord[], replaced = false): Promise<boolean> {
    const ends = await Promise.all(
      held.map(async (record) => {
        const sessionId = record.id
        const wasThere = await this.records.delete(sessionId)
        const userId = userIdOf(record)
        if (wasThere && userId !== undefined) this.events.emit('logout', { sessionId, userId, replaced })
        return wasThere
      }),
    )
    return ends.includes(true)
  }

  /**
   * Changes any field of a session, by compare-and-set: `edit` runs again on a newer record until nobody else has
   * written in between. Whoever changes a session is using it, so the change moves the idle deadline as well.
   *
   * @param edit must do nothing else. Where it returns the very same record, nothing is written.
   * @returns the record as it is now; `undefined` when the session has ended.
   */
  change(
    record: SessionRecord,
    edit: (current: SessionRecord) => SessionRecord,
    client: Client,
  ): Promise<SessionRecord | undefined> {
    return this.live.change(record, (current) => {
      const edited = edit(current)
      if (edited.data !== current.data) this.#assertFits(edited.data, current.data)
      return edited === current ? current : touched(edited, Date.now(), client, this.settings)
    })
  }

  /**
   * Ends one session from outside it; true when it was there.
   *
   * @param record what was found of it; `undefined` where that is damaged.
   */
  async revoke(sessionId: string, record: SessionRecord | undefined): Promise<boolean> {
    const wasThere = await this.records.delete(sessionId)
    const userId = record && userIdOf(record)
    if (wasThere && userId !== undefined) this.events.emit('revoke', { sessionId, userId })
    return wasThere
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
  async revokeAll(userId: UserId, except?: string): Promise<number> {
    const end = async (one: SessionRecord) =>
      one.id !== except && (await this.live.ifAlive(one)) !== undefined && this.revoke(one.id, one)
    // All are tried before a failure is reported: after a theft, each session ended counts.
    const ends = await inBatches(this.pagesByUser(userId), end)
    return ends.filter(Boolean).length
  }

  /** Ends the engine's own work. Later calls fail with CLOSED. */
  async close(): Promise<void> {
    await this.#sweep?.stop()
    this.records.close()
  }

  #assertFits(data: JsonObject, before: JsonObject): void {
    assertFits(data, before, this.settings.maxDataBytes)
  }

  async #start(
    kept: KeptUser | undefined,
    data: JsonObject,
    client: Client,
    takesOffer = false,
  ): Promise<Started> {
    this.#assertFits(data, {})
    const { id, token, secretHash, seriesHash } = mint()
    const offer = takesOffer ? this.binding?.offer(id) : undefined
    const record: SessionRecord = {
      id,
      version: 1,
      secretHash,
      seriesHash,
      userId: kept?.userId,
      userIdType: kept?.userIdType,
      user: kept?.user,
      data,
      binding: offer?.binding,
      userAgent: client.userAgent,
      ip: client.ip,
      ...timesAtStart(Date.now(), kept === undefined, this.settings),
    }
    try {
      await this.records.insert(record)
    } catch (error) {
      this.#takeBack(id)
      throw error
    }
    return { record, token, offer: offer?.challenge }
  }

  /** Deletes a session that nobody can use: its token was never sent, or it is marked as ended. A failure is harmless. */
  #takeBack(id: string): void {
    void (async () => this.records.delete(id))().catch(() => undefined)
  }
}

/** The guest whose data a login may take over: none where the browser holds several sessions, or another login. */
function onlyGuest(held: readonly SessionRecord[]): SessionRecord | undefined {
  return held.length === 1 && held[0]!.userId === undefined ? held[0] : undefined
}

/** The values of these names. */
function pick(data: JsonObject, names: readonly string[]): JsonObject {
  const own = names.filter((name) => Object.hasOwn(data, name))
  return Object.fromEntries(own.map((name) => [name, data[name]!]))
}
