import type { RequestHandler } from 'express'
import { address, boolean } from '../../lib/options/option-kinds.js'
import { ofFunction, readOptions } from '../../lib/options/options.js'
import type { Refused } from '../options.js'
import { refuseRequest } from '../refusal/refuse-request.js'
import { refusedOption } from '../refusal/refused-option.js'
import { hasUser, pass } from './guard.js'

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
  const guard = { name: 'requireUser()', ...settings }
  return function requireUserGuard(req, res, next) {
    if (hasUser(req, res, next, guard)) pass(res, next)
  }
}
