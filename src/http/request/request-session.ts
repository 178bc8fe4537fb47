import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Client } from '../../core/client/client.js'
import type { Started } from '../../core/sessions.js'
import { SessionError } from '../../errors.js'
import type { JsonObject, SessionInfo, SessionRecord } from '../../record.js'
import type { CookieChoice } from '../cookie/cookie.js'
import { isSafeMethod } from './fetch-metadata.js'
import type { Identity } from '../identify.js'
import type { Sessions } from '../create-sessions.js'
import { checkOrigin } from '../origin/origin.js'
import { clientOf } from './client-of.js'
import { namesToKeep } from './keep.js'
import { clearSessionCookie, sendSessionCookie } from '../cookie/send.js'
import { SessionData } from './session-data.js'
import type { KeepOptions, RequestSession } from './session-of.js'

/** The session of one request: what `sessionOf(req)` answers. Starts as a stranger's. */
export class BoundSession extends SessionData implements RequestSession {
  user: Express.User | undefined = undefined
  /** Why nothing is known about this request, where reads go on without a user. */
  failure: unknown = undefined
  #record: SessionRecord | undefined = undefined
  #held: readonly SessionRecord[] = []
  #isEnded = false
  #queue: Promise<unknown> | undefined = undefined

  constructor(
    readonly sessions: Sessions,
    /** The one cookie name that this request reads and writes. */
    readonly cookie: CookieChoice,
    private readonly req: IncomingMessage & { user?: Express.User | undefined },
    private readonly res: ServerResponse,
  ) {
    super()
  }

  get id(): string | undefined {
    return this.#record?.id
  }

  /** Whether a login, of any kind, is there for a logout to end. */
  get holdsLogin(): boolean {
    return this.#held.some(({ userId }) => userId !== undefined)
  }

  /** Takes on what the cookies said. */
  identified({ record, user, held, hasEnded }: Identity): void {
    this.#record = record
    this.#held = held
    this.#isEnded = hasEnded
    if (user !== undefined) this.#setUser(user)
  }

  login(user: object, options?: KeepOptions): Promise<SessionInfo> {
    return this.#inTurn(async () => {
      const names = namesToKeep(options)
      this.#assertHeadersUnsent()
      // Data crosses from the guest that this client is: never from a session that it was refused.
      const keep = this.#record === undefined ? [] : names
      const started = await this.sessions.login(user, this.#client, this.#held, keep)
      await this.#begin(started)
      // With loadUser nothing but the id was kept; the user just proven is the user of this request.
      this.#setUser(this.sessions.settings.loadUser ? user : this.sessions.userOf(started.record))
      return this.sessions.infoOf(started.record, started.record.id)
    })
  }

  logout(): Promise<boolean> {
    return this.#inTurn(async () => {
      const wasThere = await this.sessions.logout(this.#held)
      this.#end()
      if (!this.res.headersSent) clearSessionCookie(this.res, this.sessions.settings, this.cookie)
      return wasThere
    })
  }

  async list(): Promise<SessionInfo[]> {
    this.#assertKnown()
    const userId = this.#record?.userId
    return userId === undefined ? [] : this.sessions.list(userId, this.id)
  }

  async revoke(sessionId: string): Promise<boolean> {
    if (sessionId === this.id) return this.logout()
    const own = await this.list()
    return own.some(({ id }) => id === sessionId) && this.sessions.revoke(sessionId)
  }

  async revokeOthers(): Promise<number> {
    this.#assertKnown()
    const userId = this.#record?.userId
    return userId === undefined ? 0 : this.sessions.revokeAll(userId, { except: this.id })
  }

  async revokeAll(): Promise<number> {
    const others = await this.revokeOthers()
    return (await this.logout()) ? others + 1 : others
  }

  protected get data(): JsonObject | undefined {
    return this.#record?.data
  }

  protected write(edit: (data: JsonObject) => JsonObject): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#isEnded) throw sessionEnded()
      if (this.#record === undefined) return this.#writeAsGuest(edit({}))
      const written = await this.sessions.changeData(this.#record, edit, this.#client)
      if (written === undefined) {
        this.#end()
        throw sessionEnded()
      }
      this.#record = written
    })
  }

  async #writeAsGuest(data: JsonObject): Promise<void> {
    if (Object.keys(data).length === 0) return
    this.#assertHeadersUnsent()
    this.#assertFromOurPages()
    // A login that this client was refused, or one of several, is still this browser's to end.
    const alsoHeld = this.#held
    await this.#begin(await this.sessions.startGuest(data, this.#client), alsoHeld)
  }

  /** Takes on a session that was just stored, and gives its token to the browser. */
  async #begin({ record, token }: Started, alsoHeld: readonly SessionRecord[] = []): Promise<void> {
    if (this.res.headersSent) {
      // They went out while the store was at it. A session whose token nobody gets must not stay.
      await this.sessions.logout([record])
      this.#end()
      throw headersSent()
    }
    this.#record = record
    this.#held = [record, ...alsoHeld]
    this.#isEnded = false
    sendSessionCookie(this.req, this.res, this.sessions.settings, this.cookie, token, record)
  }

  #end(): void {
    this.#isEnded = this.#isEnded || this.#held.length > 0
    this.#record = undefined
    this.#held = []
    // Another package may have put its own user there: that one stays.
    if (this.req.user === this.user) this.req.user = undefined
    this.user = undefined
  }

  #setUser(user: unknown): void {
    this.user = user as Express.User
    this.req.user = this.user
  }

  /** One change after the other, so that two writes of one request can't start two guests. */
  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const guarded = async () => {
      this.#assertKnown()
      return task()
    }
    const done = this.#queue === undefined ? guarded() : this.#queue.then(guarded)
    this.#queue = done.catch(() => undefined)
    return done
  }

  get #client(): Client {
    return clientOf(this.req)
  }

  /** The store failed at the lookup: whose session this is can't be known, so nothing may be done to it. */
  #assertKnown(): void {
    if (this.failure !== undefined) throw this.failure
  }

  #assertHeadersUnsent(): void {
    if (this.res.headersSent) throw headersSent()
  }

  /**
   * To a form of another site the browser lends no Lax cookie, so its request looks like a stranger's. But it
   * takes a cookie from the answer: a guest started here would replace the visitor's login.
   */
  #assertFromOurPages(): void {
    if (isSafeMethod(this.req.method)) return
    const refusal = checkOrigin(this.req, this.sessions.settings.trustedOrigins)
    if (refusal !== undefined) throw refusal
  }
}

function sessionEnded(): SessionError {
  return new SessionError(
    'SESSION_ENDED',
    'This session has ended (logout, revocation or expiry), so nothing can be written to it. Log in again first.',
  )
}

function headersSent(): SessionError {
  return new SessionError(
    'HEADERS_SENT',
    'This needs a new cookie, and the response headers have been sent. Await it before the response begins.',
  )
}
