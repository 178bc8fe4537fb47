import { formOf, type CookieForm } from './form.js'
import { invalid } from '../../lib/options/invalid.js'
import { boolean, oneOf, text } from '../../lib/options/option-kinds.js'
import { ofGroup, readOptions, type Option, type Values } from '../../lib/options/options.js'

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
  /** `'bearer'` where the token of this request travels in `Authorization`, and no cookie is written. */
  readonly via?: 'bearer' | undefined
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
  /** Absent where the value is the token itself. */
  readonly form?: CookieForm | undefined
}

// RFC 9110 §5.6.2.
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/

const domainShape =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i

// RFC 6265bis §4.1.1, within what the serializer takes; §5.6 lets browsers drop an attribute of more than 1024.
const pathShape = /^\/[ -:=-~]{0,1023}$/

/** The options of the cookie. The table in the README is tested against this one. */
export const cookieOptions = {
  name: {
    kind: text(
      (name) => token.test(name),
      "at least one of letters, digits and !#$%&'*+-.^_`|~, and nothing else",
    ),
    defaultText: '`__Host-sid`, or `sid` without Secure',
    doc: 'used exactly as given',
  },
  secure: {
    kind: boolean(),
    defaultText: 'as the request; `true` in production',
    doc: "implied by sameSite: 'none', partitioned and a name with __Host- or __Secure-",
  },
  sameSite: {
    kind: oneOf('lax', 'strict', 'none'),
    default: 'lax',
    doc: 'whether pages of other sites make the browser send the cookie',
  },
  domain: {
    kind: text(
      (domain) => domainShape.test(domain),
      'a bare domain such as example.com, without scheme, port or a dot at either end. Subdomains are always ' +
        'included; names in other scripts are written in punycode',
    ),
    defaultText: 'our host alone',
    doc: 'also sends the cookie to all subdomains',
  },
  path: {
    kind: text(
      (path) => pathShape.test(path),
      'a path that begins with "/", written as in a URL, without ";" or "<", at most 1024 characters',
    ),
    default: '/',
    doc: 'sends the cookie to this path and those below it',
  },
  priority: {
    kind: oneOf('low', 'medium', 'high'),
    defaultText: "the browser's own",
    doc: 'what Chromium drops last when it holds too many cookies of one site',
  },
  partitioned: { kind: boolean(), default: false, doc: 'one cookie for each site that embeds ours (CHIPS)' },
  persistent: { kind: boolean(), default: true, doc: "whether the login outlives the browser's window" },
} as const satisfies Record<keyof CookieOptions, Option<unknown>>

/** Names that other packages have, and where the same thing is set here. */
const elsewhere: Record<string, string> = {
  maxAge: 'set how long logins live with absoluteTimeout and idleTimeout',
  expires: 'set how long logins live with absoluteTimeout and idleTimeout',
  httpOnly: 'the cookie is always HttpOnly, so that no script can read it',
}

const owner = { ...ofGroup('cookie', "{ sameSite: 'strict' }"), elsewhere }

type Given = Values<typeof cookieOptions>

/**
 * Checks the cookie options, once, at the start.
 *
 * @param production Whether every browser that matters comes over HTTPS.
 * @throws SessionError `OPTION_INVALID` naming the option, with the fix.
 * @example resolveCookie({ sameSite: 'strict' }, true).onSecureRequest.name // '__Host-sid'
 */
export function resolveCookie(options: CookieOptions | undefined, production: boolean): CookieSettings {
  const given = readOptions(options === undefined ? {} : options, owner, cookieOptions)
  checkHostPrefix(given)
  const demand = demandOf(given)
  if (demand !== undefined && given.secure === false) {
    throw invalid(
      `cookie.secure can't be false with ${demand}: browsers refuse that. Leave cookie.secure out.`,
    )
  }
  const isSecureEverywhere = given.secure ?? (production || demand !== undefined)
  const { sameSite, domain, path, priority, partitioned, persistent } = given
  return {
    byRequest: given.secure === undefined && !isSecureEverywhere,
    onSecureRequest: choose(given, given.secure ?? true),
    onPlainRequest: choose(given, isSecureEverywhere),
    sameSite,
    domain,
    path,
    priority,
    partitioned,
    persistent,
    form: formOf(options),
  }
}

function choose({ name, domain, path }: Given, secure: boolean): CookieChoice {
  if (name !== undefined) return { name, secure }
  if (!secure) return { name: 'sid', secure }
  return { name: isHostOnly(domain, path) ? '__Host-sid' : '__Secure-sid', secure }
}

function isHostOnly(domain: string | undefined, path: string): boolean {
  return domain === undefined && path === '/'
}

/** What makes browsers refuse the cookie unless it is Secure. */
function demandOf({ name, sameSite, partitioned }: Given): string | undefined {
  if (name !== undefined && securePrefix.test(name)) return `the name ${name}`
  if (sameSite === 'none') return `sameSite 'none'`
  return partitioned ? 'partitioned' : undefined
}

// RFC 6265bis §5.7 compares them without regard to case; `__Http-` is younger and asks for HttpOnly too.
const securePrefix = /^__(?:host|secure|http)-/i
const hostPrefix = /^__host-/i

function checkHostPrefix({ name, domain, path }: Given): void {
  if (name === undefined || !hostPrefix.test(name) || isHostOnly(domain, path)) return
  throw invalid(
    `cookie.name ${name} can't have a domain or a path other than "/": browsers refuse that. ` +
      `Leave them out, or begin the name with __Secure-.`,
  )
}
