import type { Request } from 'express'
import { assertNotActing } from '../../core/acting/actor.js'
import type { Started } from '../../core/beginning.js'
import type { Client } from '../../core/client/client.js'
import type { EventCause } from '../../core/events/types.js'
import type { UserChange } from '../../core/user/change-user.js'
import type { UserRecord } from '../../core/user/user-sessions.js'
import { nobody } from '../../core/verdict.js'
import type { JsonObject, RecordLifetime, SessionInfo, SessionRecord } from '../../record.js'
import { bearerRefused, carriesCookie, withoutCookie } from '../bearer/carrier.js'
import { withdrawBearer } from '../bearer/issued.js'
import { offerBinding, withdrawBinding } from '../binding/headers.js'
import { clearSessionCookie } from '../cookie/send.js'
import { lifetimeOf, type LifetimeSetting } from '../lifetime/options.js'
import type { Action } from '../origin/refusal.js'
import { headersSent, sessionEnded, sessionRefused } from './errors.js'
import { KnownSession } from './known-session.js'
import type { CheckedLoginOptions, CheckedReauthenticateOptions } from './login-options.js'
import { warnOfSharedCookie } from './warnings.js'

/**
 * The session of one request: what is known of it, and what the request can do to it, one change after the other.
 * `RequestSession` is what an application sees of it.
 */
export class SessionState extends KnownSession {
  #changes: Promise<unknown> | undefined = undefined

  /** How long a session lives that this request starts without a login. */
  lifetimeOf(user: object): Promise<RecordLifetime | undefined> {
    return this.#lifetimeOf(this.wiring.settings.lifetime, user)
  }

