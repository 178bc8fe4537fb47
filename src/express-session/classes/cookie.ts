import { stringifySetCookie, type SetCookie } from 'cookie'

/** The attributes of a session's cookie, as `req.session.cookie` and a store keep them. */
export interface CookieData {
  originalMaxAge: number | null
  expires?: Date | string | null | undefined
  secure?: boolean | undefined
  httpOnly?: boolean | undefined
  domain?: string | undefined
  path?: string | undefined
  sameSite?: boolean | 'lax' | 'strict' | 'none' | undefined
  priority?: 'low' | 'medium' | 'high' | undefined
  partitioned?: boolean | undefined
  /** When the session began and was last seen; kept only where a timeout of ours needs it (`Times`). */
  times?: Times | undefined
}

/**
 * What a timeout needs to know of a session in a store of express-session. It lies in the cookie, which express-session
 * itself reads and drops: a rollback finds nothing that it does not know.
 */
export interface Times {
  readonly createdAt: number
  readonly seenAt: number
}

/** What `new Cookie()` takes: the attributes, with `maxAge` in milliseconds. */
export type CookieInput = Partial<Omit<CookieData, 'expires'>> & {
  readonly expires?: unknown
  readonly maxAge?: unknown
}

/** The cookie of a session: `req.session.cookie`. Setting `maxAge` sets `expires`, and reading it says what is left. */
export class Cookie implements CookieData {
  path: string | undefined = '/'
  httpOnly: boolean | undefined = true
  originalMaxAge: number | null = null
  declare secure?: boolean
  declare domain?: string
  declare sameSite?: CookieData['sameSite']
  declare priority?: CookieData['priority']
  declare partitioned?: boolean
  declare times?: Times
  _expires: Date | string | null | undefined = null

  constructor(options?: CookieInput) {
    if (!options) return
    if (typeof options !== 'object') throw new TypeError('argument options must be a object')
    // `data` and `serialize` are no attributes: a Cookie of express-session has them where a loop finds them.
    for (const name in options) {
      if (name !== 'data' && name !== 'serialize' && name !== 'toJSON')
        Reflect.set(this, name, Reflect.get(options, name))
    }
    if (this.originalMaxAge === undefined || this.originalMaxAge === null) this.originalMaxAge = this.#left()
  }

  get expires(): Date | string | null | undefined {
    return this._expires
  }

  set expires(date: Date | string | null | undefined) {
    this._expires = date
    this.originalMaxAge = this.#left()
  }

  /** Milliseconds until it expires; `null` for a cookie that lives as long as its browser. */
  get maxAge(): number | null {
    return this.#left()
  }

  set maxAge(ms: number | Date | null | undefined) {
    if (ms && typeof ms !== 'number' && !(ms instanceof Date)) {
      throw new TypeError('maxAge must be a number or Date')
    }
    this.expires = typeof ms === 'number' ? new Date(Date.now() + ms) : ms
    // The clock may have moved on since: each touch would make it shorter.
    if (typeof ms === 'number') this.originalMaxAge = ms
  }

  /** What a store keeps of it. */
  get data(): CookieData {
    const { originalMaxAge, partitioned, priority, _expires, secure, httpOnly, domain, path, sameSite } = this
    const data = {
      originalMaxAge,
      partitioned,
      priority,
      expires: _expires,
      secure,
      httpOnly,
      domain,
      path,
      sameSite,
    }
    return this.times === undefined ? data : { ...data, times: this.times }
  }

  /** The line of a `Set-Cookie` header. */
  serialize(name: string, value: string): string {
    const { expires, secure, httpOnly, domain, path, sameSite, priority, partitioned } = this.data
    if (expires && !Number.isFinite((expires as Date).valueOf()))
      throw new TypeError('option expires is invalid')
    const attributes: SetCookie = { name, value }
    if (expires) attributes.expires = expires as Date
    if (domain) attributes.domain = domain
    if (path) attributes.path = path
    if (priority) attributes.priority = priority
    if (sameSite) attributes.sameSite = sameSite
    Object.assign(attributes, {
      secure: secure === true,
      httpOnly: Boolean(httpOnly),
      partitioned: Boolean(partitioned),
    })
    return stringifySetCookie(attributes)
  }

  toJSON(): CookieData {
    return this.data
  }

  #left(): number | null {
    return this._expires instanceof Date
      ? this._expires.valueOf() - Date.now()
      : ((this._expires ?? null) as null)
  }
}
