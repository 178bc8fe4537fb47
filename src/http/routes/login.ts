import type { Request, RequestHandler, Response } from 'express'
import { invalid } from '../../lib/options/invalid.js'
import { ofFunction, readOptions, type Values } from '../../lib/options/options.js'
import { address, addressOr, callback } from '../../lib/options/option-kinds.js'
import type { Refused } from '../options.js'
import { refuseRequest } from '../refusal/refuse-request.js'
import { refusedOption } from '../refusal/refused-option.js'
import { clientOf } from '../request/client-of.js'
import type { LifetimeOf, SessionLifetime } from '../lifetime/options.js'
import { sharedLoginOptions } from '../request/login-options.js'
import { sessionOf, stateOf } from '../request/session-of.js'
import { stop } from '../refusal/stop.js'
import { refusalIn, type Refusal } from './refuse.js'
import { rejectUnintended } from './reject-unintended.js'
import { prefersJson, respond, respondJson } from './respond.js'
import { returnToOf, withReturnTo } from './return-to.js'

/** Who is logging in: a user, nothing, or `refuse()`. May be async; what it throws goes to Express. */
export type Authenticate = (req: Request) => unknown

/** Why a login was refused, as `refuse()` said it. Not for the visitor: it could tell who has an account. */
export interface LoginFailure {
  readonly reason: string | undefined
  readonly userId: string | number | undefined
}

/** Responds to a refused login. May be async; what it throws goes to Express. */
export type LoginFailed = (req: Request, res: Response, info: LoginFailure) => unknown

/** Says where a browser goes after a login. What it throws goes to Express; the login has happened all the same. */
export type LoginRedirect = (
  req: Request,
  // oxlint-disable-next-line typescript/no-explicit-any -- the application's own type of user
  user: any,
) => string | undefined | PromiseLike<string | undefined>

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
  /** Sends the refusal of a page of another origin. Default: the option `refused` of `createSessions`. */
  readonly refused?: Refused | undefined
}

const loginOptions = {
  ...sharedLoginOptions,
  redirect: {
    kind: addressOr<LoginRedirect>('/account', "a function, such as (req, user) => '/account'"),
    doc: 'where a browser goes after a login, unless a valid returnTo says where',
  },
  failureRedirect: { kind: address('/login?failed'), doc: 'where a browser goes after a refused login' },
  failed: {
    kind: callback<LoginFailed>("(req, res) => res.render('login', { failed: true })"),
    doc: 'shows the form again after a refused login',
  },
  refused: refusedOption,
} as const

type Settings = Values<typeof loginOptions>

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
  if (typeof authenticate !== 'function') {
    throw invalid('login() needs a function that returns the user: login((req) => checkPassword(req.body)).')
  }
  const settings = readOptions(options, ofFunction('login()'), loginOptions)
  if (settings.failed !== undefined && settings.failureRedirect !== undefined) {
    throw invalid(
      'login() shows a page after a refused login (failed), or redirects (failureRedirect). Leave one out.',
    )
  }
  return function loginRoute(req, res, next) {
    // Express 4 does not look at returned promises: every rejection must go through next().
    perform(req, res, authenticate, settings).catch((error: unknown) =>
      stop(req, res, next, error, settings.refused),
    )
  }
}

async function perform(
  req: Request,
  res: Response,
  authenticate: Authenticate,
  options: Settings,
): Promise<void> {
  if (rejectUnintended(req, res, 'login', options.crossSite)) return
  const user = await authenticate(req)
  // A strategy of passport may have sent the visitor away, or the visitor has gone.
  if (user === undefined && (res.headersSent || res.closed)) return
  const refused = refusalIn(user)
  if (refused !== undefined) return respondRefused(req, res, refused, options)
  const { keep, lifetime, method } = options
  const info = await sessionOf(req).login(user as object, { keep, crossSite: true, lifetime, method })
  const redirect = returnToOf(req) ?? (await addressAfter(req, options.redirect))
  // What the session keeps, and with loadUser that is the id alone: what `authenticate` returned may be a whole
  // row, with a password hash that is nobody's to see and values that JSON has no word for.
  const json = { user: info.user ?? { id: info.userId } }
  const token = sessionOf(req).bearerToken
  if (token !== undefined) return respondJson(res, { status: 200, json: { ...json, token } })
  respond(req, res, { status: 200, text: 'Logged In', json, redirect })
}

/** Where a browser goes that has no page to go back to. */
async function addressAfter(req: Request, redirect: LoginOptions['redirect']): Promise<string | undefined> {
  if (typeof redirect !== 'function') return redirect
  return (await redirect(req, sessionOf(req).user)) || undefined
}

async function respondRefused(
  req: Request,
  res: Response,
  { reason, userId }: Refusal,
  { failed, failureRedirect }: LoginOptions,
): Promise<void> {
  stateOf(req).wiring.engine.events.emit('loginRefused', { reason, userId, client: clientOf(req) })
  const json = { error: { code: 'LOGIN_REFUSED', message: 'Login Failed' } }
  if (stateOf(req).takesBearer) return respondJson(res, { status: 401, json })
  if (failed !== undefined && !prefersJson(req)) {
    res.vary('Accept')
    res.status(401).setHeader('Cache-Control', 'no-store')
    await failed(req, res, { reason, userId })
    return
  }
  const redirect = failureRedirect && withReturnTo(failureRedirect, returnToOf(req))
  respond(req, res, { status: 401, text: 'Login Failed', json, redirect })
}