  login(user: object, options: CheckedLoginOptions): Promise<SessionInfo> {
    return this.#inTurn(async () => {
      if (!options.crossSite) this.#assertFromOurPages('login')
      this.#assertCanSetCookie()
      if (this.takesBearer) this.#leaveCookie()
      const { engine, settings } = this.wiring
      const started = await engine.login(user, this.client(), this.verdict.held, {
        // Data crosses from the guest that this client is: never from a session that it was refused.
        keep: this.record === undefined ? [] : options.keep,
        methods: options.method,
        providerSession: options.providerSession,
        lifetime: await this.#lifetimeOf(options.lifetime ?? settings.lifetime, user),
        takesOffer: this.#takesOffer,
        via: this.cookie.via,
      })
      await this.#begin(started)
      this.#offer(started)
      // With loadUser nothing but the id was kept. The user who has just logged in is the user of this request.
      this.setUser(settings.loadUser ? user : engine.userOf(started.record))
      return engine.infoOf(started.record)
    })
  }

  /** The user proves again who they are: a new session in the place of this one, with its data and its lifetime. */
  reauthenticate(user: object, options: CheckedReauthenticateOptions): Promise<SessionInfo> {
    const { crossSite, method: methods, lifetime } = options
    return this.succeed(async (own, client, takesOffer) => {
      if (!crossSite) this.#assertFromOurPages('login')
      assertNotActing(own)
      return this.wiring.engine.reauthentication.perform(own, user, client, {
        methods,
        lifetime: lifetime === undefined ? own.lifetime : await this.#lifetimeOf(lifetime, user),
        takesOffer,
      })
    })
  }

  /**
   * Gives the user of this request another session in the place of theirs.
   *
   * @param start starts it; returns nothing where the one of this request has ended.
   */
  succeed(
    start: (record: UserRecord, client: Client, takesOffer: boolean) => Promise<Started | undefined>,
  ): Promise<SessionInfo> {
    return this.#inTurn(async () => {
      const own = this.#ownRecord()
      this.#assertCanSetCookie()
      if (this.isBearer) this.#leaveCookie()
      const { engine } = this.wiring
      const started = await start(own, this.client(), this.#takesOffer)
      if (started === undefined) {
        this.#end()
        throw sessionEnded()
      }
      await this.#begin(started)
      this.#offer(started)
      this.verdict = { ...this.verdict, actor: started.actor }
      this.setUser(await engine.userOf(started.record))
      return engine.infoOf(started.record)
    })
  }

  /** Changes the user that this session keeps. */
  changeUser(fn: UserChange): Promise<Express.User> {
    return this.#inTurn(async () => {
      const own = this.#ownRecord()
      const { engine } = this.wiring
      await this.#change(own, engine.users.changeOf(fn), this.isActivity ? this.client() : undefined)
      this.setUser(await engine.userOf(this.record!))
      return this.user!
    })
  }

  /** The session of this request, which is a user's. */
  #ownRecord(): UserRecord {
    if (this.barred === undefined && this.verdict.hasEnded) throw sessionEnded()
    this.assertUser()
    return this.record as UserRecord
  }

  /** A binding needs https, and so a cookie that is Secure. */
  get #takesOffer(): boolean {
    return this.cookie.secure && !this.isBearer
  }

  /** Offers the browser to bind its new session to its device. */
  #offer({ offer }: Started): void {
    const { deviceBinding } = this.wiring.settings
    if (offer === undefined || deviceBinding === undefined) return
    offerBinding(this.req, this.res, this.bindingPath ?? deviceBinding.path, offer)
  }

  #lifetimeOf(given: LifetimeSetting | undefined, user: object): Promise<RecordLifetime | undefined> {
    return lifetimeOf(given, user, this.req as Request, this.wiring.settings)
  }

  /** @param cause what the application has called, where that was not `logout()`. */
  logout(cause: EventCause = 'logout'): Promise<boolean> {
    return this.#inTurn(async () => {
      const { held, hasEnded, wasLookedUp, barred } = this.verdict
      const wasThere = await this.wiring.engine.end(held, { cause, client: this.client() })
      this.#end()
      // A cookie is cleared only when its session has ended, by whomever.
      const isGone = held.length > 0 || hasEnded || (wasLookedUp && barred === undefined)
      if (!this.canSetCookie()) return wasThere
      const { settings } = this.wiring
      if (isGone && !this.isBearer) clearSessionCookie(this.res, settings, this.cookie)
      if (settings.deviceBinding !== undefined) withdrawBinding(this.res, settings.deviceBinding, held)
      return wasThere
    })
  }

  /** Changes the data atomically; may run `edit` again on newer data. The very same object writes nothing. */
  write(edit: (data: JsonObject) => JsonObject): Promise<void> {
    return this.#inTurn(async () => {
      if (this.barred !== undefined && !this.#isOutdated()) throw this.barred
      if (this.verdict.hasEnded || (this.isBearer && this.record === undefined)) throw sessionEnded()
      if (this.record === undefined) return this.#writeAsGuest(edit({}))
      await this.#change(this.record, withData(edit), this.isActivity ? this.client() : undefined)
    })
  }

  /** Moves the idle deadline now, whatever `touchInterval` and `touch` say. Nothing to do without a session. */
  extend(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.record !== undefined)
        await this.#change(this.record, (current) => ({ ...current }), this.client())
    })
  }

  /** @param client who is using the session; absent where this is no activity. */
  async #change(
    record: SessionRecord,
    edit: (record: SessionRecord) => SessionRecord,
    client: Client | undefined,
  ): Promise<void> {
    const written = await this.wiring.engine.change(record, edit, client)
    if (written === undefined) {
      this.#end()
      throw sessionEnded()
    }
    // What was written has moved the deadline. A touch of the version before would be in vain.
    if (written !== record) this.cancelTouch()
    this.verdict = { ...this.verdict, record: written }
  }

  /**
   * The same where a session is there, also for a request that comes from elsewhere: it finishes what this browser has
   * begun before it went there. Starts no session.
   */
  writeHeld(edit: (data: JsonObject) => JsonObject): Promise<void> {
    const record = this.begunHere
    if (record === undefined) return this.write(edit)
    return this.#inTurn(async () => {
      await this.wiring.engine.change(record, withData(edit), this.client(record))
    })
  }

  /**
   * Whether the cookie is an outdated one that was only reported (`onReuse`): it will never open its session again, so a
   * guest's may replace it. Otherwise this browser could not even begin a login that keeps its state in the session.
   */
  #isOutdated(): boolean {
    return this.barred?.code === 'SECRET_REUSED' && this.wiring.settings.onReuse === 'report'
  }

  async #writeAsGuest(data: JsonObject): Promise<void> {
    if (Object.keys(data).length === 0) return
    // The guest's cookie would replace a login that this client was refused, or one of several.
    if (this.holdsLogin) throw sessionRefused()
    this.#assertCanSetCookie()
    if (this.takesBearer) throw bearerRefused()
    this.#assertFromOurPages()
    // A guest that this client was refused is still this browser's to end.
    const alsoHeld = this.verdict.held
    await this.#begin(await this.wiring.engine.startGuest(data, this.client()), alsoHeld)
  }

  /** Takes on a session that was just stored, and gives its token to the browser. */
  async #begin({ record, token }: Started, alsoHeld: readonly SessionRecord[] = []): Promise<void> {
    if (!this.canSetCookie()) {
      // The headers left while the session was being stored. A session whose token nobody gets must not stay. What was
      // there before has ended in any case.
      this.#end()
      await this.wiring.engine.end([record], { cause: 'undelivered', client: this.client() })
      throw headersSent()
    }
    const { wasLookedUp, held, hasEnded, barred } = this.verdict
    const replacesUnknown = wasLookedUp && held.length === 0 && !hasEnded && barred === undefined
    if (replacesUnknown && !this.isProduction && !this.isBearer)
      warnOfSharedCookie(this.req, this.cookie.name)
    this.cancelTouch()
    this.verdict = { ...nobody, record, held: [record, ...alsoHeld] }
    this.send(token, record)
  }

  #end(): void {
    if (this.isBearer) withdrawBearer(this)
    const { hasEnded, held, reason } = this.verdict
    const isOver = hasEnded || held.length > 0
    this.cancelTouch()
    this.verdict = { ...nobody, hasEnded: isOver, reason: isOver ? 'ended' : reason }
    this.setUser(undefined)
  }

  /** From here on the token travels in the body and in `Authorization`. A response never has it beside a cookie. */
  #leaveCookie(): void {
    if (carriesCookie(this.req, this.cookie)) throw bearerRefused()
    this.cookie = withoutCookie(this.cookie)
  }

  /** One change after the other, so that two writes of one request can't start two guests. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const guarded = async () => {
      this.assertKnown()
      return task()
    }
    const done = this.#changes === undefined ? guarded() : this.#changes.then(guarded)
    this.#changes = done.catch(() => undefined)
    return done
  }

  #assertCanSetCookie(): void {
    if (!this.canSetCookie()) throw headersSent()
  }

  /**
   * Browsers do not send a Lax cookie with a form of another site, so such a request looks like a stranger's. But
   * they take a cookie from the response: a guest started here would replace the visitor's login.
   */
  #assertFromOurPages(action?: Action): void {
    const refusal = this.refusalOf(action)
    if (refusal !== undefined) throw refusal
  }
}

/** A change of the data as a change of the record. The very same data is the very same record. */
function withData(edit: (data: JsonObject) => JsonObject) {
  return (record: SessionRecord): SessionRecord => {
    const data = edit(record.data)
    return data === record.data ? record : { ...record, data }
  }
}
