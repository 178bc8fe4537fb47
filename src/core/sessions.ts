import { that } from '../lib/option-kinds.js'
import { ofFunction, readOptions } from '../lib/options.js'
import { isSessionError } from '../errors.js'
import { isSessionRecord, type JsonObject, type SessionInfo, type SessionRecord } from '../record.js'
import type { MaybePromise } from '../store.js'
import { Admission } from './admission.js'
import { change } from './records/change.js'
import type { Client } from './client/client.js'
import { Events, type Listener, type SessionEvents } from './events.js'
import { inBatches } from '../lib/batches.js'
import { infoOf } from './info.js'
import { timesAtStart, touched } from './lifetime.js'
import { Records } from './records/records.js'
import type { Settings } from './settings.js'
import { Sweep } from './records/sweep.js'
import { mint, type Token } from './token.js'
import { keepUser, userIdText, userOf, type KeptUser } from './user.js'

/** A session that was just made, with the token that only its browser will know. */
export interface Started {
  readonly record: SessionRecord
  readonly token: string
}

/**
 * The sessions of an application: made by `createSessions`, used by the middleware, and reached directly
 * where there is no request (admin tools, sockets, jobs).
 *
 * Every method rejects with a `SessionError` of status 503 when the store fails or is slow.
 */
export class Sessions<S extends Settings = Settings> {
  readonly #events = new Events()
  readonly #records: Records
  readonly #admission: Admission
  readonly #sweep: Sweep | undefined

