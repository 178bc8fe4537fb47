import type { IncomingMessage } from 'node:http'
import { SessionError } from '../../errors.js'
import { requestSession } from './own-session.js'
import type { RequestSession } from './request-session.js'
import type { SessionState } from './session-state.js'

// Registered symbols, so that the ESM and CommonJS copies of this package find each other's sessions.
const state = Symbol.for('express-sid.state')
const session = Symbol.for('express-sid.session')

type Carrier = IncomingMessage & { [state]?: SessionState; [session]?: RequestSession }

/**
 * This request's session.
 *
 * @throws SessionError MIDDLEWARE_MISSING when `sessionMiddleware()` did not run before.
 * @example
 * app.post('/cart', async (req, res) => {
 *   await sessionOf(req).update('cart', (cart = []) => [...cart, req.body.item])
 *   res.sendStatus(204)
 * })
 */
export function sessionOf(req: IncomingMessage): RequestSession {
  const carrier = req as Carrier
  return (carrier[session] ??= requestSession(stateOf(req)))
}

/** What this package itself knows of the request's session. Throws MIDDLEWARE_MISSING. */
export function stateOf(req: IncomingMessage): SessionState {
  const found = attachedState(req)
  if (found !== undefined) return found
  throw new SessionError(
    'MIDDLEWARE_MISSING',
    'This request has not passed through sessionMiddleware(). Mount it above this route: app.use(sessionMiddleware()).',
  )
}

/** The same, where a mount of the middleware has attached it. */
export function attachedState(req: IncomingMessage): SessionState | undefined {
  return (req as Carrier)[state]
}

/** Takes the state of another manager off the request, with its user. */
export function detachState(req: IncomingMessage, attached: SessionState): void {
  attached.release()
  ;(req as Carrier)[session] = undefined
}

/** Attaches the state to its request. */
export function attachState(req: IncomingMessage, made: SessionState): void {
  ;(req as Carrier)[state] = made
}
