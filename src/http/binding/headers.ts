import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Challenge } from '../../core/binding/device-binding.js'
import type { DeviceSigns } from '../../core/verdict.js'
import { MAX_COOKIE_VALUES } from '../../core/identification.js'
import type { SessionRecord } from '../../record.js'
import { readCookie } from '../cookie/read.js'
import { oneText } from '../origin/host.js'
import { boundName, isBoundValue, clearBoundCookie } from './cookie.js'
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
export function deviceSigns(req: IncomingMessage, config: BindingConfig, sessionId: string): DeviceSigns {
  const skipped = oneText(req.headers['secure-session-skipped'])
  return {
    values: readCookie(req.headers.cookie, boundName(config, sessionId), MAX_COOKIE_VALUES, isBoundValue),
    isSkipped: skipped !== undefined && skipped.includes(sessionId),
  }
}

/**
 * Offers the browser of a new login to bind the session.
 *
 * @param endpoint The path as this process sees it. The browser gets it relative to the path of the login, so it is
 * right behind a proxy that adds or removes a prefix.
 */
export function offerBinding(
  req: IncomingMessage & { readonly originalUrl?: string },
  res: ServerResponse,
  endpoint: string,
  challenge: string,
): void {
  const path = relativePath(req.originalUrl ?? req.url ?? '/', endpoint)
  res.setHeader(REGISTRATION, `(ES256 RS256);path="${path}";challenge="${challenge}"`)
}

/** Takes back what a login in the same request has offered, and the bound cookies of the sessions that have ended. */
export function withdrawBinding(
  res: ServerResponse,
  config: BindingConfig,
  ended: readonly SessionRecord[],
): void {
  res.removeHeader(REGISTRATION)
  for (const { id, binding } of ended) if (binding?.state === 'bound') clearBoundCookie(res, config, id)
}

/** Asks for the next proof. */
export function sendChallenge(res: ServerResponse, { sessionId, challenge }: Challenge): void {
  res.setHeader('Secure-Session-Challenge', `"${challenge}";id="${sessionId}"`)
}
