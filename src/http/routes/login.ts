import type { Request, RequestHandler, Response } from 'express'
import { answer } from './respond.js'
import { invalid } from '../../lib/invalid.js'
import { address, boolean, text, that } from '../../lib/option-kinds.js'
import { ofFunction, readOptions } from '../../lib/options.js'
import { fail } from '../request/fail.js'
import { rejectUnintended } from './reject-unintended.js'
import { clientOf } from '../request/client-of.js'
import { keepOption } from '../request/keep.js'
import { returnToOf } from './return-to.js'
import { sessionOf, stateOf } from '../request/session-of.js'

// A registered symbol: the ESM and CommonJS copies of this package have different classes, and with the option
// `userId: (user) => user.userId` a refusal of the other copy would pass for a user.
const refusal = Symbol.for('express-sid.refusal')

/** What `authenticate` answers to say why not, for the audit log. The client learns only that it failed. */
export class Refusal {
  /** @internal */
  readonly [refusal] = true

  constructor(
    readonly reason: string | undefined,
    readonly userId: string | undefined,
  ) {}
}

const isUserId = (value: unknown): value is string | number =>
  typeof value === 'string' || typeof value === 'number'

const refuseOptions = {
  reason: { kind: text(), doc: 'why, for the event loginRefused' },
  userId: { kind: that(isUserId, 'the id of a user'), doc: 'whose login was refused' },
} as const

/**
 * Refuses a login and says why in the event `loginRefused`: `return refuse({ reason: 'locked', userId })`.
 * The answer is the same 401 as for an unknown user, so that nobody learns which accounts exist.
 */
export function refuse(why: { reason?: string; userId?: string | number } = {}): Refusal {
  const { reason, userId } = readOptions(why, ofFunction('refuse()'), refuseOptions)
  return new Refusal(reason, userId === undefined ? undefined : String(userId))
}

/** Who is logging in: a user, nothing, or `refuse()`. May be async; what it throws goes to Express. */
export type Authenticate = (req: Request) => unknown

export interface LoginOptions {
  /** The names of the guest's data that the login keeps. Default: none. */
  readonly keep?: readonly string[] | undefined
  /** Where a browser goes after a login, unless a valid `?returnTo=` says. Default: it gets the text "Logged In". */
  readonly redirect?: string | undefined
  /** Where a browser goes after a refused login. Default: a 401. */
  readonly failureRedirect?: string | undefined
  /**
   * Lets other sites' pages send the visitor here: for OAuth, SAML and mail-link callbacks, which must
   * verify their own `state`. Default false.
   */
  readonly crossSite?: boolean | undefined
}

const loginOptions = {
  keep: keepOption,
  redirect: {
    kind: address('/account'),
    doc: 'where a browser goes after a login, unless a valid returnTo says where',
  },
  failureRedirect: { kind: address('/login?failed'), doc: 'where a browser goes after a refused login' },
  crossSite: {
    kind: boolean('true or false'),
    default: false,
    doc: "lets other sites' pages send the visitor here: for callbacks of OAuth, SAML and mail links",
  },
} as const

/**
 * A route handler that logs in whom `authenticate` answers.
 *
 * Answers 200 (text "Logged In", JSON `{ user }` with what the session keeps of the user, or a 303 redirect), 401
 * when refused, 403 (CROSS_ORIGIN) for a page of another origin, 405 for HEAD, 503 for a prefetch or when the store
 * fails.
 */
export function login(authenticate: Authenticate, options: LoginOptions = {}): RequestHandler {
  if (typeof authenticate !== 'function') {
    throw invalid('login() needs a function that returns the user: login((req) => checkPassword(req.body)).')
  }
  const settings = readOptions(options, ofFunction('login()'), loginOptions)
  return function loginRoute(req, res, next) {
    // Express 4 does not look at returned promises: every rejection must go through next().
    perform(req, res, authenticate, settings).catch((error: unknown) => fail(res, next, error))
  }
}

async function perform(
  req: Request,
  res: Response,
  authenticate: Authenticate,
  options: LoginOptions,
): Promise<void> {
  if (rejectUnintended(req, res, options.crossSite === true)) return
  const { engine } = stateOf(req).wiring
  const user = await authenticate(req)
  if (isRefused(user)) {
    const { reason, userId } = isRefusal(user) ? user : refuse()
    engine.events.emit('loginRefused', { reason, userId, client: clientOf(req) })
    const json = { error: { code: 'LOGIN_REFUSED', message: 'Login Failed' } }
    return answer(req, res, { status: 401, text: 'Login Failed', json, redirect: options.failureRedirect })
  }
  const info = await sessionOf(req).login(user as object, { keep: options.keep })
  const redirect = returnToOf(req) ?? options.redirect
  // What the session keeps, and with loadUser that is the id alone: what `authenticate` answered may be a whole
  // row, with a password hash that is nobody's to see and values that JSON has no word for.
  const json = { user: info.user ?? { id: info.userId } }
  answer(req, res, { status: 200, text: 'Logged In', json, redirect })
}

function isRefused(user: unknown): boolean {
  return user === undefined || user === null || user === false || isRefusal(user)
}

function isRefusal(user: unknown): user is Refusal {
  return typeof user === 'object' && user !== null && refusal in user
}
