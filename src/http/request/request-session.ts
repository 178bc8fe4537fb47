import { isUnwantedPromise } from '../../lib/async/promises.js'
import { isSessionId } from '../../lib/uuid.js'
import type { Json, JsonObject, SessionInfo } from '../../record.js'
import { dataValue, valueOf, withoutKey, withValue } from './data.js'
import { readLoginOptions } from './login-options.js'
import type { SessionState } from './session-state.js'

/** The options of `sessionOf(req).login()`. */
export interface SessionLoginOptions {
  /** The names of the guest's data to keep. Default: none. From another login nothing ever crosses. */
  readonly keep?: readonly string[] | undefined
  /**
   * Lets other sites' pages send the visitor here: for callbacks of OAuth and SAML, which must
   * verify their own `state`. Default false.
   */
  readonly crossSite?: boolean | undefined
}

/**
 * The session of one request. Every method that reaches the store rejects with a `SessionError` of status 503
 * when the store fails; data writes on a session that has ended reject with `SESSION_ENDED`; what needs a new
 * cookie after the headers were sent rejects with `HEADERS_SENT`, and starts no session.
 */
export interface RequestSession {
  /** The session's public id; `undefined` while there is no session. Holding it grants nothing. */
  readonly id: string | undefined
  /** Who is asking; `undefined` for a guest or a stranger. */
  readonly user: Express.User | undefined
  /**
   * Whether the session is bound to its device (`deviceBinding`): a copy of its cookie opens nothing. False in
   * browsers that can't bind sessions, and for a moment after each login.
   *
   * @example
   * if (!sessionOf(req).isBound) return res.render('confirm-password')
   */
  readonly isBound: boolean
  /**
   * Logs a user in: always a new session with a new cookie; the one that the browser held has ended.
   *
   * @throws SessionError CROSS_ORIGIN for a request from a page of another origin, whatever its method is: it could log
   * the visitor in as somebody else. `{ crossSite: true }` allows it.
   * @example
   * const { id } = await sessionOf(req).login(user, { keep: ['cart'] })
   */
  login(user: object, options?: SessionLoginOptions): Promise<SessionInfo>
  /** Ends the session, and any other that the browser's cookies open. True when one was there. */
  logout(): Promise<boolean>
  /** This user's live sessions, last used first; this one is `current`. */
  list(): Promise<SessionInfo[]>
  /** Ends one of this user's sessions. False when it is not theirs or not there. */
  revoke(sessionId: string): Promise<boolean>
  /** Ends all of this user's sessions but this one; returns how many. */
  revokeOthers(): Promise<number>
  /** Ends all of this user's sessions with this one; returns how many. */
  revokeAll(): Promise<number>
  /** A value as it was when the request began, or as this request wrote it. A copy: changing it changes nothing. */
  get<T = Json>(key: string): T | undefined
  /**
   * Keeps a JSON value. Without a session it starts a guest's, but not for a form of another origin's page
   * (CROSS_ORIGIN): the browser may have held a login's cookie back, and would take the guest's in its place.
   *
   * @example
   * await sessionOf(req).set('theme', 'dark')
   */
  set(key: string, value: unknown): Promise<void>
  /**
   * Replaces a value by what `fn` makes of it, atomically: `fn` may run again on a newer value, so it must
   * do nothing else. Returning `undefined` removes the value.
   *
   * @example
   * await sessionOf(req).update('visits', (visits = 0) => visits + 1)
   */
  update<T = Json>(key: string, fn: (value: T | undefined) => T | undefined): Promise<T | undefined>
  /** Removes a value. */
  delete(key: string): Promise<void>
  /**
   * Removes a value and returns it. Of simultaneous requests exactly one gets it. What was written after this
   * request began is left for the next one.
   *
   * @example
   * const message = await sessionOf(req).take('flash')
   */
  take<T = Json>(key: string): Promise<T | undefined>
}

/** Makes what an application sees of the session of its request. */
export function requestSession(state: SessionState): RequestSession {
  return new OwnSession(state)
}

