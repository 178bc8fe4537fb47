import type { Request, RequestHandler } from 'express'
import { SessionError } from '../../errors.js'
import { unboundRefusal } from '../binding/guard.js'
import { prefersJson } from './respond.js'
import { address, boolean } from '../../lib/option-kinds.js'
import { ofFunction, readOptions } from '../../lib/options.js'
import { fail } from '../request/fail.js'
import { loginPageFor } from './return-to.js'
import { stateOf } from '../request/session-of.js'

export interface RequireUserOptions {
  /**
   * The path of the login page. A browser is sent there (303) with `?returnTo=` naming the page it asked for,
   * which `login()` goes back to. Default: none; the answer is an error of status 401, as it is for scripts.
   */
  readonly loginPage?: string | undefined
  /**
   * Whether the session must be bound to its device; needs `deviceBinding`. Others get a 403 (UNBOUND). Default: as
   * `deviceBinding.unbound` says.
   */
  readonly bound?: boolean | undefined
}

const requireUserOptions = {
  loginPage: { kind: address('/login'), doc: 'the login page, where a browser without a user is sent' },
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
 * Answers 401 (UNAUTHENTICATED) or a redirect; 403 (UNBOUND) where the session must be bound to its device;
 * 503 when the store failed, whatever `onStoreError` says, or when the browser could not prove its device now.
 */
export function requireUser(options: RequireUserOptions = {}): RequestHandler {
  const { loginPage, bound } = readOptions(options, ofFunction('requireUser()'), requireUserOptions)
  return function requireUserGuard(req, res, next) {
    const state = stateOf(req)
    if (state.user !== undefined) {
      const { deviceBinding } = state.wiring.settings
      if (bound || deviceBinding !== undefined) {
        const refusal = unboundRefusal(state.record!, deviceBinding, bound)
        if (refusal !== undefined) return fail(res, next, refusal)
      }
      if (!res.hasHeader('Cache-Control')) res.setHeader('Cache-Control', 'private, no-store')
      return next()
    }
    if (state.failure !== undefined) return fail(res, next, state.failure)
    if (state.barred?.status === 503) {
      // The browser could not prove its device now. It can later: the session lives on, and a login would end it.
      res.setHeader('Retry-After', '60')
      return fail(res, next, state.barred)
    }
    if (loginPage === undefined || !wantsPage(req)) return fail(res, next, state.barred ?? unauthenticated())
    res.setHeader('Cache-Control', 'no-store')
    res.redirect(303, loginPageFor(req, loginPage))
  }
}

/** Whether a person waits for a page. A script that is sent to the login page would take its HTML for the answer. */
function wantsPage(req: Request): boolean {
  const mode = req.headers['sec-fetch-mode']
  if (mode !== undefined) return mode === 'navigate'
  return req.headers.accept?.includes('text/html') === true && !prefersJson(req)
}

function unauthenticated(): SessionError {
  return new SessionError('UNAUTHENTICATED', 'Log in to see this.')
}
