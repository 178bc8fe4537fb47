import type { Request, RequestHandler, Response } from 'express'
import { respond } from './respond.js'
import { address } from '../../lib/options/option-kinds.js'
import { ofFunction, readOptions } from '../../lib/options/options.js'
import { stop } from '../refusal/stop.js'
import { refuseRequest } from '../refusal/refuse-request.js'
import { refusedOption } from '../refusal/refused-option.js'
import type { Refused } from '../options.js'
import { rejectUnintended } from './reject-unintended.js'
import { stateOf } from '../request/session-of.js'

/** The options of `logout()`. All are optional; all are checked at start. */
export interface LogoutOptions {
  /** Where a browser goes afterwards. Default: it gets the text "Logged Out". */
  readonly redirect?: string | undefined
  /** Sends the refusal of a page of another origin. Default: the option `refused` of `createSessions`. */
  readonly refused?: Refused | undefined
}

const logoutOptions = {
  redirect: { kind: address('/goodbye'), doc: 'where a browser goes afterwards' },
  refused: refusedOption,
} as const

/**
 * A route handler that ends the session. Idempotent: a stranger's logout is a 200 too, which says so
 * ("Can't Log Out: No User Logged In", JSON `{ loggedOut: false }`).
 *
 * Responds with 403 (CROSS_ORIGIN) for a page of another origin, 405 for HEAD, and 503 for a prefetch or when the
 * store fails: then the session may live on, and the cookie is kept so that the logout can be tried again.
 */
export function logout(options: LogoutOptions = {}): RequestHandler {
  refuseRequest(options, 'logout()')
  const settings = readOptions(options, ofFunction('logout()'), logoutOptions)
  return function logoutRoute(req, res, next) {
    perform(req, res, settings).catch((error: unknown) => stop(req, res, next, error, settings.refused))
  }
}

async function perform(req: Request, res: Response, { redirect }: LogoutOptions): Promise<void> {
  if (rejectUnintended(req, res, 'logout')) return
  const state = stateOf(req)
  const loggedOut = state.holdsLogin
  await state.logout()
  const text = loggedOut ? 'Logged Out' : "Can't Log Out: No User Logged In"
  respond(req, res, { status: 200, text, json: { loggedOut }, redirect })
}
