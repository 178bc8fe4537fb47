import { withForm, type CookieForm } from '../../http/cookie/form.js'
import type { CookieOptions } from '../../http/cookie/options.js'
import { invalid } from '../../lib/options/invalid.js'
import { isObject } from '../../lib/json/is-object.js'
import { tokenOf } from '../token.js'
import { receivedOf } from './read.js'
import { isSecret, sign, type Secret } from './signature.js'

/** The options of `legacyCookie()`: those of express-session, and the attributes of a cookie. */
export interface LegacyCookieOptions extends CookieOptions {
  /** What signs the cookie: a text, or a list in which the first one signs and each one is accepted. */
  readonly secret: Secret | readonly Secret[]
}

/**
 * The option `cookie` of `sessionMiddleware()` that reads and writes the cookies of express-session: for an app that has
 * moved all its routes from `req.session`, so that nobody is logged out by the last step.
 *
 * @param options `name` (default `'connect.sid'`) and `secret` as they were given to express-session, and attributes.
 * @throws SessionError OPTION_INVALID without a secret.
 * @example
 * app.use(sessionMiddleware({ store, cookie: legacyCookie({ secret: process.env.SESSION_SECRET }) }))
 */
export function legacyCookie(options: LegacyCookieOptions): CookieOptions {
  if (!isObject(options) || options.secret === undefined) {
    throw invalid('legacyCookie() needs the secret that express-session had: legacyCookie({ secret }).')
  }
  const { secret, name = 'connect.sid', ...attributes } = options
  return withForm({ ...attributes, name }, legacyForm(secretsOf(secret)))
}

/** The form of express-session's cookies: `s:<id>.<signature>`. */
export function legacyForm(secrets: readonly Secret[]): CookieForm {
  return {
    tokenOf: (value) => {
      const received = receivedOf(value, secrets)
      return received && tokenOf(received.sid)
    },
    valueOf: (token) => encodeURIComponent(`s:${sign(token, secrets[0]!)}`),
  }
}

/** The option `secret` as a list. */
export function secretsOf(secret: Secret | readonly Secret[]): readonly Secret[] {
  const list = Array.isArray(secret) ? (secret as readonly Secret[]) : [secret as Secret]
  if (list.length === 0) throw invalid('secret option array must contain one or more strings')
  if (list.every(isSecret)) return list
  throw invalid('The option secret must be a text that nobody can guess, or a list of such texts.')
}
