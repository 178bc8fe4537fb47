import type { RequestHandler } from 'express'
import { isActing } from '../../core/acting/actor.js'
import { isRecent } from '../../core/methods.js'
import { SessionError } from '../../errors.js'
import { address } from '../../lib/options/option-kinds.js'
import { ofFunction, readOptions } from '../../lib/options/options.js'
import type { Refused } from '../options.js'
import { refuseRequest } from '../refusal/refuse-request.js'
import { refusedOption } from '../refusal/refused-option.js'
import { stop } from '../refusal/stop.js'
import { recentLoginOptions } from '../request/recent-login.js'
import type { RecentLogin } from '../request/request-session.js'
import { stateOf } from '../request/session-of.js'
import { askToLogIn, hasUser, pass } from './guard.js'

/** The options of `requireRecentLogin()`. All are checked at start. */
export interface RequireRecentLoginOptions extends RecentLogin {
  /**
   * The path of the page where users prove again who they are. A browser is sent there (303) with `?returnTo=`, which
   * `reauthenticate()` and `login()` go back to: it names the page that was asked for, or the page of the form that was
   * sent. Default: none; it is refused with status 401, as scripts always are.
   */
  readonly loginPage?: string | undefined
  /** Sends the refusal. Default: the option `refused` of `createSessions`. */
  readonly refused?: Refused | undefined
}

const guardOptions = {
  ...recentLoginOptions,
  loginPage: { kind: address('/confirm'), doc: 'the page where users prove again who they are' },
  refused: refusedOption,
} as const

/**
 * Lets only users pass who have proven within a short time who they are: for what a borrowed or forgotten browser must
 * not do, such as to change the password (the "sudo mode" of GitHub). What `requireUser()` asks for, it asks for as well.
 *
 * Responds with 401 (UNAUTHENTICATED for a stranger, REAUTHENTICATION_REQUIRED for a user), or a redirect; 403 (UNBOUND)
 * and 503 as `requireUser()`.
 *
 * @throws SessionError OPTION_INVALID at start.
 * @example
 * app.post('/account/delete', requireRecentLogin({ within: '10m', loginPage: '/confirm' }), deleteAccount)
 */
export function requireRecentLogin(options: RequireRecentLoginOptions): RequestHandler {
  refuseRequest(options, "requireRecentLogin({ within: '10m' })")
  const owner = ofFunction('requireRecentLogin()', "{ within: '10m' }")
  const { within, methods, ...rest } = readOptions(options, owner, guardOptions)
  const guard = { name: 'requireRecentLogin()', bound: false, ...rest }
  return function requireRecentLoginGuard(req, res, next) {
    if (!hasUser(req, res, next, guard)) return
    const { actor } = stateOf(req).record!
    // To confirm is for the user alone, so there is no page to go to.
    if (actor !== undefined) return stop(req, res, next, isActing(), guard.refused)
    if (isRecent(stateOf(req).record!, Date.now(), within, methods)) pass(res, next)
    else askToLogIn(req, res, next, notRecent(), guard)
  }
}

function notRecent(): SessionError {
  return new SessionError('REAUTHENTICATION_REQUIRED', 'Confirm that it is you, and try again.')
}
