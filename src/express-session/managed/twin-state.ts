import { SessionState } from '../../http/request/session-state.js'
import type { CookieChoice } from '../../http/cookie/options.js'
import type { Wiring } from '../../http/wiring.js'
import type { JsonObject, SessionInfo, SessionRecord } from '../../record.js'
import type { Visiting } from '../keeping/keeping.js'
import { storedOf } from './records.js'
import { cleanUserAgent } from '../../core/client/user-agent.js'
import type { Client } from '../../core/client/client.js'
import type { CookieInput } from '../classes/cookie.js'

/** The session of a request for `sessionOf(req)`. What is done to it there shows in `req.session`. */
export class TwinState extends SessionState {
  #token: string | undefined
  readonly #visit: Visiting
  readonly #cookie: CookieInput

  constructor(wiring: Wiring, choice: CookieChoice, visit: Visiting, cookie: CookieInput) {
    super(wiring, choice, visit.req, visit.res)
    this.#visit = visit
    this.#cookie = cookie
    // `req.user` is passport's, or the application's own. A user that was deleted there must not be one here.
    this.release()
  }

  override client(known?: Client): Client {
    const { req } = this.#visit
    if ((req.socket as unknown) !== undefined) return super.client(known)
    return known ?? { userAgent: cleanUserAgent(req.headers['user-agent']), ip: '' }
  }

  protected override send(token: string, record: SessionRecord): void {
    this.#token = token
    this.#visit.sent(token)
    super.send(token, record)
  }

  override async login(...args: Parameters<SessionState['login']>): Promise<SessionInfo> {
    const info = await super.login(...args)
    ;(this.#visit.req as { user?: unknown }).user = this.user
    this.#adopt()
    return info
  }

  override async succeed(...args: Parameters<SessionState['succeed']>): Promise<SessionInfo> {
    const info = await super.succeed(...args)
    this.#adopt(true)
    return info
  }

  override async logout(): Promise<boolean> {
    const wasThere = await super.logout()
    delete this.#visit.req.session
    this.#visit.dropped()
    return wasThere
  }

  override async write(edit: (data: JsonObject) => JsonObject): Promise<void> {
    const { record: before } = this
    await super.write(edit)
    const { record } = this
    if (record === undefined || record === before) return
    if (before?.id === record.id) this.#visit.rebase(record)
    else this.#adopt()
  }

  /** A session has just begun: it is that of `req.session`, too. */
  #adopt(isSuccessor = false): void {
    const { record } = this
    if (record === undefined || this.#token === undefined) return
    this.#visit.adopt(this.#token, storedOf(record, this.#token, this.#cookie), true, isSuccessor)
  }
}
