import type { RequestHandler } from 'express'
import { assertNotActing } from '../../core/acting/actor.js'
import { ofFunction, readOptions } from '../../lib/options/options.js'
import { refuseRequest } from '../refusal/refuse-request.js'
import { reauthenticateOptions } from '../request/login-options.js'
import { sessionOf, stateOf } from '../request/session-of.js'
import type { LoginOptions } from './login.js'
import { loginRoute, loginRouteOptions, type Authenticate } from './login-route.js'

/** The options of `reauthenticate()`. All are optional; all are checked at start. They mean what they mean for `login()`. */
export interface ReauthenticateRouteOptions extends Omit<LoginOptions, 'keep'> {}

const routeOptions = { ...reauthenticateOptions, ...loginRouteOptions } as const

/**
 * A route handler for a user who proves again who they are: see `sessionOf(req).reauthenticate()`. `authenticate` is asked
 * only where somebody is logged in, and finds them in `req.user`. Anybody else is refused.
 *
 * Responds as `login()` does, with the text "Confirmed": a browser goes to `?returnTo=`, where `requireRecentLogin()` sent
 * it from, else to `redirect`. 401 (UNAUTHENTICATED) for a stranger, 403 (OTHER_USER) for another user.
 *
 * @throws SessionError OPTION_INVALID at start.
 * @example
 * app.post('/confirm', reauthenticate((req) => checkPassword(req.user.email, req.body.password), { method: 'password' }))
 */
export function reauthenticate(
  authenticate: Authenticate,
  options: ReauthenticateRouteOptions = {},
): RequestHandler {
  refuseRequest(authenticate, 'reauthenticate(authenticate)')
  const settings = readOptions(options, ofFunction('reauthenticate()'), routeOptions)
  const { lifetime, method } = settings
  return loginRoute(authenticate, settings, {
    name: 'reauthenticate()',
    said: 'Confirmed',
    // A stranger must not be able to try passwords here, and whoever acts as the user not either.
    assertUseful: (req) => {
      const state = stateOf(req)
      state.assertUser()
      assertNotActing(state.record!)
    },
    perform: (req, user) => sessionOf(req).reauthenticate(user, { crossSite: true, lifetime, method }),
  })
}
