import type { Request, RequestHandler, Response } from 'express'
import { invalid } from '../../lib/options/invalid.js'
import { address, addressOr, callback } from '../../lib/options/option-kinds.js'
import type { Values } from '../../lib/options/options.js'
import type { SessionInfo } from '../../record.js'
import { refusedOption } from '../refusal/refused-option.js'
import { stop } from '../refusal/stop.js'
import { clientOf } from '../request/client-of.js'
import type { sharedLoginOptions } from '../request/login-options.js'
import { sessionOf, stateOf } from '../request/session-of.js'
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

/** The options that `login()` and `reauthenticate()` have in common, besides those of the calls that they make. */
export const loginRouteOptions = {
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

type Settings = Values<typeof loginRouteOptions & Pick<typeof sharedLoginOptions, 'crossSite'>>

/** What a route does with a user who has proven who they are. */
export interface LoginWork {
  /** The function that made the route, as a message names it. */
  readonly name: string
  /** The text of its response. */
  readonly said: string
  /** Fails for a request that need not be asked who it is. */
  readonly assertUseful?: (req: Request) => void
  readonly perform: (req: Request, user: object) => Promise<SessionInfo>
}

/** A route that asks `authenticate` who it is. */
export function loginRoute(authenticate: Authenticate, settings: Settings, work: LoginWork): RequestHandler {
  const { name } = work
  if (typeof authenticate !== 'function') {
    const call = `${name.slice(0, -1)}(req) => checkPassword(req.body))`
    throw invalid(`${name} needs a function that returns the user: ${call}.`)
  }
  if (settings.failed !== undefined && settings.failureRedirect !== undefined) {
    throw invalid(
      `${name} shows a page after a refused login (failed), or redirects (failureRedirect). Leave one out.`,
    )
  }
  return function loginRouteHandler(req, res, next) {
    // Express 4 does not look at returned promises: every rejection must go through next().
    perform(req, res, authenticate, settings, work).catch((error: unknown) =>
      stop(req, res, next, error, settings.refused),
    )
  }
}

async function perform(
  req: Request,
  res: Response,
  authenticate: Authenticate,
  options: Settings,
  work: LoginWork,
): Promise<void> {
  if (rejectUnintended(req, res, 'login', options.crossSite)) return
  work.assertUseful?.(req)
  const user = await authenticate(req)
  // A strategy of passport may have sent the visitor away, or the visitor has gone.
  if (user === undefined && (res.headersSent || res.closed)) return
  const refused = refusalIn(user)
  if (refused !== undefined) return respondRefused(req, res, refused, options)
  const info = await work.perform(req, user as object)
  const redirect = returnToOf(req) ?? (await addressAfter(req, options.redirect))
  // What the session keeps, and with loadUser that is the id alone: what `authenticate` returned may be a whole
  // row, with a password hash that is nobody's to see and values that JSON has no word for.
  const json = { user: info.user ?? { id: info.userId } }
  const token = sessionOf(req).bearerToken
  if (token !== undefined) return respondJson(res, { status: 200, json: { ...json, token } })
  respond(req, res, { status: 200, text: work.said, json, redirect })
}

/** Where a browser goes that has no page to go back to. */
async function addressAfter(req: Request, redirect: Settings['redirect']): Promise<string | undefined> {
  if (typeof redirect !== 'function') return redirect
  return (await redirect(req, sessionOf(req).user)) || undefined
}

async function respondRefused(
  req: Request,
  res: Response,
  { reason, userId }: Refusal,
  { failed, failureRedirect }: Settings,
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
