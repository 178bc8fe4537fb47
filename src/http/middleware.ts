import type { ServerResponse } from 'node:http'
import type { RequestHandler } from 'express'
import { isPromise } from '../lib/promises.js'
import { isSessionError, SessionError } from '../errors.js'
import type { MaybePromise } from '../store.js'
import { BoundSession } from './request/request-session.js'
import { cookieFor, readCookie } from './cookie/cookie.js'
import { fail, type Next } from './request/fail.js'
import { isSafeMethod } from './request/fetch-metadata.js'
import { useDictionaryMode } from './request/dictionary-mode.js'
import { identify, type Identity } from './identify.js'
import { createSessions, isSessions, type Sessions } from './create-sessions.js'
import type { SessionOptions } from './options.js'
import { checkOrigin } from './origin/origin.js'
import { isSecure, captureRemoteAddress } from './request/client-of.js'
import { attachedSession, attachSession } from './request/session-of.js'

/**
 * Answers, for every request, who is asking: attaches `req.user` and what `sessionOf(req)` answers.
 * Mount it once, above the routes. A request whose session can't be looked up gets an error of status 503.
 *
 * @param given Options, or the manager that `createSessions` made of them.
 * @throws SessionError OPTION_INVALID at once, naming the option and the fix.
 */
export function sessionMiddleware(given?: SessionOptions | Sessions): RequestHandler {
  const sessions = isSessions(given) ? given : createSessions(given)
  const { cookie, trustedOrigins } = sessions.settings

  return function session(req, res, next) {
    // First, since even looking for what is not there is dear before.
    useDictionaryMode(req, res)
    const mounted = attachedSession(req)
    if (mounted !== undefined) return next(mounted.sessions === sessions ? undefined : mountedTwice())
    varyByCookie(res)
    const choice = cookieFor(cookie, cookie.byRequest && isSecure(req))
    const bound = new BoundSession(sessions, choice, req, res)
    attachSession(req, bound)

    const values = readCookie(req.headers.cookie, choice.name)
    if (values.length === 0) return next()
    const refusal = isSafeMethod(req.method) ? undefined : checkOrigin(req, trustedOrigins)
    if (refusal !== undefined) {
      // An error page may write, too: as a stranger it would start a guest, and replace the visitor's cookie.
      bound.failure = refusal
      return fail(res, next, refusal)
    }
    captureRemoteAddress(req)
    let identity: MaybePromise<Identity>
    try {
      identity = identify(sessions, req, values)
    } catch (error) {
      return unidentified(bound, res, next, error)
    }
    if (isPromise(identity)) return later(bound, res, next, identity)
    bound.identified(identity)
    next()
  }
}

function later(bound: BoundSession, res: ServerResponse, next: Next, identity: Promise<Identity>): void {
  // A microtask of its own: what a handler throws is the application's, not a rejection of our lookup.
  identity.then(
    (found) => {
      bound.identified(found)
      queueMicrotask(next)
    },
    (error: unknown) => queueMicrotask(() => unidentified(bound, res, next, error)),
  )
}

/** Fails closed: never a user, never a cleared cookie. */
function unidentified(bound: BoundSession, res: ServerResponse, next: Next, error: unknown): void {
  bound.failure = error
  const goesOn = bound.sessions.settings.onStoreError === 'anonymous' && isStoreError(error)
  if (goesOn) next()
  else fail(res, next, error)
}

function isStoreError(error: unknown): boolean {
  return isSessionError(error) && error.status === 503 && error.code !== 'USER_LOAD_FAILED'
}

/** A cache between us must not show one visitor's page to another. */
function varyByCookie(res: ServerResponse): void {
  const vary = res.getHeader('Vary')
  if (vary === undefined) res.setHeader('Vary', 'Cookie')
  else if (!/(?:^|[\s,])(?:cookie|\*)(?:$|[\s,])/i.test(String(vary)))
    res.setHeader('Vary', `${String(vary)}, Cookie`)
}

function mountedTwice(): SessionError {
  return new SessionError(
    'MIDDLEWARE_TWICE',
    'This request passed through two sessionMiddleware() with different sessions. ' +
      'Make one manager with createSessions() and mount that: the same one may be mounted again.',
  )
}
