import { SessionError } from '../../errors.js'
import { parseUrl } from '../../lib/parse-url.js'
import { shown } from './refusal.js'
import { parseOrigin } from './web-origin.js'

/**
 * The option `trustedOrigins`, checked: `['https://app.example', 'http://localhost:5173']`. Each is what the
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
  const url = typeof entry === 'string' && parseOrigin(entry) ? parseUrl(entry) : undefined
  // As browsers write it: lower case, no default port, punycode.
  if (url !== undefined) return url.origin
  throw invalid(
    `trustedOrigins holds ${shown(entry)}, which is not one origin. Write it as the browser sends it, ` +
      `scheme, host and port with no path and no slash at its end: 'https://app.example' or ` +
      `'http://localhost:5173'. Patterns and null can't be trusted; name each origin.`,
  )
}

function invalid(message: string): SessionError {
  return new SessionError('OPTION_INVALID', message)
}
