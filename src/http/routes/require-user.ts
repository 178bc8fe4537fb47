import type { Request, RequestHandler } from 'express'
import type { SessionError } from '../../errors.js'
import { unboundRefusal } from '../binding/guard.js'
import { prefersJson } from './respond.js'
import { invalid } from '../../lib/options/invalid.js'
import { address, boolean } from '../../lib/options/option-kinds.js'
import { ofFunction, readOptions } from '../../lib/options/options.js'
import { stop } from '../refusal/stop.js'
import { refuseRequest } from '../refusal/refuse-request.js'
import { refusedOption } from '../refusal/refused-option.js'
import type { Refused } from '../options.js'
import { isLoginPage, loginPageFor } from './return-to.js'
import { unauthenticated } from '../request/errors.js'
import { stateOf } from '../request/session-of.js'
import type { SessionState } from '../request/session-state.js'

/** The options of `requireUser()`. All are optional; all are checked at start. */
export interface RequireUserOptions {
  /**
   * The path of the login page. A browser is sent there (303) with `?returnTo=` naming the page it asked for,
   * which `login()` goes back to. Default: none; it is refused with status 401, as scripts always are.
   */
  readonly loginPage?: string | undefined
  /** Sends the refusal. Default: the option `refused` of `createSessions`. */
  readonly refused?: Refused | undefined
  /**
   * Whether the session must be bound to its device; needs `deviceBinding`. Others get a 403 (UNBOUND). Default: as
   * `deviceBinding.unbound` says.
   */
  readonly bound?: boolean | undefined
}

const requireUserOptions = {
  loginPage: { kind: address('/login'), doc: 'the login page, where a browser without a user is sent' },
  refused: refusedOption,
  bound: {
    kind: boolean('true or false'),
    default: false,
    doc: 'whether the session must be bound to its device',
  },
} as const

/**
 * Lets only requests with a user of a session pass; what lies behind is `Cache-Control: private, no-store`
 * unless the application says otherwise.
 *
 * Responds with 401 (UNAUTHENTICATED) or a redirect; 403 (UNBOUND) where the session must be bound to its device;
 * 503 when the store failed, whatever `onStoreError` says, or when the browser could not prove its device now.
 */
export function requireUser(options: RequireUserOptions = {}): RequestHandler {
  refuseRequest(options, 'requireUser()')
  const settings = readOptions(options, ofFunction('requireUser()'), requireUserOptions)
  const { loginPage, refused, bound } = settings
  return function requireUserGuard(req, res, next) {
    const state = stateOf(req)
    if (state.user !== undefined) {
      const { deviceBinding } = state.wiring.settings
      if (bound || deviceBinding !== undefined) {
        const refusal = unboundRefusal(state.record!, deviceBinding, bound)
        if (refusal !== undefined) return stop(req, res, next, refusal, refused)
      }
      if (!res.headersSent && !res.hasHeader('Cache-Control'))
        res.setHeader('Cache-Control', 'private, no-store')
      return next()
    }
    if (state.failure !== undefined) return stop(req, res, next, state.failure, refused)
    if (state.barred?.status === 503) {
      // The browser could not prove its device now. It can later: the session lives on, and a login would end it.
      res.setHeader('Retry-After', '60')
      return stop(req, res, next, state.barred, refused)
    }
    if (loginPage === undefined || !wantsPage(req)) {
      if (state.wiring.settings.bearer) res.setHeader('WWW-Authenticate', challengeOf(state))
      return stop(req, res, next, state.barred ?? unauthenticated(), refused)
    }
    if (isLoginPage(req, loginPage)) return stop(req, res, next, guardedLoginPage(loginPage))
    res.setHeader('Cache-Control', 'no-store')
    res.redirect(303, loginPageFor(req, loginPage))
  }
}

/** What RFC 6750 §3 wants of a 401: how to come with a token, and whether the one that came was no good. */
function challengeOf({ isBearer }: SessionState): string {
  return isBearer ? 'Bearer error="invalid_token"' : 'Bearer'
}

/** Whether a person waits for a page. A script that is sent to the login page would take its HTML for the response. */
function wantsPage(req: Request): boolean {
  const mode = req.headers['sec-fetch-mode']
  if (mode !== undefined) return mode === 'navigate'
  return req.headers.accept?.includes('text/html') === true && !prefersJson(req)
}

/** A guard in front of the page that it sends strangers to: a browser would go round for ever. */
function guardedLoginPage(loginPage: string): SessionError {
  return invalid(
    `requireUser() guards its own loginPage ${loginPage}, so no stranger can reach it. Mount the route of the login page above the guard.`,
  )
}
