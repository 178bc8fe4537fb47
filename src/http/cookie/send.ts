import type { IncomingMessage, ServerResponse } from 'node:http'
import type { SessionRecord } from '../../record.js'
import { debug, isDebugging } from '../../lib/debug.js'
import { warnOnce } from '../../lib/warn-once.js'
import { carryCookie } from './carry.js'
import type { CookieChoice } from './options.js'
import { serializeCleared, serializeToken } from './write.js'
import type { HttpSettings } from '../options.js'
import { isSecure } from '../request/client-of.js'

/** Gives the browser its token, until the session's absolute deadline: the idle one is kept by the server alone. */
export function sendSessionCookie(
  req: IncomingMessage,
  res: ServerResponse,
  settings: HttpSettings,
  choice: CookieChoice,
  token: string,
  record: SessionRecord,
): void {
  if (settings.isProduction && !isSecure(req)) warnOfPlainHttp(choice)
  // Whole seconds, rounded up: the server's deadline decides, and the browser shall not forget the cookie before it.
  const maxAge = Math.ceil((record.absoluteExpiresAt - Date.now()) / 1_000) * 1_000
  const line = serializeToken(settings.cookie, choice, token, maxAge, record.lifetime?.persistent)
  carryCookie(res, choice.name, line)
  if (isDebugging) debugCookie(`set for session ${record.id}`, settings, choice)
}

/** Makes the browser forget the cookie. */
export function clearSessionCookie(res: ServerResponse, settings: HttpSettings, choice: CookieChoice): void {
  carryCookie(res, choice.name, serializeCleared(settings.cookie, choice))
  if (isDebugging) debugCookie('cleared', settings, choice)
}

/** Prints what the browser is told, without the value: the name and attributes decide whether it comes back. */
function debugCookie(done: string, { cookie }: HttpSettings, choice: CookieChoice): void {
  const { path, domain = 'our host alone', sameSite } = cookie
  const secure = choice.secure ? 'Secure' : 'not Secure'
  debug(`cookie ${choice.name} ${done} (${secure}, SameSite ${sameSite}, path ${path}, for ${domain})`)
}

function warnOfPlainHttp(choice: CookieChoice): void {
  if (!choice.secure) {
    warnOnce(
      'SID_NOT_SECURE',
      `The session cookie is sent without Secure in production, as the option cookie.secure says: ` +
        `whoever sees the traffic can take the session.`,
    )
    return
  }
  warnOnce(
    'SID_PLAIN_HTTP',
    `A login came over plain http in production, and browsers keep the cookie "${choice.name}" on https only. ` +
      `Behind a TLS proxy, set app.set('trust proxy', 1) (or what fits) so that Express sees https. ` +
      `To serve plain http knowingly, set cookie: { secure: false }.`,
  )
}
