import type { ServerResponse } from 'node:http'
import { carryCookie } from '../../http/cookie/carry.js'
import { canRespond } from '../../http/request/can-respond.js'
import { warnOnce } from '../../lib/warn-once.js'
import type { Cookie, CookieInput } from '../classes/cookie.js'
import type { SessionRequest } from '../classes/types.js'
import type { Setup } from '../setup.js'
import { isSecure } from './secure.js'
import type { ReceivedCookie } from './read.js'
import { sign, type Secret } from './signature.js'

/** The attributes that a new cookie has, with `'auto'` decided. */
export function cookieOptionsOf(
  { cookie, proxy }: Pick<Setup, 'cookie' | 'proxy'>,
  req: SessionRequest,
): CookieInput {
  const options = typeof cookie === 'function' ? cookie(req) : cookie
  const { secure, sameSite } = options as { secure?: unknown; sameSite?: unknown }
  if (secure !== 'auto' && sameSite !== 'auto') return options
  const isHttps = isSecure(req, proxy)
  return {
    ...options,
    ...(secure === 'auto' ? { secure: isHttps } : {}),
    ...(sameSite === 'auto' ? { sameSite: isHttps ? 'none' : 'lax' } : {}),
  }
}

/** The value of a cookie with this id. One that the request has brought along is not signed again: that costs the most. */
export function valueOf(id: string, secret: Secret, received: ReceivedCookie | undefined): string {
  return received?.sid === id && received.secret === secret ? received.value : `s:${sign(id, secret)}`
}

/** Gives the browser the cookie of its session. Returns whether the response carries it. */
export function sendCookie(
  { req, res }: { req: SessionRequest; res: ServerResponse },
  { name, proxy }: Setup,
  value: string,
  cookie: Cookie,
): boolean {
  if (cookie.secure && !isSecure(req, proxy)) {
    warnOfPlainHttp(name)
    return false
  }
  if (!canRespond(res)) return false
  carryCookie(res, name, cookie.serialize(name, value))
  return true
}

/** Makes the browser forget it. Only the same name, domain and path reach it. */
export function clearCookie(res: ServerResponse, name: string, cookie: Cookie): void {
  cookie.expires = new Date(0)
  carryCookie(res, name, cookie.serialize(name, ''))
}

function warnOfPlainHttp(name: string): void {
  warnOnce(
    'SID_PLAIN_HTTP',
    `The session cookie "${name}" is Secure, and a request came over plain http: its response has no cookie. Behind a ` +
      `TLS proxy, set app.set('trust proxy', 1), or what fits, so that Express sees https.`,
    name,
  )
}
