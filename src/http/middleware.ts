import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TokenText } from '../core/token.js'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import type { Verdict } from '../core/verdict.js'
import type { Sessions } from '../core/sessions.js'
import { isSessionError } from '../errors.js'
import { isDebugging } from '../lib/debug.js'
import { bearerSource, withoutCookie } from './bearer/carrier.js'
import { bearerToken } from './bearer/token.js'
import { adoptRequest, mayAdopt } from './adopt/adopt-request.js'
import { isBindingCall, serveBinding } from './binding/endpoint.js'
import { cookieFor } from './cookie/read.js'
import { readTokens } from './cookie/read-tokens.js'
import { createSessions } from './create-sessions.js'
import type { HttpSettings, SessionOptions } from './options.js'
import { isCrossSitePath } from './origin/cross-site-paths.js'
import { refusalOf } from './origin/refusal.js'
import { refuseRequest } from './refusal/refuse-request.js'
import { canRespond } from './request/can-respond.js'
import { captureRemoteAddress, isSecure } from './request/client-of.js'
import { debugRequest } from './request/debug-request.js'
import { useDictionaryMode } from './request/dictionary-mode.js'
import { isHandshake } from './request/fetch-metadata.js'
import { attachedState, attachState, detachState } from './request/session-of.js'
import { SessionState } from './request/session-state.js'
import { stop } from './refusal/stop.js'
import { varyBy } from './request/vary.js'
import { warnOfSameCookie } from './request/warnings.js'
import { wiringOf } from './wiring.js'

/**
 * Finds out, for every request, who is asking: attaches `req.user` and the session that `sessionOf(req)` returns.
 * Mount it above the routes. Of two managers on one path the last one decides. A request that changes state and comes
 * from a page of another origin is refused (403, see the option `refused`). A request whose session can't be looked up is
 * an error of status 503.
 *
 * @param given options, or the manager that `createSessions` made of them.
 * @throws SessionError OPTION_INVALID at once, naming the option and the fix.
 * @example
 * app.use(sessionMiddleware({ store: sqliteStore(database) }))
 * app.get('/', (req, res) => res.send(`Welcome ${req.user?.name ?? 'Stranger'}!`))
 */
export function sessionMiddleware(given?: SessionOptions | Sessions): RequestHandler {
  refuseRequest(given, 'sessionMiddleware()')
  const wiring = wiringOf(given) ?? wiringOf(createSessions(given as SessionOptions | undefined))!
  const { engine, settings } = wiring
  const { cookie, trustedOrigins, crossSitePaths, deviceBinding, bearer, adopt } = settings

  return function session(req, res, next) {
    // Run first: until then even reading a missing property is slow.
    useDictionaryMode(req, res)
    const mounted = attachedState(req)
    if (mounted?.wiring.engine === engine) return next()
    if (deviceBinding !== undefined && isBindingCall(req, deviceBinding)) {
      return serveBinding(req, res, engine.binding!, deviceBinding)
    }
    if (mounted !== undefined) detachState(req, mounted)
    varyBy('Cookie', res)
    const token = bearer ? bearerOf(req, res) : undefined
    const choice = cookieFor(cookie, cookie.byRequest && isSecure(req))
    const state = new SessionState(wiring, token === undefined ? choice : withoutCookie(choice), req, res)
    attachState(req, state)
    if (mounted !== undefined) warnIfSameCookie(mounted, state)
    if (deviceBinding !== undefined) state.bindingPath = req.baseUrl + deviceBinding.path

    const cookies = readTokens(req.headers.cookie, choice.name, cookie.form)
    if (cookies.length === 0 && token === undefined) {
      if (isDebugging) debugRequest(req, state)
      return adopt === undefined ? next() : goOn(req, res, state, next)
    }
    // No page can make a browser send a bearer token of ours. Beside a cookie, which browsers do send, it excuses nothing.
    const action = isHandshake(req) ? 'handshake' : undefined
    const refusal = cookies.length === 0 ? undefined : refusalOf(req, trustedOrigins, action)
    if (refusal !== undefined && crossSitePaths.size > 0 && isCrossSitePath(req, crossSitePaths)) {
      state.comesFromElsewhere()
    } else if (refusal !== undefined) {
      // An error page may write, too: as a stranger it would start a guest, and replace the visitor's cookie.
      state.refuse(refusal)
      if (isDebugging) debugRequest(req, state)
      return stop(req, res, next, refusal)
    }
    captureRemoteAddress(req)
    if (settings.touch !== undefined && !state.asksTouch(settings.touch))
      return stop(req, res, next, state.failure)
    const values = token === undefined ? cookies : [token]
    engine.identify(values, token === undefined ? state : bearerSource(state), (verdict) => {
      state.identified(verdict)
      if (isDebugging) debugRequest(req, state)
      if (verdict.failure !== undefined && !goesOn(verdict, settings)) stop(req, res, next, verdict.failure)
      else if (adopt === undefined) next()
      else goOn(req, res, state, next)
    })
  }

  /** Goes on to the routes, by way of a cookie of another system where a stranger has one. */
  function goOn(req: Request, res: Response, state: SessionState, next: NextFunction): void {
    if (!mayAdopt(req, state, adopt!)) return next()
    captureRemoteAddress(req)
    adoptRequest(req, res, state, adopt!, (verdict) => {
      if (verdict !== undefined) state.identified(verdict)
      const failure = verdict?.failure
      if (failure !== undefined && !goesOn(verdict!, settings)) stop(req, res, next, failure)
      else next()
    })
  }
}

/** Whether a request whose lookup failed is handled without a user. Otherwise it fails: never a user, never a cleared cookie. */
function goesOn({ failure }: Verdict, { onStoreError }: HttpSettings): boolean {
  const isStoreError =
    isSessionError(failure) && failure.status === 503 && failure.code !== 'USER_LOAD_FAILED'
  return onStoreError === 'anonymous' && isStoreError
}

/** The token in `Authorization`, if it is ours. What such a request gets is for its client alone. */
function bearerOf(req: IncomingMessage, res: ServerResponse): TokenText | undefined {
  varyBy('Authorization', res)
  const token = bearerToken(req)
  if (token !== undefined && canRespond(res)) res.setHeader('Cache-Control', 'no-store')
  return token
}

/** Two managers with one cookie log each other's users out. Where a middleware is mounted shows only in a request. */
function warnIfSameCookie(first: SessionState, second: SessionState): void {
  const [one, other] = [first.wiring.settings.cookie, second.wiring.settings.cookie]
  const isSame =
    first.cookie.name === second.cookie.name && one.path === other.path && one.domain === other.domain
  if (isSame) warnOfSameCookie(second.cookie.name)
}
