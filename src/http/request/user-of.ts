import type { IncomingMessage } from 'node:http'
import { nobodyLoggedIn } from './errors.js'
import { stateOf } from './session-of.js'

/**
 * The user of this request, where there must be one: the same as `req.user`, but never `undefined`. For routes
 * behind `requireUser()`, which TypeScript can't see. Its type is `Express.User`, which you declare once.
 *
 * @throws SessionError UNAUTHENTICATED (401) if nobody is logged in: `requireUser()` does not stand before the
 * route, or the request has logged out. MIDDLEWARE_MISSING if `sessionMiddleware()` did not run before. If reads
 * go on without a user because the store fails (`onStoreError: 'anonymous'`), it throws that error, a 503.
 * @example
 * app.get('/account', requireUser({ loginPage: '/login' }), (req, res) => {
 *   res.send(`Hello ${userOf(req).name}`)
 * })
 */
export function userOf(req: IncomingMessage): Express.User {
  const { user, failure, barred } = stateOf(req)
  if (user !== undefined) return user
  // What `requireUser()` would have said, in its order: an outage is not told as "not logged in".
  throw failure ?? barred ?? nobodyLoggedIn()
}
