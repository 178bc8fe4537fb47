import type { IncomingMessage } from 'node:http'
import { isToken } from '../../core/token.js'
import type { ClientSource } from '../../core/verdict.js'
import { SessionError } from '../../errors.js'
import type { CookieChoice } from '../cookie/options.js'
import { readCookie } from '../cookie/read.js'

/** How the token of a request travels that comes in `Authorization`: no cookie is written. */
export function withoutCookie(choice: CookieChoice): CookieChoice {
  return { ...choice, via: 'bearer' }
}

/** The same client, with a token that came in `Authorization`. Such a session gets no new token, and is not bound to a device. */
export function bearerSource(source: ClientSource): ClientSource {
  return {
    via: 'bearer',
    client: (known) => source.client(known),
    takesToken: () => false,
    touchLater: source.touchLater && ((touch) => source.touchLater!(touch)),
  }
}

/** Whether the request carries a session cookie, good or not. */
export function carriesCookie(req: IncomingMessage, { name }: CookieChoice): boolean {
  return readCookie(req.headers.cookie, name, 1, isToken).length > 0
}

/**
 * The refusal to hand out a token. With a cookie in the request, a script that was smuggled into a page could turn the
 * session that it can't read into a token that it can take away.
 */
export function bearerRefused(): SessionError {
  return new SessionError(
    'BEARER_REFUSED',
    'This request asks for a token in the body (Session-Via: bearer), and it carries a session cookie, or would be given one. ' +
      "Send it without cookies (fetch: credentials: 'omit'), or leave Session-Via out.",
  )
}
