import type { NextFunction, Request, Response } from 'express'
import type { SessionError } from '../../errors.js'
import { unboundRefusal } from '../binding/guard.js'
import { invalid } from '../../lib/options/invalid.js'
import type { Refused } from '../options.js'
import { stop } from '../refusal/stop.js'
import { unauthenticated } from '../request/errors.js'
import { stateOf } from '../request/session-of.js'
import type { SessionState } from '../request/session-state.js'
import { prefersJson } from './respond.js'
import { isLoginPage, loginPageFor } from './return-to.js'

/** What the guards have in common: `requireUser()` and `requireRecentLogin()`. */
export interface Guard {
  /** The guard, as a message names it. */
  readonly name: string
  readonly loginPage: string | undefined
  readonly refused: Refused | undefined
  /** Whether the session must be bound to its device, whatever the options say. */
  readonly bound: boolean
}

/** Whether a user of a session asks. If not, the request has been refused, or sent to the login page. */
export function hasUser(req: Request, res: Response, next: NextFunction, guard: Guard): boolean {
  const state = stateOf(req)
  if (state.user !== undefined) {
    const { deviceBinding } = state.wiring.settings
    if (!guard.bound && deviceBinding === undefined) return true
    const refusal = unboundRefusal(state.record!, deviceBinding, guard.bound)
    if (refusal !== undefined) stop(req, res, next, refusal, guard.refused)
    return refusal === undefined
  }
  const failure = state.failure ?? (state.barred?.status === 503 ? state.barred : undefined)
  if (failure === undefined) {
    askToLogIn(req, res, next, state.barred ?? unauthenticated(), guard)
    return false
  }
  // The browser could not prove its device now. It can later: the session lives on, and a login would end it.
  if (failure === state.barred) res.setHeader('Retry-After', '60')
  stop(req, res, next, failure, guard.refused)
  return false
}

/** Sends a browser that waits for a page to the login page, if there is one, and refuses all others with this error. */
export function askToLogIn(
  req: Request,
  res: Response,
  next: NextFunction,
  error: SessionError,
  { name, loginPage, refused }: Guard,
): void {
  if (loginPage === undefined || !wantsPage(req)) {
    const state = stateOf(req)
    if (state.wiring.settings.bearer) res.setHeader('WWW-Authenticate', challengeOf(state, error))
    return stop(req, res, next, error, refused)
  }
  if (isLoginPage(req, loginPage)) return stop(req, res, next, guardedLoginPage(name, loginPage))
  res.setHeader('Cache-Control', 'no-store')
  res.redirect(303, loginPageFor(req, loginPage))
}

/** Lets a request pass. What lies behind is nobody else's, unless the application says otherwise. */
export function pass(res: Response, next: NextFunction): void {
  if (!res.headersSent && !res.hasHeader('Cache-Control')) res.setHeader('Cache-Control', 'private, no-store')
  next()
}

/** What RFC 6750 §3 wants of a 401: how to come with a token, and what was wrong with the one that came (RFC 9470 §3). */
function challengeOf({ isBearer }: SessionState, { code }: SessionError): string {
  if (!isBearer) return 'Bearer'
  const isOld = code === 'REAUTHENTICATION_REQUIRED'
  return `Bearer error="${isOld ? 'insufficient_user_authentication' : 'invalid_token'}"`
}

/** Whether a person waits for a page. A script that is sent to the login page would take its HTML for the response. */
function wantsPage(req: Request): boolean {
  const mode = req.headers['sec-fetch-mode']
  if (mode !== undefined) return mode === 'navigate'
  return req.headers.accept?.includes('text/html') === true && !prefersJson(req)
}

/** A guard in front of the page that it sends strangers to: a browser would go round for ever. */
function guardedLoginPage(name: string, loginPage: string): Error {
  return invalid(
    `${name} guards its own loginPage ${loginPage}, so no stranger can reach it. Mount the route of the login page above the guard.`,
  )
}
