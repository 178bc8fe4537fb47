import { isSafeMethod } from '../request/fetch-metadata.js'
import { dropDefaultPort, isWeb, parseOrigin } from './web-origin.js'

/** What decides whether a request came from one of our own pages. */
export interface OriginQuestion {
  readonly method: string | undefined
  /** Whether the request changes state whatever its method is: a login, a logout, a WebSocket handshake. */
  readonly isAction: boolean
  readonly secFetchSite: string | undefined
  readonly origin: string | undefined
  /** Our host as the browser addressed it, with its port where it is not the default one. */
  readonly host: string | undefined
  readonly trustedOrigins: ReadonlySet<string>
}

/**
 * Whether a request must be refused because a page of another origin sent it. The policy is that of Go's
 * `http.CrossOriginProtection`:
 *
 * 1. GET, HEAD and OPTIONS are allowed: they change nothing. Not so for an action, such as a login by a link.
 * 2. `Sec-Fetch-Site`, which every browser since 2023 sends and no page can forge: `same-origin` (our own page) and
 *    `none` (a typed address, a bookmark) are allowed, `same-site` and `cross-site` only from a trusted origin.
 * 3. Without it, `Origin`, which older browsers send with what changes state: our own host is allowed, and a
 *    trusted origin.
 * 4. With neither, the request is from our own page or not from a browser: allowed.
 */
export function isCrossOrigin(question: OriginQuestion): boolean {
  const { method, isAction, secFetchSite, origin } = question
  if (isSafeMethod(method) && !isAction) return false
  if (secFetchSite === 'same-origin' || secFetchSite === 'none') return false
  if (secFetchSite) return !isTrusted(question)
  if (!origin) return false
  return !isOurHost(question) && !isTrusted(question)
}

/**
 * Hosts are compared, schemes are not: behind a proxy that ends TLS, nobody here knows for certain which scheme the
 * browser sees. What that leaves open is a page on http:// that posts to https:// of the same host, in a browser
 * older than 2023. Strict-Transport-Security closes it.
 */
function isOurHost({ origin, host }: OriginQuestion): boolean {
  const parsed = parseOrigin(origin)
  if (parsed === undefined || host === undefined || !isWeb(parsed)) return false
  return parsed.host === dropDefaultPort(parsed.scheme, host)
}

function isTrusted({ origin, trustedOrigins }: OriginQuestion): boolean {
  if (trustedOrigins.size === 0) return false
  const parsed = parseOrigin(origin)
  return parsed !== undefined && trustedOrigins.has(`${parsed.scheme}://${parsed.host}`)
}
