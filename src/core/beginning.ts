import type { JsonObject, RecordLifetime, SessionRecord } from '../record.js'
import type { DeviceBinding } from './binding/device-binding.js'
import { keptAddress } from './client/address.js'
import type { Client } from './client/client.js'
import { placeOf } from './client/place.js'
import { isSessionError } from '../errors.js'
import { assertFits } from './data-limit.js'
import type { Events } from './events/events.js'
import type { Flights } from './ledger/flights.js'
import type { LoginGate, Pass } from './ledger/login-gate.js'
import { timesAtStart } from './lifetime.js'
import { withMethods } from './methods.js'
import type { ProviderSessions } from './marks/provider-sessions.js'
import type { LiveRecords } from './records/live-records.js'
import type { Records } from './records/records.js'
import type { Settings } from './settings.js'
import { mint, mintedAs, type Minted, type TokenText } from './token.js'
import { userIdOf } from './user/user-id.js'
import { keepUser, type KeptUser } from './user/user.js'

/** A session that was just made, with the token that only its browser will know. */
export interface Started {
  readonly record: SessionRecord
  readonly token: TokenText
  /** The challenge of the offer to bind the session to its device, where there is one. */
  readonly offer?: string | undefined
  /** Who acts as its user, where it is an acting session. */
  readonly actor?: unknown
}

/** What a login asks for, besides its user. */
export interface LoginTerms {
  /** The names of the data to take over from a guest's session. Default: none. */
  readonly keep?: readonly string[] | undefined
  /** Whether the browser can be offered to bind the session to its device. Default false. */
  readonly takesOffer?: boolean | undefined
  /** How long the session lives. Default: as the settings say. */
  readonly lifetime?: RecordLifetime | undefined
  /** How the user has proven who they are. Default: not said. */
  readonly methods?: readonly string[] | undefined
  /** Where the token travels. Default: in the cookie. */
  readonly via?: 'bearer' | undefined
  /** The session at the identity provider that has begun this one. Default: none. */
  readonly providerSession?: string | undefined
}

/** What a session that is started for an old cookie is made of. */
export interface AdoptionTerms {
  /** Its id and its secret, which other nodes can make again. */
  readonly minted: Minted
  readonly lifetime: RecordLifetime | undefined
  /** When the user last proved who they are. */
  readonly authenticatedAt: number
}

/** What a session is made of. */
type Terms = LoginTerms &
  Partial<AdoptionTerms> & { readonly place?: string | undefined; readonly cookie?: JsonObject }

/** A session whose secret was not minted here: one of `req.session`, whose id express-session or the application makes. */
export interface GivenSession {
  readonly token: TokenText
  /** Absent for a guest. */
  readonly user: KeptUser | undefined
  readonly data: JsonObject
  readonly cookie: JsonObject
  readonly lifetime: RecordLifetime
}

/** How sessions begin: a guest's, and a user's, which takes the place of what the browser held. */
export class Beginning {
  constructor(
    private readonly records: Records,
    private readonly live: LiveRecords,
    private readonly events: Events,
    private readonly settings: Settings,
    private readonly binding: DeviceBinding | undefined,
    private readonly gate: LoginGate,
    private readonly flights: Flights,
    private readonly providerSessions: ProviderSessions,
    /** Ends the sessions that a login replaces. */
    private readonly endReplaced: (held: readonly SessionRecord[], client: Client) => Promise<unknown>,
  ) {}

  /** Starts a session without a user. */
  startGuest(data: JsonObject, client: Client): Promise<Started> {
    return this.#store(this.#make(undefined, data, client, {}))
  }

