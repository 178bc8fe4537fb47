import { SessionError } from '../../errors.js'
import { parseUrl } from '../../lib/text/parse-url.js'
import { shown } from './refusal.js'
import { isWeb, parseOrigin } from './web-origin.js'

/**
 * The option `trustedOrigins`, checked: `['https://app.example', 'capacitor://localhost']`. Each is what the
 * browser sends as `Origin`, scheme, host and port, with no pattern in it: `null` and `*` would trust anyone.
 *
 * @throws SessionError OPTION_INVALID, naming the entry.
 */
export function parseTrustedOrigins(value: unknown): ReadonlySet<string> {
  if (value === undefined) return new Set()
  if (!Array.isArray(value)) {
    throw invalid(`trustedOrigins must be an array, such as ['https://app.example'].`)
  }
  return new Set(value.map(parseTrustedOrigin))
}

function parseTrustedOrigin(entry: unknown): string {
  const parsed = typeof entry === 'string' ? parseOrigin(entry) : undefined
  if (parsed === undefined || neverSent.has(parsed.scheme)) throw noOrigin(entry)
  // The page of an app or an extension: a URL of an unknown scheme has no origin, so it is taken as it stands.
  if (!isWeb(parsed)) return `${parsed.scheme}://${parsed.host}`
  const url = parseUrl(entry as string)
  if (url === undefined) throw noOrigin(entry)
  // As browsers write it: lower case, no default port, punycode.
  return url.origin
}

/** Schemes of which browsers send no Origin: a page that opens `wss://…` is itself from `https://…`, and files are `null`. */
const neverSent = new Set(['ws', 'wss', 'ftp', 'file', 'data', 'blob', 'about', 'javascript'])

function noOrigin(entry: unknown): SessionError {
  return invalid(
    `trustedOrigins holds ${shown(entry)}, which is not one origin. Write it as the browser sends it, ` +
      `scheme, host and port with no path and no slash at its end: 'https://app.example', 'http://localhost:5173' or ` +
      `'capacitor://localhost'. ${why(entry)}`,
  )
}

function why(entry: unknown): string {
  if (typeof entry === 'string' && /^file:|^null$/i.test(entry)) {
    return `Pages of file:// and sandboxed frames send the Origin null, which any site can send: it can't be trusted.`
  }
  if (typeof entry === 'string' && /^wss?:/i.test(entry)) {
    return `A WebSocket comes with the origin of the page that opens it, which is http:// or https://.`
  }
  return `Patterns can't be trusted, since one page of a forgotten subdomain would do; name each origin.`
}

function invalid(message: string): SessionError {
  return new SessionError('OPTION_INVALID', message)
}
