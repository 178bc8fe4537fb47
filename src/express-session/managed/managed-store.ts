import { sessionEnded } from '../../http/request/errors.js'
import { attachedState } from '../../http/request/session-of.js'
import { wiringOf, type Wiring } from '../../http/wiring.js'
import { invalid } from '../../lib/options/invalid.js'
import type { Sessions } from '../../core/sessions.js'
import type * as expressSession from 'express-session'
import { setImmediate } from '../../lib/async/timers.js'
import type { Client } from '../../core/client/client.js'
import { nobody, type ClientSource } from '../../core/verdict.js'
import { splitToken } from '../../core/token.js'
import type { SessionRecord } from '../../record.js'
import type { CookieInput } from '../classes/cookie.js'
import { Store } from '../classes/store.js'
import type { Callback, SessionRequest, StoredData, StoreObject } from '../classes/types.js'
import { baseOf, originOf, setOrigin } from '../origin.js'
import type { FoundUser } from '../setup.js'
import { snapshotOf, type Snapshot } from '../snapshot.js'
import { tokenOf } from '../token.js'
import { changeBy, givenSession, storedOf } from './records.js'
import { passportUser, userFinder } from '../user.js'
import type { TakeOver } from './take-over.js'

/** A request, as the middleware gives it to the methods of its own store. */
export interface ByRequest {
  readonly req: SessionRequest
}

/** What the store of a manager needs to know. */
export interface ManagedOptions {
  readonly userOf: (data: Record<string, unknown>) => FoundUser | undefined
  readonly cookieFor: (req: SessionRequest | undefined) => CookieInput
  /** Takes sessions over from where they were before; absent where there is no such place. */
  readonly taking?: TakeOver | undefined
}

const stranger: ClientSource = { client: (known) => known, takesToken: () => false }
const unknownClient: Client = { userAgent: '', ip: '' }

/** Sessions in a store of this package, in the shape of a store of express-session: `req.sessionStore`. */
export class ManagedStore extends (Store as new () => StoreObject) {
  readonly #wiring: Wiring
  #options: ManagedOptions = { userOf: userFinder(passportUser), cookieFor: () => ({}) }

  constructor(wiring: Wiring) {
    super()
    this.#wiring = wiring
  }

  get wiring(): Wiring {
    return this.#wiring
  }

  /** Takes on the options of the middleware that it serves. */
  configure(options: ManagedOptions): void {
    this.#options = options
  }

  /** A session by its express-session id. A bare public id is none, and finds nothing. */
  override get(sid: string, done: Callback<StoredData | null>, by?: ByRequest): void {
    const state = by && attachedState(by.req)
    this.#wiring.engine.identify([tokenOf(sid)], state ?? stranger, (verdict) => {
      state?.identified(verdict)
      const { record, held, barred, failure } = verdict
      if (failure !== undefined) return done(failure)
      if (record !== undefined) return done(null, this.#stored(record, sid, by))
      const { taking } = this.#options
      if (taking === undefined || held.length > 0 || barred !== undefined) return done(null, null)
      settle(this.#take(taking, sid, by), done)
    })
  }

