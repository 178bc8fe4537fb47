import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Challenge } from '../../core/device-binding.js'
import type { DeviceSigns } from '../../core/verdict.js'
import { MAX_COOKIE_VALUES } from '../../core/identification.js'
import { readCookie } from '../cookie/read.js'
import { oneText } from '../origin/host.js'
import { clearBoundCookie } from './cookie.js'
import type { BindingConfig } from './options.js'
import { relativePath } from './relative-path.js'

// The headers of Device Bound Session Credentials, as the draft and Chromium write them.

const REGISTRATION = 'Secure-Session-Registration'

/**
 * A header's one string. The draft asks for a quoted one (RFC 9651 §3.3.3), Chromium sends it bare. Nothing that is
 * expected here has a character to be escaped.
 */
export function sentString(req: IncomingMessage, name: string): string | undefined {
  const text = oneText(req.headers[name])
  return text?.startsWith('"') && text.endsWith('"') ? text.slice(1, -1) : text
}

/** What a request brings along to show that it comes from the device of its session. */
export function deviceSigns(
  req: IncomingMessage,
  { cookieName }: BindingConfig,
  sessionId: string,
): DeviceSigns {
  const skipped = oneText(req.headers['secure-session-skipped'])
  return {
    values: readCookie(req.headers.cookie, cookieName, MAX_COOKIE_VALUES),
    isSkipped: skipped !== undefined && skipped.includes(sessionId),
  }
}

/**
 * Offers the browser of a new login to bind the session. The bound cookie of the session before is taken away: while
 * there is one, the browser would not prove its new key.
 *
 * @param endpoint The path as this process sees it. The browser gets it relative to the path of the login, so it is
 * right behind a proxy that adds or removes a prefix.
 */
export function offerBinding(
  req: IncomingMessage & { readonly originalUrl?: string },
  res: ServerResponse,
  config: BindingConfig,
  endpoint: string,
  challenge: string,
): void {
  const path = relativePath(req.originalUrl ?? req.url ?? '/', endpoint)
  res.setHeader(REGISTRATION, `(ES256 RS256);path="${path}";challenge="${challenge}"`)
  clearBoundCookie(res, config)
}

/** Takes back what the login in the same request has offered, and the bound cookie. */
export function withdrawBinding(res: ServerResponse, config: BindingConfig): void {
  res.removeHeader(REGISTRATION)
  clearBoundCookie(res, config)
}

/** Asks for the next proof. */
export function sendChallenge(res: ServerResponse, { sessionId, challenge }: Challenge): void {
  res.setHeader('Secure-Session-Challenge', `"${challenge}";id="${sessionId}"`)
}
