import type { IncomingMessage } from 'node:http'
import { cleanText } from '../../lib/clean-text.js'
import { SessionError } from '../../errors.js'
import { parseUrl } from '../../lib/parse-url.js'
import { dropDefaultPort, parseOrigin } from './web-origin.js'

/** What decides whether a request came from one of our own pages. */
export interface OriginQuestion {
  readonly secFetchSite: string | undefined
  readonly origin: string | undefined
  /** Our host as the browser addressed it, with its port where it is not the default one. */
  readonly host: string | undefined
  readonly trustedOrigins: ReadonlySet<string>
}

/**
 * Whether a request comes from a page of another origin. The rule is that of Go's `http.CrossOriginProtection`:
 * every browser since 2023 says in `Sec-Fetch-Site` where a request comes from, and pages can't forge it; older
 * ones send `Origin` with what changes state. A request with neither comes from our own page or from no browser.
 *
 * Whether the method changes state is for the caller to ask.
 */
export function isCrossOrigin(question: OriginQuestion): boolean {
  const { secFetchSite, origin } = question
  if (secFetchSite) {
    return secFetchSite !== 'same-origin' && secFetchSite !== 'none' && !isTrusted(question)
  }
  return Boolean(origin) && !isOurHost(question) && !isTrusted(question)
}

/**
 * Hosts are compared, schemes are not: behind a proxy that ends TLS we can't know for certain which scheme the
 * browser sees. What that leaves open, a page on http:// posting to https:// of the same host from a browser
 * older than 2023, is for Strict-Transport-Security to close.
 */
function isOurHost({ origin, host }: OriginQuestion): boolean {
  const parsed = parseOrigin(origin)
  return parsed !== undefined && host !== undefined && parsed.host === dropDefaultPort(parsed.scheme, host)
}

function isTrusted({ origin, trustedOrigins }: OriginQuestion): boolean {
  if (trustedOrigins.size === 0) return false
  const parsed = parseOrigin(origin)
  return parsed !== undefined && trustedOrigins.has(`${parsed.scheme}://${parsed.host}`)
}

/**
 * The option `trustedOrigins`, checked: `['https://app.example', 'http://localhost:5173']`. Each is what the
 * browser sends as `Origin`, scheme, host and port, with no pattern in it: `null` and `*` would trust anyone.
 *
 * @throws SessionError `OPTION_INVALID` naming the entry.
 */
export function parseTrustedOrigins(value: unknown): ReadonlySet<string> {
  if (value === undefined) return new Set()
  if (!Array.isArray(value))
    throw invalid(`trustedOrigins must be an array, such as ['https://app.example'].`)
  return new Set(value.map(parseTrustedOrigin))
}

function parseTrustedOrigin(entry: unknown): string {
  const url = typeof entry === 'string' && parseOrigin(entry) ? parseUrl(entry) : undefined
  // As browsers write it: lower case, no default port, punycode.
  if (url !== undefined) return url.origin
  throw invalid(
    `trustedOrigins holds ${show(entry)}, which is not one origin. Write it as the browser sends it, ` +
      `scheme, host and port with no path and no slash at its end: 'https://app.example' or ` +
      `'http://localhost:5173'. Patterns and null can't be trusted; name each origin.`,
  )
}

function invalid(message: string): SessionError {
  return new SessionError('OPTION_INVALID', message)
}

/** The check as the request handlers use it: the error to answer with, `undefined` where all is well. */
export function checkOrigin(
  req: IncomingMessage,
  trustedOrigins: ReadonlySet<string>,
): SessionError | undefined {
  const question: OriginQuestion = {
    secFetchSite: oneText(req.headers['sec-fetch-site']),
    origin: oneText(req.headers.origin),
    host: hostOf(req),
    trustedOrigins,
  }
  if (!isCrossOrigin(question)) return undefined
  return crossOriginError(question, req.method, forwardedHost(req))
}

/** What Express adds to a request that this module reads. */
interface WithApp {
  readonly app?: {
    get(name: 'trust proxy fn'): ((address: string | undefined, hop: number) => boolean) | undefined
  }
}

/**
 * Our host and port as the browser addressed them: `X-Forwarded-Host` where the app's `trust proxy` trusts
 * whoever connected to us, else `:authority` (HTTP/2), else `Host`.
 */
export function hostOf(req: IncomingMessage): string | undefined {
  const forwarded = forwardedHost(req)
  if (forwarded !== undefined && trustsProxy(req)) return forwarded
  return oneText(req.headers[':authority']) ?? req.headers.host
}

function trustsProxy(req: IncomingMessage & WithApp): boolean {
  return Boolean(req.app?.get('trust proxy fn')?.(req.socket.remoteAddress, 0))
}

/** The first of the hosts, which is the one nearest to the browser. */
function forwardedHost(req: IncomingMessage): string | undefined {
  return oneText(req.headers['x-forwarded-host'])?.split(',', 1)[0]?.trim() || undefined
}

/** Node joins repeated headers with a comma; some of its types and servers allow a list. */
function oneText(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header
}

/**
 * The refusal, in words that say what was seen and what opens it.
 *
 * @param forwarded What `X-Forwarded-Host` said, trusted or not.
 */
export function crossOriginError(
  question: OriginQuestion,
  method: string | undefined,
  forwarded?: string,
): SessionError {
  const { secFetchSite, origin, host } = question
  return new SessionError(
    'CROSS_ORIGIN',
    `${show(method)} was refused, as it does not come from a page of this host. Seen: Origin ${show(origin)}, ` +
      `Sec-Fetch-Site ${show(secFetchSite)}, our host ${show(host)}. ${fix(question, forwarded)}`,
  )
}

function fix(question: OriginQuestion, forwarded: string | undefined): string {
  const { origin } = question
  if (forwarded !== undefined && !isCrossOrigin({ ...question, host: forwarded })) {
    return (
      `X-Forwarded-Host ${show(forwarded)} would match, but the proxy that sent it is not trusted: ` +
      `set 'trust proxy' in the Express app. A WebSocket handshake does not pass through the app: for that, ` +
      `say authenticateUpgrade(sessions, req, { app }).`
    )
  }
  if (origin === 'null') {
    return (
      `Browsers send the Origin null from sandboxed frames and from pages with Referrer-Policy: no-referrer, ` +
      `which is helmet's default. If the page is yours, serve it with Referrer-Policy: same-origin.`
    )
  }
  if (parseOrigin(origin) === undefined) {
    return (
      `Only a request with one Origin can be opened by the option trustedOrigins. If this is a callback that ` +
      `verifies its own state, as in OAuth, say login(authenticate, { crossSite: true }).`
    )
  }
  return `If the page is yours, add its origin to the option trustedOrigins.`
}

/** What a stranger sent, short and on one line: it goes into an error, and from there into logs. */
function show(value: unknown): string {
  if (typeof value !== 'string') return value === undefined ? 'absent' : `of type ${typeof value}`
  return JSON.stringify(cleanText(value, 100))
}
