import type { IncomingMessage, ServerResponse } from 'node:http'
import type { NextFunction, Request, Response } from 'express'
import { isSessionError, type SessionError } from '../../errors.js'
import type { Refused } from '../options.js'
import { canRespond } from '../request/can-respond.js'
import { sendRefusal } from './refusal-page.js'
import { attachedState } from '../request/session-of.js'
import { tellRefused } from './refused-channel.js'

/**
 * Ends a request that can't go on. An expected refusal is a response, not a failure: it is sent in the form that the
 * client prefers, or by the application's own `refused`. Everything else goes to Express' error handling, which logs it.
 * No cache may keep the response.
 *
 * @param own the option `refused` of the route helper. Default: that of the manager.
 */
export function stop(
  req: IncomingMessage,
  res: ServerResponse,
  next: (error?: unknown) => void,
  error: unknown,
  own?: Refused,
): void {
  // A socket may have no response, or one that can't respond: then its own error handling refuses it.
  const isOpen = canRespond(res)
  const wiring = attachedState(req)?.wiring
  tellRefused(wiring?.sessions, error)
  if (isOpen) res.setHeader('Cache-Control', 'no-store')
  if (!isOpen || !isRefusal(error)) return next(orSomeError(error))
  const refused = own ?? wiring?.settings.refused ?? sendRefusal
  const send = async () => refused(req as Request, res as Response, next as NextFunction, error)
  // Express 4 does not look at promises, and after a lookup nothing catches what is thrown.
  send().catch((failure: unknown) => next(orSomeError(failure)))
}

/** What the visitor can do something about: log in, or come from another page. */
function isRefusal(error: unknown): error is SessionError {
  return isSessionError(error) && error.status < 500
}

/** Express takes a call without an error for 'go on'. */
function orSomeError(error: unknown): unknown {
  return (
    error || new Error(`Something failed with ${String(error)} in place of an error. Reject with an Error.`)
  )
}
