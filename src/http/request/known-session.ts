import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Client } from '../../core/client/client.js'
import { reasonOfFailure, withoutUser, type AnonymousReason } from '../../core/reason.js'
import { asStranger, nobody, type DeviceSigns, type Verdict } from '../../core/verdict.js'
import type { SessionError } from '../../errors.js'
import type { SessionRecord } from '../../record.js'
import { carriesCookie } from '../bearer/carrier.js'
import { issueBearer } from '../bearer/issued.js'
import { asksForBearer } from '../bearer/token.js'
import { deviceSigns } from '../binding/headers.js'
import type { CookieChoice } from '../cookie/options.js'
import { sendSessionCookie } from '../cookie/send.js'
import { refusalOf, type Action } from '../origin/refusal.js'
import type { Wiring } from '../wiring.js'
import { isActivity, type IsActivity } from './activity.js'
import { canRespond } from './can-respond.js'
import { clientOf } from './client-of.js'
import { unauthenticated } from './errors.js'
import { isHandshake, isPageOrFetch } from './fetch-metadata.js'
import { PendingTouch } from './pending-touch.js'
import { warnOfRefusedClient } from './warnings.js'
import { whyNotLookedUp } from './why.js'

/**
 * What is known of the session of one request. It is a stranger's at first, and takes on the verdict of the engine.
 * `SessionState` adds what a request can do to its session.
 */
export class KnownSession {
  protected verdict: Verdict = nobody
  #user: Express.User | undefined = undefined
  #failure: unknown = undefined
  #isReleased = false
  #isFromElsewhere = false
  /** The session that a request from elsewhere may not use. */
  protected begunHere: SessionRecord | undefined = undefined
  /** The touch of this request, where one was due. */
  #touch: PendingTouch | undefined = undefined
  /** Whether this request moves the idle deadline of its session (`touch`). */
  protected isActivity = true
  /** Where browsers bind their sessions, as seen from the root of the app; absent where they can't. */
  bindingPath: string | undefined = undefined

  constructor(
    readonly wiring: Wiring,
    /** The one cookie name that this request reads and writes, and whether its token travels elsewhere. */
    public cookie: CookieChoice,
    protected readonly req: IncomingMessage & { user?: Express.User | undefined },
    protected readonly res: ServerResponse,
  ) {}

  get record(): SessionRecord | undefined {
    return this.verdict.record
  }

  get user(): Express.User | undefined {
    return this.#user
  }

  /** Who acts as the user of this request. */
  get actor(): Express.User | undefined {
    return this.verdict.actor as Express.User | undefined
  }

  /** Why nothing is known about this request, where reads go on without a user. */
  get failure(): unknown {
    return this.#failure
  }

  /** Why a session that is there is not this request's to use. */
  get barred(): SessionError | undefined {
    return this.verdict.barred
  }

