import type { End } from '../../core/ending.js'
import type { Engine } from '../../core/engine.js'
import { isRecent } from '../../core/methods.js'
import type { EventCause } from '../../core/events/types.js'
import { issuedBearer } from '../bearer/issued.js'
import { isUnwantedPromise } from '../../lib/async/promises.js'
import { isSessionId } from '../../lib/uuid.js'
import type { AnonymousReason } from '../../core/reason.js'
import type { Json, JsonObject, SessionInfo } from '../../record.js'
import { assertFunction } from '../../core/user/change-user.js'
import { dataValue, valueOf, withoutKey, withValue } from './data.js'
import { readLoginOptions, readReauthenticateOptions } from './login-options.js'
import { readRecentLogin } from './recent-login.js'
import type {
  ReauthenticateOptions,
  RecentLogin,
  RequestSession,
  SessionLoginOptions,
} from './request-session.js'
import type { SessionState } from './session-state.js'

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

  get reason(): AnonymousReason | undefined {
    return this.#state.reason
  }

  get isBound(): boolean {
    const { record } = this.#state
    return record !== undefined && this.#engine.isBound(record)
  }

  get bearerToken(): string | undefined {
    return issuedBearer(this.#state)
  }

  login(user: object, options?: SessionLoginOptions): Promise<SessionInfo> {
    return this.#watched('login', async () => {
      // Heard at once, since the login may fail for another reason before anybody looks at the user.
      isUnwantedPromise(user)
      return this.#state.login(user, readLoginOptions(options))
    })
  }

  reauthenticate(user: object, options?: ReauthenticateOptions): Promise<SessionInfo> {
    return this.#watched('reauthenticate', async () => {
      isUnwantedPromise(user)
      return this.#state.reauthenticate(user, readReauthenticateOptions(options))
    })
  }

  hasRecentLogin(recent: RecentLogin): boolean {
    const { within, methods } = readRecentLogin(recent)
    const { record, user } = this.#state
    return record !== undefined && user !== undefined && isRecent(record, Date.now(), within, methods)
  }

  logout(): Promise<boolean> {
    return this.#watched('logout', () => this.#state.logout())
  }

  list(): Promise<SessionInfo[]> {
    return this.#watched('list', async () => {
      const userId = this.#userId()
      if (userId === undefined) return []
      // Otherwise the list would say of the session that asks when it was used before.
      await this.#state.touchNow()
      const all = await this.#state.wiring.sessions.list(userId)
      return all.map((info) => (info.id === this.id ? Object.assign(info, { current: true }) : info))
    })
  }

  revoke(sessionId: string): Promise<boolean> {
    return this.#watched('revoke', async () => {
      if (!isSessionId(sessionId)) return false
      if (sessionId === this.id) return this.#state.logout('revoke')
      const own = await this.list()
      return own.some(({ id }) => id === sessionId) && this.#engine.revoke(sessionId, this.#end('revoke'))
    })
  }

  revokeOthers(): Promise<number> {
    return this.#watched('revokeOthers', () => this.#revokeOthers('revokeOthers'))
  }

  revokeAll(): Promise<number> {
    return this.#watched('revokeAll', async () => {
      const others = await this.#revokeOthers('revokeAll')
      return (await this.#state.logout('revokeAll')) ? others + 1 : others
    })
  }

  get actor(): Express.User | undefined {
    return this.#state.actor
  }

  actAs(user: object): Promise<SessionInfo> {
    return this.#watched('actAs', async () => {
      isUnwantedPromise(user)
      return this.#state.succeed((own, client, takesOffer) =>
        this.#engine.acting.begin(own, this.#state.user, user, client, takesOffer),
      )
    })
  }

  stopActing(): Promise<SessionInfo> {
    return this.#watched('stopActing', () =>
      this.#state.succeed((own, client, takesOffer) => this.#engine.acting.stop(own, client, takesOffer)),
    )
  }

  credentialsChanged(): Promise<SessionInfo> {
    return this.#watched('credentialsChanged', () =>
      this.#state.succeed((own, client, takesOffer) =>
        this.#engine.users.credentialsChanged(own, client, takesOffer),
      ),
    )
  }

  updateUser(fn: (user: Express.User) => object): Promise<Express.User> {
    return this.#watched('updateUser', async () => {
      assertFunction(fn, 'sessionOf(req).updateUser(fn)')
      return this.#state.changeUser(fn)
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

  get #engine(): Engine {
    return this.#state.wiring.engine
  }

  async #revokeOthers(cause: EventCause): Promise<number> {
    const userId = this.#userId()
    return userId === undefined ? 0 : this.#engine.revokeAll(userId, this.id, this.#end(cause))
  }

  /** Ended by this request. */
  #end(cause: EventCause): End {
    return { cause, client: this.#state.client() }
  }

  /** Whose sessions this request may see and end. Fails where the lookup has failed. */
  #userId(): string | undefined {
    this.#state.assertKnown()
    return this.#state.record?.userId
  }

  /** Does the work of one of these methods. Its rejection is reported where the application does not await it. */
  #watched<T>(method: Method, work: () => Promise<T>): Promise<T> {
    return this.#engine.unawaited.watch(`sessionOf(req).${method}()`, this[method], work())
  }
}

type Method =
  | 'login'
  | 'reauthenticate'
  | 'credentialsChanged'
  | 'actAs'
  | 'stopActing'
  | 'updateUser'
  | 'logout'
  | 'list'
  | 'revoke'
  | 'revokeOthers'
  | 'revokeAll'
  | 'set'
  | 'update'
  | 'delete'
  | 'take'
