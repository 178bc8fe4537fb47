import type { IncomingMessage } from 'node:http'
import { SessionError } from '../../errors.js'
import { cleanText } from '../../lib/clean-text.js'
import { isSafeMethod } from '../request/fetch-metadata.js'
import { isCrossOrigin, type OriginQuestion } from './cross-origin.js'
import { forwardedHost, hostOf, oneText } from './host.js'
import { parseOrigin } from './web-origin.js'

/**
 * The error for a request that a page of another origin sent; `undefined` where the request is allowed.
 *
 * @param isAction whether the request changes state whatever its method is.
 */
export function refusalOf(
  req: IncomingMessage,
  trustedOrigins: ReadonlySet<string>,
  isAction = false,
): SessionError | undefined {
  // Nearly every request only reads: its headers are not even looked at.
  if (!isAction && isSafeMethod(req.method)) return undefined
  const question: OriginQuestion = {
    method: req.method,
    isAction,
    secFetchSite: oneText(req.headers['sec-fetch-site']),
    origin: oneText(req.headers.origin),
    host: hostOf(req),
    trustedOrigins,
  }
  return isCrossOrigin(question) ? crossOriginError(question, forwardedHost(req)) : undefined
}

/**
 * The refusal, in words that say what was seen and what opens it.
 *
 * @param forwarded what `X-Forwarded-Host` said, trusted or not.
 */
export function crossOriginError(question: OriginQuestion, forwarded?: string): SessionError {
  const { method, secFetchSite, origin, host } = question
  return new SessionError(
    'CROSS_ORIGIN',
    `${shown(method)} was refused, as it does not come from a page of this host. Seen: Origin ${shown(origin)}, ` +
      `Sec-Fetch-Site ${shown(secFetchSite)}, our host ${shown(host)}. ${fix(question, forwarded)}`,
  )
}

function fix(question: OriginQuestion, forwarded: string | undefined): string {
  const { origin } = question
  if (forwarded !== undefined && !isCrossOrigin({ ...question, host: forwarded })) {
    return (
      `X-Forwarded-Host ${shown(forwarded)} would match, but the proxy that sent it is not trusted: ` +
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
export function shown(value: unknown): string {
  if (typeof value !== 'string') return value === undefined ? 'absent' : `of type ${typeof value}`
  return JSON.stringify(cleanText(value, 100))
}