  /** Why there is no user; `undefined` where there is one. Put together when it is asked for. */
  get reason(): AnonymousReason | undefined {
    if (this.#user !== undefined) return undefined
    if (this.#failure !== undefined) return reasonOfFailure(this.#failure)
    const { record, reason } = this.verdict
    if (record !== undefined) return withoutUser(record)
    return reason ?? whyNotLookedUp(this.req.headers.cookie, this.cookie.name)
  }

  /** Whether a login, of any kind, is there for a logout to end. */
  get holdsLogin(): boolean {
    return this.verdict.held.some(({ userId }) => userId !== undefined)
  }

  /** Whether the token of this request travels in `Authorization`. */
  get isBearer(): boolean {
    return this.cookie.via === 'bearer'
  }

  /** Whether a login of this request gives its token in the body: its client says so, or comes with such a token. */
  get takesBearer(): boolean {
    return this.isBearer || (this.wiring.settings.bearer && asksForBearer(this.req))
  }

  /**
   * The refusal of a page of another origin. None where the client keeps its token itself, and no cookie is there: browsers
   * send neither `Authorization` nor `Session-Via` of ours for a page, and take no cookie from the response.
   */
  refusalOf(action?: Action): SessionError | undefined {
    if (this.takesBearer && !carriesCookie(this.req, this.cookie)) return undefined
    return refusalOf(this.req, this.wiring.settings.trustedOrigins, action)
  }

  /** Who makes this request. */
  client(known?: Client): Client {
    return clientOf(this.req, known)
  }

  /** Whether no login was found, and none that this request may not use: it is a stranger's, or a guest's. */
  get hasNoLogin(): boolean {
    return !this.holdsLogin && this.barred === undefined && this.#failure === undefined
  }

  /** The sessions that this browser holds. */
  get held(): readonly SessionRecord[] {
    return this.verdict.held
  }

  /** Whether the response can give the browser a new token. */
  takesToken(): boolean {
    return this.canSetCookie() && isPageOrFetch(this.req) && !this.#isFromElsewhere
  }

  /** Asks the option `touch` about this request. False where that has failed: then nothing can be done to its session. */
  asksTouch(touch: IsActivity): boolean {
    try {
      this.isActivity = isActivity(touch, this.req)
      return true
    } catch (error) {
      this.refuse(error)
      return false
    }
  }

  /** Keeps a due touch until it is known whether the route cancels it. On a socket no route does. */
  touchLater(touch: () => unknown): void {
    if (!this.isActivity) return
    if (this.canSetCookie()) this.#touch = new PendingTouch(this.res, touch)
    else touch()
  }

  /** Does the touch now, where one is due and waits. */
  async touchNow(): Promise<void> {
    await this.#touch?.run()
  }

  /** This request does not move the idle deadline. */
  cancelTouch(): void {
    this.#touch?.cancel()
  }

  /** What the request says of the device of its session. */
  deviceSigns(sessionId: string): DeviceSigns {
    return deviceSigns(this.req, this.wiring.settings.deviceBinding!, sessionId)
  }

  /** Takes on what the cookies said, and gives the browser the new token where the secret has rotated. */
  identified(verdict: Verdict): void {
    this.#failure = verdict.failure
    if (this.#isFromElsewhere) {
      this.verdict = asStranger(verdict)
      this.begunHere = verdict.record
      return
    }
    this.verdict = verdict
    if (verdict.user !== undefined) this.setUser(verdict.user)
    // Where the headers left meanwhile, the token is lost. The old one is still good.
    if (verdict.token !== undefined && this.canSetCookie()) this.send(verdict.token, verdict.record!)
    if (verdict.record === undefined && verdict.held.length === 1 && !this.isProduction) warnOfRefusedClient()
  }

  /**
   * A page of another site sent this, to a path where that is expected (`crossSitePaths`). It goes on as a stranger's. A
   * login ends what the browser holds.
   */
  comesFromElsewhere(): void {
    this.#isFromElsewhere = true
  }

  /** From here on nothing can be done to the session of this request: every change fails with this error. */
  refuse(error: unknown): void {
    this.#failure = error
  }

  /** Another manager takes over the request. Whoever is the user here is none there. */
  release(): void {
    if (this.req.user === this.#user) this.req.user = undefined
    this.#isReleased = true
  }

  /** Fails where the session of this request is not known. */
  assertKnown(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Fails where nobody is logged in, with the reason. */
  assertUser(): void {
    this.assertKnown()
    if (this.#user === undefined || this.record === undefined) throw this.barred ?? unauthenticated()
  }

  /** Who the user of this request is from now on; `undefined`: nobody. */
  protected setUser(user: unknown): void {
    // Another package may have put its own user there: that one stays.
    const isOurs = user !== undefined || this.req.user === this.#user
    this.#user = user as Express.User | undefined
    if (!this.#isReleased && isOurs) this.req.user = this.#user
  }

  protected get isProduction(): boolean {
    return this.wiring.settings.isProduction
  }

  /** Whether a cookie can still reach the browser. Express-ws gives a handshake a response that nobody sends. */
  protected canSetCookie(): boolean {
    return canRespond(this.res) && !isHandshake(this.req)
  }

  /** Gives the browser its token. The drop-in for express-session looks on. */
  protected send(token: string, record: SessionRecord): void {
    if (this.isBearer) return issueBearer(this, this.res, token)
    sendSessionCookie(this.req, this.res, this.wiring.settings, this.cookie, token, record)
  }
}