  /**
   * Starts a user's session, then ends those that the browser held: nothing is adopted, nothing left behind.
   * If they can't be ended, the new session is taken back and the login has failed.
   */
  async login(
    user: unknown,
    client: Client,
    held: readonly SessionRecord[],
    terms: LoginTerms = {},
  ): Promise<Started> {
    const { keep = [], providerSession } = terms
    const kept = keepUser(user, this.settings)
    return this.flights.track(kept.userId, async () => {
      const place = this.settings.describeAddress && (await placeOf(client.ip, this.settings))
      const guest = keep.length > 0 ? onlyGuest(held) : undefined
      const current = guest && (await this.records.find(guest.id))
      const started = this.#make(kept, pick(current?.data ?? {}, keep), client, { ...terms, place })
      return this.#admit('login', started, user, client, held, async () => {
        if (providerSession !== undefined) await this.providerSessions.add(providerSession, started.record)
        if (current !== undefined) return this.#takeOver(current, started, keep)
        await this.endReplaced(held, client)
        return started
      })
    })
  }

  /**
   * Starts a user's session without a login, by a cookie of another system.
   *
   * @param settle says that the cookie has started it. Where it throws, the session is taken back.
   */
  async adopt(
    user: unknown,
    client: Client,
    terms: AdoptionTerms,
    settle: () => Promise<unknown>,
  ): Promise<Started> {
    const kept = keepUser(user, this.settings)
    return this.flights.track(kept.userId, async () => {
      const place = this.settings.describeAddress && (await placeOf(client.ip, this.settings))
      const made = this.#make(kept, {}, client, { ...terms, place })
      return this.#admit('adopt', made, user, client, [], async () => {
        await settle()
        return made
      })
    })
  }

  /** Starts a session whose token and data are given. What it takes the place of is the caller's to end. */
  async startGiven(given: GivenSession, client: Client): Promise<Started> {
    const { token, user, data, lifetime, cookie } = given
    const minted = mintedAs(token)
    const make = (place?: string) => this.#make(user, data, client, { lifetime, place, cookie, minted })
    if (user === undefined) return this.#store(make())
    return this.flights.track(user.userId, async () => {
      const started = make(this.settings.describeAddress && (await placeOf(client.ip, this.settings)))
      const known = user.user ?? { id: userIdOf(started.record) }
      return this.#admit('login', started, known, client, [], async () => started)
    })
  }

  /** Asks for a place among the sessions of the user. */
  async #enter(
    record: SessionRecord,
    user: unknown,
    client: Client,
    held: readonly SessionRecord[],
  ): Promise<Pass | undefined> {
    try {
      return await this.gate.enter(record, user, held)
    } catch (error) {
      if (isSessionError(error) && error.code === 'SESSIONS_FULL') {
        this.events.emit('loginRefused', { reason: error.code, userId: userIdOf(record), client })
      }
      throw error
    }
  }

  /**
   * Stores the session of a login that has a place. If anything fails until it is acknowledged, it is taken back.
   *
   * @param event what it is called.
   * @param held the sessions whose places it may take.
   * @param replace ends what the login replaces.
   */
  async #admit(
    event: 'login' | 'adopt',
    made: Started,
    user: unknown,
    client: Client,
    held: readonly SessionRecord[],
    replace: () => Promise<Started>,
  ): Promise<Started> {
    const pass = await this.#enter(made.record, user, client, held)
    let started: Started
    let isIn = true
    try {
      if (pass === undefined || !this.gate.isOut(pass)) await this.#store(made)
      started = await replace()
      if (pass !== undefined) isIn = await this.gate.confirm(pass)
    } catch (error) {
      void this.records.discard(made.record.id)
      if (pass !== undefined) await this.gate.leave(pass)
      throw error
    }
    const { record } = started
    if (event === 'login') this.events.emit('login', { record, client, cause: 'login' })
    else this.events.emit('adopt', { record, client })
    // Newer logins were faster. It was acknowledged, and then ended by the limit.
    if (!isIn) this.events.emit('revoke', { record, client, cause: 'maxSessions' })
    return started
  }

  /**
   * Ends a guest whose data a login takes over, by compare-and-set: a write of the guest that was acknowledged since its
   * data was read is a conflict here, and is taken over as well. A write that comes later finds that the guest has ended.
   */
  async #takeOver(guest: SessionRecord, started: Started, keep: readonly string[]): Promise<Started> {
    const taken = await this.live.markEnded(guest)
    void this.records.discard(guest.id)
    if (taken === undefined || taken === guest) return started
    const data = pick(taken.data, keep)
    const record = await this.live.change(started.record, (current) => ({ ...current, data }))
    return record === undefined ? started : { ...started, record }
  }

  #make(
    kept: KeptUser | undefined,
    data: JsonObject,
    client: Client,
    {
      takesOffer = false,
      lifetime,
      methods,
      via,
      place,
      providerSession,
      minted = mint(),
      authenticatedAt,
      cookie,
    }: Terms,
  ): Started {
    assertFits(data, {}, this.settings.maxDataBytes)
    const now = Date.now()
    const { id, token, secretHash, seriesHash } = minted
    const offer = takesOffer ? this.binding?.offer(id) : undefined
    const record: SessionRecord = {
      id,
      version: 1,
      secretHash,
      seriesHash,
      via,
      userId: kept?.userId,
      userIdType: kept?.userIdType,
      user: kept?.user,
      authVersion: kept?.authVersion,
      methods: withMethods(undefined, methods, now),
      lifetime,
      providerSession,
      data,
      cookie,
      binding: offer?.binding,
      userAgent: client.userAgent,
      ip: keptAddress(client.ip, this.settings.recordAddress),
      place,
      ...timesAtStart(now, kept === undefined, this.settings, lifetime),
      ...(authenticatedAt !== undefined && { authenticatedAt }),
    }
    return { record, token, offer: offer?.challenge }
  }

  async #store(started: Started): Promise<Started> {
    try {
      await this.records.insert(started.record)
      return started
    } catch (error) {
      void this.records.discard(started.record.id)
      throw error
    }
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
