import { inBatches } from '../lib/batches.js'
import type { JsonObject, SessionInfo, SessionRecord } from '../record.js'
import type { MaybePromise } from '../store.js'
import { ClientPolicy } from './client/client-policy.js'
import type { Client } from './client/client.js'
import { DeviceBinding } from './device-binding.js'
import { Events } from './events.js'
import { Identification } from './identification.js'
import { infoOf } from './info.js'
import { timesAtStart, touched } from './lifetime.js'
import { LiveRecords } from './records/live-records.js'
import { Records } from './records/records.js'
import { Sweep } from './records/sweep.js'
import type { Settings } from './settings.js'
import { Renewal } from './renewal.js'
import { Reuse } from './reuse.js'
import { mint } from './token.js'
import { keepUser, userOf, type KeptUser } from './user.js'
import type { ClientSource, Settle } from './verdict.js'

/** A session that was just made, with the token that only its browser will know. */
export interface Started {
  readonly record: SessionRecord
  readonly token: string
  /** The challenge of the offer to bind the session to its device, where there is one. */
  readonly offer?: string | undefined
}

/**
 * The life of sessions, as the HTTP side calls it: who is asking, a session begins, changes, ends. One engine
 * belongs to one manager; what an application may call is `Sessions`.
 */
export class Engine {
  readonly events = new Events()
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
      new Reuse(records, live, events, settings, (userId) => this.revokeAll(userId)),
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
  identify(values: readonly string[], source: ClientSource, settle: Settle): void {
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
    const started = await this.#start(kept, await this.#guestData(held, keep), client, takesOffer)
    const { id: sessionId, userId } = started.record
    try {
      await this.end(held, true)
    } catch (error) {
      this.#takeBack(sessionId)
      throw error
    }
    this.events.emit('login', { sessionId, userId: userId!, client })
    return started
  }

  /** Ends sessions from within; true when one was there. */
  async end(held: readonly SessionRecord[], replaced = false): Promise<boolean> {
    const ends = await Promise.all(
      held.map(async ({ id: sessionId, userId }) => {
        const wasThere = await this.records.delete(sessionId)
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
      return edited === current ? current : touched(edited, Date.now(), client, this.settings)
    })
  }

  /** Ends one session from outside it; true when it was there. */
  async revoke(sessionId: string, userId: string | undefined): Promise<boolean> {
    const wasThere = await this.records.delete(sessionId)
    if (wasThere && userId !== undefined) this.events.emit('revoke', { sessionId, userId })
    return wasThere
  }

  /** Ends all sessions of a user, or all but one, from outside them; returns how many there were. */
  async revokeAll(userId: string, except?: string): Promise<number> {
    const records = await this.records.listByUser(userId)
    const doomed = records.filter((record) => record.id !== except)
    // All are tried before a failure is reported: after a theft, each session ended counts.
    const ends = await inBatches(
      doomed,
      async (one) => (await this.live.ifAlive(one)) !== undefined && this.revoke(one.id, userId),
    )
    return ends.filter(Boolean).length
  }

  /** Ends the engine's own work. Later calls fail with CLOSED. */
  async close(): Promise<void> {
    await this.#sweep?.stop()
    this.records.close()
  }

  async #start(
    kept: KeptUser | undefined,
    data: JsonObject,
    client: Client,
    takesOffer = false,
  ): Promise<Started> {
    const { id, token, secretHash, seriesHash } = mint()
    const offer = takesOffer ? this.binding?.offer(id) : undefined
    const record: SessionRecord = {
      id,
      version: 1,
      secretHash,
      seriesHash,
      userId: kept?.userId,
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

  /** What a login takes over: by name, and from a guest only. Read again, since the guest may have written since. */
  async #guestData(held: readonly SessionRecord[], keep: readonly string[]): Promise<JsonObject> {
    const [guest] = held
    if (keep.length === 0 || held.length !== 1 || guest?.userId !== undefined) return {}
    const data: JsonObject = (await this.records.find(guest!.id))?.data ?? {}
    return Object.fromEntries(keep.filter((key) => Object.hasOwn(data, key)).map((key) => [key, data[key]!]))
  }

  /** Deletes a session whose token nobody got. It can't be used, so a failure leaves only a listed entry. */
  #takeBack(id: string): void {
    void (async () => this.records.delete(id))().catch(() => undefined)
  }
}