  async #take(taking: TakeOver, sid: string, by: ByRequest | undefined): Promise<StoredData | null> {
    const state = by && attachedState(by.req)
    const record = await taking.take(sid, state?.client() ?? unknownClient)
    if (record === undefined) return null
    state?.identified({ ...nobody, record, held: [record], user: record.user })
    return this.#stored(record, sid, by)
  }

  override set(sid: string, session: StoredData, done?: Callback, by?: ByRequest): void {
    settle(this.#set(sid, session, by), done)
  }

  override touch(sid: string, session: StoredData, done?: Callback, by?: ByRequest): void {
    settle(this.#touch(sid, session, by), done)
  }

  override destroy(sid: string, done?: Callback, by?: ByRequest): void {
    settle(this.#destroy(sid, by), done)
  }

  #stored(record: SessionRecord, sid: string, by: ByRequest | undefined): StoredData {
    return storedOf(record, sid, this.#options.cookieFor(by?.req))
  }

  async #set(sid: string, session: StoredData, by: ByRequest | undefined): Promise<void> {
    const { engine } = this.#wiring
    const { settings } = engine
    const known = originOf(session)
    const origin = known?.sid === sid ? known : undefined
    const client = this.#clientOf(by, origin?.record)
    const record = origin?.record ?? (await engine.records.find(splitToken(tokenOf(sid)).id))
    if (record === undefined) return this.#insert(sid, session, client, by)
    // What the application writes by itself, `store.set(sid, data)`, takes the place of what is there.
    const mine = snapshotOf(session)
    const edit = changeBy(session, mine.data, origin && baseOf(origin), settings)
    const written = await engine.change(record, edit, client)
    if (written === undefined) throw sessionEnded()
    this.#keep(sid, session, mine, written, by)
  }

  async #insert(sid: string, session: StoredData, client: Client, by: ByRequest | undefined): Promise<void> {
    const { engine } = this.#wiring
    const user = this.#options.userOf(session)
    const mine = snapshotOf(session)
    const given = givenSession(sid, session, mine.data, user, engine.settings)
    const { record } = await engine.startGiven(given, client)
    this.#keep(sid, session, mine, record, by)
  }

  /** Remembers what was written: the next change of this request is told from it. */
  #keep(
    sid: string,
    session: StoredData,
    mine: Snapshot,
    record: SessionRecord,
    by: ByRequest | undefined,
  ): void {
    // What this request wrote, without what others have written: their values are not missing from it.
    setOrigin(session, { sid, ...mine, isStored: true, readAt: 0, record })
    const state = by && attachedState(by.req)
    state?.identified({ ...nobody, record, held: [record], user: state.user ?? record.user })
  }

  async #touch(sid: string, session: StoredData, by: ByRequest | undefined): Promise<void> {
    const { engine } = this.#wiring
    const record = originOf(session)?.record ?? (await engine.records.find(splitToken(tokenOf(sid)).id))
    if (record === undefined) return
    const client = this.#clientOf(by, record)
    await engine.change(record, (current) => ({ ...current }), client)
  }

  async #destroy(sid: string, by: ByRequest | undefined): Promise<void> {
    const { engine } = this.#wiring
    const { id } = splitToken(tokenOf(sid))
    await this.#options.taking?.forget(sid)
    const state = by && attachedState(by.req)
    if (state?.record?.id === id) return void (await state.logout())
    const record = await engine.records.find(id)
    await engine.revoke(id, { cause: 'revoke', record } as Parameters<typeof engine.revoke>[1])
  }

  #clientOf(by: ByRequest | undefined, record: SessionRecord | undefined): Client {
    return (by && attachedState(by.req)?.client(record)) ?? record ?? unknownClient
  }
}

/**
 * Calls back at the end of the turn, so that what the application throws there is no rejection of ours. The responses
 * that wait for a save of the same turn leave together then: to send each alone costs more than the save.
 */
function settle<T>(work: Promise<T>, done: Callback<T> | undefined): void {
  work.then(
    (value) => done && setImmediate(() => done(null, value)),
    (error: unknown) => done && setImmediate(() => done(error)),
  )
}

/**
 * The sessions of a manager as a store of express-session: for `session({ store })`, and for code that reads sessions
 * where there is no request, by `store.get(sid, callback)` or `store.load()`.
 *
 * @throws SessionError OPTION_INVALID for anything but a manager.
 * @example
 * const store = toExpressSession(createSessions({ store: redisStore(client) }))
 * app.use(session({ secret, store }))
 */
export function toExpressSession(sessions: Sessions): expressSession.Store {
  const wiring = wiringOf(sessions)
  if (wiring === undefined) throw invalid('toExpressSession() needs the manager that createSessions() made.')
  return new ManagedStore(wiring) as unknown as expressSession.Store
}