  constructor(
    /** The options as they hold: checked, defaults filled in, durations in milliseconds. */
    readonly settings: S,
  ) {
    this.#records = new Records(settings.store, settings.storeTimeout, (operation, error) =>
      this.#events.emit('storeError', { operation, error }),
    )
    this.#admission = new Admission(this.#records, this.#events, settings)
    const { expiryStep } = this.#records
    this.#sweep = expiryStep && new Sweep(expiryStep)
    this.#sweep?.start()
  }

  /** Calls the listener at each such event, in the order of registration. Listeners must not be slow. */
  on<Name extends keyof SessionEvents>(name: Name, listener: Listener<Name>): this {
    this.#events.on(name, listener)
    return this
  }

  off<Name extends keyof SessionEvents>(name: Name, listener: Listener<Name>): this {
    this.#events.off(name, listener)
    return this
  }

  /** The live session with this id. */
  async find(sessionId: string): Promise<SessionInfo | undefined> {
    const record = await this.#records.find(sessionId)
    const live = record && (await this.#admission.ifAlive(record))
    return live && infoOf(live)
  }

  /** The live sessions of a user, last used first. */
  async list(userId: string | number, currentId?: string): Promise<SessionInfo[]> {
    const records = await this.#records.listByUser(userIdText(userId))
    const live = await inBatches(records.filter(isSessionRecord), (one) => this.#admission.ifAlive(one))
    return live
      .filter((record) => record !== undefined)
      .toSorted((a, b) => b.lastSeenAt - a.lastSeenAt)
      .map((record) => infoOf(record, currentId))
  }

  /** Ends one session, at once and on every node. True when it was there. */
  async revoke(sessionId: string): Promise<boolean> {
    const record = await this.#findEvenDamaged(sessionId)
    const isExpired = record !== undefined && (await this.#admission.ifAlive(record)) === undefined
    return !isExpired && this.#revoke(sessionId, record?.userId)
  }

  /**
   * Ends all sessions of a user, or all but one; answers how many there were.
   * @throws SessionError OPTION_INVALID for what is no session's id, before any has ended.
   */
  async revokeAll(userId: string | number, options: { except?: string | undefined } = {}): Promise<number> {
    const id = userIdText(userId)
    const { except } = readOptions(
      options,
      ofFunction('revokeAll()', '{ except: session.id }'),
      revokeAllOptions,
    )
    const records = await this.#records.listByUser(id)
    const doomed = records.filter((record) => record.id !== except)
    // All are tried before a failure is reported: after a theft, each session ended counts.
    const ends = await inBatches(
      doomed,
      async (one) => (await this.#admission.ifAlive(one)) !== undefined && this.#revoke(one.id, id),
    )
    return ends.filter(Boolean).length
  }

  /** Ends the manager's own work. Never closes a client that it was given. Later calls reject with CLOSED. */
  async close(): Promise<void> {
    await this.#sweep?.stop()
    this.#records.close()
  }

  /** The live session that this token opens, if it opens one. @internal */
  verify(token: Token): MaybePromise<SessionRecord | undefined> {
    return this.#admission.verify(token)
  }

  /** The verified session as of this use; `undefined` where it has just ended. @internal */
  admit(record: SessionRecord, client: Client): MaybePromise<SessionRecord | 'refused' | undefined> {
    return this.#admission.admit(record, client)
  }

  /** The user of a session, as the application knows them. @internal */
  userOf(record: SessionRecord): MaybePromise<unknown> {
    return userOf(record, this.settings)
  }

  /** Starts a session without a user. @internal */
  startGuest(data: JsonObject, client: Client): Promise<Started> {
    return this.#start(undefined, data, client)
  }

  /**
   * Starts a user's session, then ends those that the browser held: nothing is adopted, nothing left behind.
   * Where ending fails the new one is taken back, and the login has failed. @internal
   */
  async login(
    user: unknown,
    client: Client,
    held: readonly SessionRecord[],
    keep: readonly string[] = [],
  ): Promise<Started> {
    const kept = keepUser(user, this.settings)
    const started = await this.#start(kept, await this.#guestData(held, keep), client)
    const { id: sessionId, userId } = started.record
    try {
      await this.logout(held, true)
    } catch (error) {
      this.#takeBack(sessionId)
      throw error
    }
    this.#events.emit('login', { sessionId, userId: userId!, client })
    return started
  }

  /** Ends sessions from within; true when one was there. @internal */
  async logout(held: readonly SessionRecord[], replaced = false): Promise<boolean> {
    const ends = await Promise.all(
      held.map(async ({ id: sessionId, userId }) => {
        const wasThere = await this.#records.delete(sessionId)
        if (wasThere && userId !== undefined) this.#events.emit('logout', { sessionId, userId, replaced })
        return wasThere
      }),
    )
    return ends.includes(true)
  }

  /** Changes the data of a session; `undefined` when it has ended. @internal */
  changeData(
    record: SessionRecord,
    edit: (data: JsonObject) => JsonObject,
    client: Client,
  ): Promise<SessionRecord | undefined> {
    const editRecord = (current: SessionRecord) => {
      const data = edit(current.data)
      // Whoever writes is there: the write moves the idle deadline as well, and saves a touch.
      return data === current.data
        ? current
        : { ...touched(current, Date.now(), client, this.settings), data }
    }
    return change(this.#records, record, editRecord, (one) => this.#admission.ifAlive(one))
  }

  /** What may be shown of a session. @internal */
  infoOf(record: SessionRecord, currentId?: string): SessionInfo {
    return infoOf(record, currentId)
  }

  /** Sends an event to the listeners. @internal */
  emit<Name extends keyof SessionEvents>(name: Name, event: SessionEvents[Name]): void {
    this.#events.emit(name, event)
  }

  async #start(kept: KeptUser | undefined, data: JsonObject, client: Client): Promise<Started> {
    const { id, token, secretHash, seriesHash } = mint()
    const record: SessionRecord = {
      id,
      version: 1,
      secretHash,
      seriesHash,
      userId: kept?.userId,
      user: kept?.user,
      data,
      userAgent: client.userAgent,
      ip: client.ip,
      ...timesAtStart(Date.now(), kept === undefined, this.settings),
    }
    try {
      await this.#records.insert(record)
    } catch (error) {
      this.#takeBack(id)
      throw error
    }
    return { record, token }
  }

  /** What a login takes over: by name, and from a guest only. Read anew, since the guest may have written meanwhile. */
  async #guestData(held: readonly SessionRecord[], keep: readonly string[]): Promise<JsonObject> {
    const [guest] = held
    if (keep.length === 0 || held.length !== 1 || guest?.userId !== undefined) return {}
    const data: JsonObject = (await this.#records.find(guest!.id))?.data ?? {}
    return Object.fromEntries(keep.filter((key) => Object.hasOwn(data, key)).map((key) => [key, data[key]!]))
  }

  /** Deletes a session whose token nobody got. It can't be used, so a failure leaves only a listed entry. */
  #takeBack(id: string): void {
    void (async () => this.#records.delete(id))().catch(() => undefined)
  }

  async #revoke(sessionId: string, userId: string | undefined): Promise<boolean> {
    const wasThere = await this.#records.delete(sessionId)
    if (wasThere && userId !== undefined) this.#events.emit('revoke', { sessionId, userId })
    return wasThere
  }

  /** A damaged record must not protect itself from being revoked. */
  async #findEvenDamaged(id: string): Promise<SessionRecord | undefined> {
    try {
      return await this.#records.find(id)
    } catch (error) {
      if (isSessionError(error) && error.code === 'RECORD_DAMAGED') return undefined
      throw error
    }
  }
}

/** A misspelt `except` would end every session, the caller's own among them. */
const revokeAllOptions = {
  except: {
    kind: that(
      (value) => typeof value === 'string',
      'the id of a session: revokeAll(userId, { except: session.id })',
    ),
    doc: 'the id of the session that lives on',
  },
} as const
