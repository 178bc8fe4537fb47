import type { Request, RequestHandler, Response } from 'express'
import { timeLeft } from '../../core/lifetime.js'
import { ofFunction, readOptions } from '../../lib/options/options.js'
import type { Refused } from '../options.js'
import { refuseRequest } from '../refusal/refuse-request.js'
import { refusedOption } from '../refusal/refused-option.js'
import { stop } from '../refusal/stop.js'
import { unauthenticated } from '../request/errors.js'
import { stateOf } from '../request/session-of.js'

/** The options of `sessionStatus()`. All are optional; all are checked at start. */
export interface SessionStatusOptions {
  /** Sends the refusal of a stranger or of a page of another origin. Default: the option `refused` of `createSessions`. */
  readonly refused?: Refused | undefined
}

const statusOptions = { refused: refusedOption } as const

/** The JSON of `sessionStatus()`: whole seconds, rounded down. */
export interface SessionStatus {
  /** Until the session ends if it is not used. */
  readonly idleSeconds: number
  /** Until it ends in any case. If both are the same, POST can't move the end any more. */
  readonly absoluteSeconds: number
}

/**
 * A route handler for a page that warns its visitor before the session ends, and can extend it (WCAG 2.2.1, Timing
 * Adjustable).
 *
 * GET responds with `{ idleSeconds, absoluteSeconds }` and moves neither: a page may ask as often as it likes. POST moves
 * the idle deadline at once, whatever `touchInterval` and `touch` say, and responds with the same. Both are about guests'
 * sessions too.
 *
 * Responds with 401 (UNAUTHENTICATED) where there is no session, 403 (CROSS_ORIGIN) to a POST of a page of another
 * origin, 405 to other methods, and 503 when the store fails.
 *
 * @throws SessionError OPTION_INVALID at start.
 * @example
 * app.all('/session', sessionStatus())
 */
export function sessionStatus(options: SessionStatusOptions = {}): RequestHandler {
  refuseRequest(options, 'sessionStatus()')
  const { refused } = readOptions(options, ofFunction('sessionStatus()'), statusOptions)
  return function sessionStatusRoute(req, res, next) {
    perform(req, res).catch((error: unknown) => stop(req, res, next, error, refused))
  }
}

async function perform(req: Request, res: Response): Promise<void> {
  const state = stateOf(req)
  const isExtending = req.method === 'POST'
  if (!isExtending && req.method !== 'GET' && req.method !== 'HEAD') {
    res.status(405).set({ Allow: 'GET, HEAD, POST', 'Cache-Control': 'no-store' }).end()
    return
  }
  state.cancelTouch()
  if (isExtending) {
    // The middleware has looked as well, unless the method is another one since.
    const refusal = state.refusalOf()
    if (refusal !== undefined) throw refusal
    await state.extend()
  }
  const { record, failure, barred } = state
  if (record === undefined) throw failure ?? barred ?? unauthenticated()
  res.set('Cache-Control', 'no-store').json(timeLeft(record, Date.now()) satisfies SessionStatus)
}
