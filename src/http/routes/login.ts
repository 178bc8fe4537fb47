import type { Request, RequestHandler } from 'express'
import { callback } from '../../lib/options/option-kinds.js'
import { ofFunction, readOptions } from '../../lib/options/options.js'
import type { LifetimeOf, SessionLifetime } from '../lifetime/options.js'
import type { Refused } from '../options.js'
import { refuseRequest } from '../refusal/refuse-request.js'
import { sharedLoginOptions } from '../request/login-options.js'
import { sessionOf } from '../request/session-of.js'
import {
  loginRoute,
  loginRouteOptions,
  type Authenticate,
  type LoginFailed,
  type LoginRedirect,
} from './login-route.js'

/** The options of `login()`. All are optional; all are checked at start. */
export interface LoginOptions {
  /** The names of the guest's data that the login keeps. Default: none. */
  readonly keep?: readonly string[] | undefined
  /**
   * Where a browser goes after a login, unless a valid `?returnTo=` says: an address, or a function that returns one or
   * nothing. It may be async, and gets the user as `req.user` has it. Default: the text "Logged In".
   *
   * @example
   * login(authenticate, { redirect: (req, user) => (user.isNew ? '/welcome' : '/') })
   */
  readonly redirect?: string | LoginRedirect | undefined
  /** Where a browser goes after a refused login. Default: a 401. */
  readonly failureRedirect?: string | undefined
  /**
   * Shows the form again after a refused login, in place of `failureRedirect`. The status is 401 already, and no cache
   * keeps the response. JSON clients get JSON as ever. Default: the text "Login Failed".
   *
   * @example
   * login(authenticate, { failed: (req, res) => res.render('login', { email: req.body.email, failed: true }) })
   */
  readonly failed?: LoginFailed | undefined
  /**
   * Lets other sites' pages send the visitor here: for callbacks of OAuth and SAML, which must
   * verify their own `state`. Default false.
   */
  readonly crossSite?: boolean | undefined
  /**
   * How long this login lives, in place of the option `lifetime` of `createSessions`: `{ idle, absolute, persistent }`,
   * or a function `(user, req)` that returns one. What is left out is as `idleTimeout`, `absoluteTimeout` and
   * `cookie.persistent` say.
   *
   * @example
   * const remembered = { idle: '30d', absolute: '90d', persistent: true }
   * const thisWindow = { idle: '1h', absolute: '12h', persistent: false }
   * login(authenticate, { lifetime: (user, req) => (req.body.remember ? remembered : thisWindow) })
   */
  readonly lifetime?: SessionLifetime | LifetimeOf | undefined
  /**
   * How the user has proven who they are, in your own words: `'password'`, or several such as `['password', 'otp']`. At
   * most 8 of at most 64 characters. The session keeps it with the time. Default: not said.
   */
  readonly method?: string | readonly string[] | undefined
  /**
   * Says which session at the identity provider has begun this login: the `sid` of its ID token, or nothing. It gets what
   * `authenticate` returned, and may be async. So `backchannelLogout()` finds the session by it. Default: none.
   *
   * @example
   * login(userOfProvider, { crossSite: true, providerSession: (req, user) => user.sid })
   */
  readonly providerSession?: ProviderSessionOf | undefined
  /** Sends the refusal of a page of another origin. Default: the option `refused` of `createSessions`. */
  readonly refused?: Refused | undefined
}

/** Says which session at the identity provider has begun a login. */
export type ProviderSessionOf = (
  req: Request,
  // oxlint-disable-next-line typescript/no-explicit-any -- what the application's `authenticate` returned
  user: any,
) => string | undefined | PromiseLike<string | undefined>

const loginOptions = {
  ...sharedLoginOptions,
  ...loginRouteOptions,
  providerSession: {
    kind: callback<ProviderSessionOf>('(req, user) => user.sid'),
    doc: sharedLoginOptions.providerSession.doc,
  },
} as const

/**
 * A route handler that logs in whom `authenticate` returns.
 *
 * Responds with 200 (text "Logged In", JSON `{ user }` with what the session keeps of the user, or a 303 redirect; JSON
 * `{ user, token }` where the client has asked for it, see the option `bearer`), 401
 * when refused, 403 (CROSS_ORIGIN) for a page of another origin, 405 for HEAD, 503 for a prefetch or when the store
 * fails.
 */
export function login(authenticate: Authenticate, options: LoginOptions = {}): RequestHandler {
  refuseRequest(authenticate, 'login(authenticate)')
  const settings = readOptions(options, ofFunction('login()'), loginOptions)
  const { keep, lifetime, method, providerSession } = settings
  return loginRoute(authenticate, settings, {
    name: 'login()',
    said: 'Logged In',
    perform: async (req, user) => {
      const begunBy = (await providerSession?.(req, user)) || undefined
      return sessionOf(req).login(user, { keep, crossSite: true, lifetime, method, providerSession: begunBy })
    },
  })
}