class OwnSession implements RequestSession {
  readonly #state: SessionState

  constructor(state: SessionState) {
    this.#state = state
  }

  get id(): string | undefined {
    return this.#state.record?.id
  }

  get user(): Express.User | undefined {
    return this.#state.user
  }

  get isBound(): boolean {
    const { record, wiring } = this.#state
    return record !== undefined && wiring.engine.isBound(record)
  }

  login(user: object, options?: SessionLoginOptions): Promise<SessionInfo> {
    return this.#watched('login', async () => {
      // Heard at once, since the login may fail for another reason before anybody looks at the user.
      isUnwantedPromise(user)
      return this.#state.login(user, readLoginOptions(options))
    })
  }

  logout(): Promise<boolean> {
    return this.#watched('logout', () => this.#state.logout())
  }

  list(): Promise<SessionInfo[]> {
    return this.#watched('list', async () => {
      const userId = this.#userId()
      if (userId === undefined) return []
      const all = await this.#state.wiring.sessions.list(userId)
      return all.map((info) => (info.id === this.id ? Object.assign(info, { current: true }) : info))
    })
  }

  revoke(sessionId: string): Promise<boolean> {
    return this.#watched('revoke', async () => {
      if (!isSessionId(sessionId)) return false
      if (sessionId === this.id) return this.logout()
      const own = await this.list()
      return own.some(({ id }) => id === sessionId) && this.#state.wiring.sessions.revoke(sessionId)
    })
  }

  revokeOthers(): Promise<number> {
    return this.#watched('revokeOthers', async () => {
      const userId = this.#userId()
      return userId === undefined ? 0 : this.#state.wiring.sessions.revokeAll(userId, { except: this.id })
    })
  }

  revokeAll(): Promise<number> {
    return this.#watched('revokeAll', async () => {
      const others = await this.revokeOthers()
      return (await this.logout()) ? others + 1 : others
    })
  }

  get<T = Json>(key: string): T | undefined {
    const data = this.#data
    return data && valueOf(data, key)
  }

  set(key: string, value: unknown): Promise<void> {
    return this.#watched('set', async () => {
      const kept = dataValue(key, value)
      await this.#state.write((data) => withValue(data, key, kept))
    })
  }

  update<T = Json>(key: string, fn: (value: T | undefined) => T | undefined): Promise<T | undefined> {
    return this.#watched('update', async () => {
      let result: T | undefined
      await this.#state.write((data) => {
        result = fn(valueOf(data, key))
        return result === undefined ? withoutKey(data, key) : withValue(data, key, dataValue(key, result))
      })
      return result
    })
  }

  delete(key: string): Promise<void> {
    return this.#watched('delete', () => this.#state.write((data) => withoutKey(data, key)))
  }

  take<T = Json>(key: string): Promise<T | undefined> {
    return this.#watched('take', async () => {
      // Pages ask for a flash message on every request, and there hardly ever is one: that costs no call to the store.
      if (this.#data !== undefined && !Object.hasOwn(this.#data, key)) return undefined
      let taken: T | undefined
      await this.#state.write((data) => {
        taken = valueOf(data, key)
        return withoutKey(data, key)
      })
      return taken
    })
  }

  get #data(): JsonObject | undefined {
    return this.#state.record?.data
  }

  /** Whose sessions this request may see and end. Fails where the lookup has failed. */
  #userId(): string | undefined {
    this.#state.assertKnown()
    return this.#state.record?.userId
  }

  /** Does the work of one of these methods. Its rejection is reported where the application does not await it. */
  #watched<T>(method: Method, work: () => Promise<T>): Promise<T> {
    const { unawaited } = this.#state.wiring.engine
    return unawaited.watch(`sessionOf(req).${method}()`, this[method], work())
  }
}

type Method =
  'login' | 'logout' | 'list' | 'revoke' | 'revokeOthers' | 'revokeAll' | 'set' | 'update' | 'delete' | 'take'
