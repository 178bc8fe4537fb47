import { unknownNames } from '../../lib/did-you-mean.js'
import { SessionError } from '../../errors.js'

/**
 * The session cookie. The defaults are the safest that work (RFC 6265bis); what browsers would ignore or refuse
 * is refused at the start. `HttpOnly` is always set, and lifetimes come from `absoluteTimeout`.
 */
export interface CookieOptions {
  /**
   * The cookie's name, used as given. Default: `__Host-sid`, or `__Secure-sid` with a `domain` or a `path`;
   * `sid` where the cookie is not Secure.
   */
  readonly name?: string | undefined
  /**
   * Whether the cookie is sent over HTTPS only. Default: always in production and wherever something else here
   * demands it (a name with a prefix, `sameSite: 'none'`, `partitioned`), else on secure requests.
   */
  readonly secure?: boolean | undefined
  /** Whether pages of other sites make the browser send the cookie. Default `'lax'`: only by links to us. */
  readonly sameSite?: 'lax' | 'strict' | 'none' | undefined
  /** Sends the cookie to this domain and all below it, such as `example.com`. Default: to our host alone. */
  readonly domain?: string | undefined
  /** Sends the cookie to this path and those below it. No protection against other paths. Default `/`. */
  readonly path?: string | undefined
  /** What Chromium drops last when it holds too many cookies of one site. Default: its own, medium. */
  readonly priority?: 'low' | 'medium' | 'high' | undefined
  /** One cookie for each site that embeds ours (CHIPS). Default false. */
  readonly partitioned?: boolean | undefined
  /** Whether the login outlives the browser's window. Default true. */
  readonly persistent?: boolean | undefined
}

/** The one name that a request reads and writes, and whether it is written with `Secure`. */
export interface CookieChoice {
  readonly name: string
  readonly secure: boolean
}

/** The cookie options, checked and decided. */
export interface CookieSettings {
  /** Whether the two choices differ: only then must a request be asked whether it is secure. */
  readonly byRequest: boolean
  readonly onSecureRequest: CookieChoice
  readonly onPlainRequest: CookieChoice
  readonly sameSite: 'lax' | 'strict' | 'none'
  readonly domain: string | undefined
  readonly path: string
  readonly priority: 'low' | 'medium' | 'high' | undefined
  readonly partitioned: boolean
  readonly persistent: boolean
}

/**
 * Checks the cookie options, once, at the start.
 *
 * @param production Whether every browser that matters comes over HTTPS.
 * @throws SessionError `OPTION_INVALID` naming the option, with the fix.
 */
export function resolveCookie(options: CookieOptions | undefined, production: boolean): CookieSettings {
  const given = checkedTypes(options ?? {})
  checkName(given)
  checkDomain(given.domain)
  checkPath(given.path)
  const demand = demandOf(given)
  if (demand !== undefined && given.secure === false) {
    throw invalid('secure', `can't be false with ${demand}: browsers refuse that. Leave cookie.secure out.`)
  }
  const isSecureEverywhere = given.secure ?? (production || demand !== undefined)
  return {
    byRequest: given.secure === undefined && !isSecureEverywhere,
    onSecureRequest: choose(given, given.secure ?? true),
    onPlainRequest: choose(given, isSecureEverywhere),
    sameSite: given.sameSite ?? 'lax',
    domain: given.domain,
    path: given.path ?? '/',
    priority: given.priority,
    partitioned: given.partitioned ?? false,
    persistent: given.persistent ?? true,
  }
}

function choose({ name, domain, path }: CookieOptions, secure: boolean): CookieChoice {
  if (name !== undefined) return { name, secure }
  if (!secure) return { name: 'sid', secure }
  return { name: isHostOnly(domain, path) ? '__Host-sid' : '__Secure-sid', secure }
}

function isHostOnly(domain: string | undefined, path: string | undefined): boolean {
  return domain === undefined && (path === undefined || path === '/')
}

/** What makes browsers refuse the cookie unless it is Secure. */
function demandOf({ name, sameSite, partitioned }: CookieOptions): string | undefined {
  if (name !== undefined && securePrefix.test(name)) return `the name ${name}`
  if (sameSite === 'none') return `sameSite 'none'`
  return partitioned ? 'partitioned' : undefined
}

// RFC 6265bis §5.7 compares them without regard to case; `__Http-` is younger and asks for HttpOnly too.
const securePrefix = /^__(?:host|secure|http)-/i
const hostPrefix = /^__host-/i

// RFC 9110 §5.6.2.
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

function checkName({ name, domain, path }: CookieOptions): void {
  if (name === undefined) return
  if (!token.test(name)) {
    throw invalid('name', `is ${show(name)}: use letters, digits and !#$%&'*+-.^_\`|~ only, at least one.`)
  }
  if (hostPrefix.test(name) && !isHostOnly(domain, path)) {
    throw invalid(
      'name',
      `${name} can't have a domain or a path other than "/": browsers refuse that. ` +
        `Leave them out, or begin the name with __Secure-.`,
    )
  }
}

const domainShape =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i

function checkDomain(domain: string | undefined): void {
  if (domain === undefined || domainShape.test(domain)) return
  throw invalid(
    'domain',
    `is ${show(domain)}: write a bare domain such as example.com, without scheme, port or a dot at either end. ` +
      `Subdomains are always included; names in other scripts are written in punycode.`,
  )
}

// RFC 6265bis §4.1.1, within what the serializer takes; §5.6 lets browsers drop an attribute of more than 1024.
const pathShape = /^\/[ -:=-~]{0,1023}$/

function checkPath(path: string | undefined): void {
  if (path === undefined || pathShape.test(path)) return
  throw invalid(
    'path',
    `is ${show(path)}: begin it with "/" and write it as in a URL, without ";" or "<", at most 1024 characters.`,
  )
}

const types: Record<keyof CookieOptions, 'string' | 'boolean' | readonly string[]> = {
  name: 'string',
  secure: 'boolean',
  sameSite: ['lax', 'strict', 'none'],
  domain: 'string',
  path: 'string',
  priority: ['low', 'medium', 'high'],
  partitioned: 'boolean',
  persistent: 'boolean',
}

/** What is set elsewhere, for those who come from other packages. */
const elsewhere: Record<string, string> = {
  maxAge: 'is not here: set how long logins live with absoluteTimeout and idleTimeout.',
  expires: 'is not here: set how long logins live with absoluteTimeout and idleTimeout.',
  httpOnly: 'can not be chosen: the cookie is always HttpOnly, so that no script can read it.',
}

function checkedTypes(options: CookieOptions): CookieOptions {
  if (typeof options !== 'object' || Array.isArray(options)) {
    throw new SessionError('OPTION_INVALID', `cookie must be an object, such as { sameSite: 'strict' }.`)
  }
  for (const [name, fix] of Object.entries(elsewhere)) if (name in options) throw invalid(name, fix)
  unknownNames(options, Object.keys(types), 'cookie')
  for (const [name, type] of Object.entries(types)) {
    const value: unknown = options[name as keyof CookieOptions]
    if (value === undefined) continue
    if (typeof type === 'string' ? typeof value !== type : !type.includes(value as string)) {
      const expected = typeof type === 'string' ? `a ${type}` : `one of '${type.join(`', '`)}'`
      throw invalid(name, `is ${show(value)}: it must be ${expected}.`)
    }
  }
  return options
}

function invalid(name: string, message: string): SessionError {
  return new SessionError('OPTION_INVALID', `cookie.${name} ${message}`)
}

function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40))
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : `of type ${typeof value}`
}
