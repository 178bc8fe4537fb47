import type { IncomingMessage } from 'node:http'
import { SessionError } from '../../errors.js'
import { debug, isDebugging } from '../../lib/debug.js'
import { cleanText } from '../../lib/text/clean-text.js'
import { isSafeMethod, methodOf } from '../request/fetch-metadata.js'
import { isCrossOrigin, type OriginQuestion } from './cross-origin.js'
import { forwardedHost, hostOf, oneText } from './host.js'
import { parseOrigin } from './web-origin.js'

/** What changes state whatever its method is. */
export type Action = 'login' | 'logout' | 'handshake'

/**
 * The error for a request that a page of another origin sent; `undefined` where the request is allowed.
 *
 * @param action what the request does, where that changes state whatever its method is.
 */
export function refusalOf(
  req: IncomingMessage,
  trustedOrigins: ReadonlySet<string>,
  action?: Action,
): SessionError | undefined {
  const method = methodOf(req)
  // Nearly every request only reads: its headers are not even looked at.
  if (action === undefined && isSafeMethod(method)) return undefined
  const question: OriginQuestion = {
    method,
    isAction: action !== undefined,
    secFetchSite: oneText(req.headers['sec-fetch-site']),
    origin: oneText(req.headers.origin),
    host: hostOf(req),
    trustedOrigins,
  }
  const isRefused = isCrossOrigin(question)
  if (isDebugging) debugOrigin(question, action, isRefused)
  return isRefused ? crossOriginError(question, action, forwardedHost(req)) : undefined
}

function debugOrigin(
  { method, origin, host, secFetchSite }: OriginQuestion,
  action: Action | undefined,
  refused: boolean,
): void {
  const what = `${shown(method)}${action === undefined ? '' : ` (${action})`}`
  const seen = `Origin ${shown(origin)}, Sec-Fetch-Site ${shown(secFetchSite)}, our host ${shown(host)}`
  debug(`origin of ${what}: ${refused ? 'refused' : 'allowed'}. Seen: ${seen}`)
}

/**
 * The refusal, in words that say what was seen and what opens it.
 *
 * @param forwarded what `X-Forwarded-Host` said, trusted or not.
 */
export function crossOriginError(
  question: OriginQuestion,
  action?: Action,
  forwarded?: string,
): SessionError {
  const { method, secFetchSite, origin, host } = question
  return new SessionError(
    'CROSS_ORIGIN',
    `${shown(method)} was refused, as it does not come from a page of this host. Seen: Origin ${shown(origin)}, ` +
      `Sec-Fetch-Site ${shown(secFetchSite)}, our host ${shown(host)}. ${fix(question, action, forwarded)}`,
  )
}

function fix(question: OriginQuestion, action: Action | undefined, forwarded: string | undefined): string {
  if (forwarded !== undefined && !isCrossOrigin({ ...question, host: forwarded })) {
    return (
      `X-Forwarded-Host ${shown(forwarded)} would match, but the proxy that sent it is not trusted: ` +
      `set 'trust proxy' in the Express app. A WebSocket handshake does not pass through the app: for that, ` +
      `say authenticateUpgrade(sessions, req, { app }).`
    )
  }
  if (forwarded !== undefined && lacksPort(question)) {
    return (
      `The host matches and its port is missing: the proxy sends X-Forwarded-Host without it. Let it send the ` +
      `Host of the browser as it is; in nginx that is $http_host.`
    )
  }
  return [trusting(question, action), acting[action ?? 'request']].filter(Boolean).join(' ')
}

/** How the page that sent this could be trusted, if it could. */
function trusting({ origin }: OriginQuestion, action: Action | undefined): string {
  if (origin === 'null') {
    return (
      `Browsers send the Origin null from sandboxed frames, from file:// and from pages with ` +
      `Referrer-Policy: no-referrer, which is helmet's default. If the page is yours, serve it with ` +
      `Referrer-Policy: same-origin.`
    )
  }
  if (parseOrigin(origin) !== undefined) {
    return `If the page is yours, add its origin to the option trustedOrigins.`
  }
  return action === undefined || origin !== undefined
    ? `Only a request with one Origin can be opened by the option trustedOrigins.`
    : ''
}

/** What else may help. */
const acting: Record<Action | 'request', string> = {
  login:
    'If this is a callback that verifies its own state, as in OAuth, say login(authenticate, { crossSite: true }), ' +
    'or sessionOf(req).login(user, { crossSite: true }).',
  logout: 'A logout is a form of your own page, sent by POST.',
  handshake: '',
  request: '',
}

/** Whether our host is the one of the page, but for the port that a proxy has left out. */
function lacksPort(question: OriginQuestion): boolean {
  const port = /:\d+$/.exec(question.origin ?? '')?.[0]
  return port !== undefined && !isCrossOrigin({ ...question, host: `${question.host}${port}` })
}

/** What a stranger sent, short and on one line: it goes into an error, and from there into logs. */
export function shown(value: unknown): string {
  if (typeof value !== 'string') return value === undefined ? 'absent' : `of type ${typeof value}`
  return JSON.stringify(cleanText(value, 100))
}
