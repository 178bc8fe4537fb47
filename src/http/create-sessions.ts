import type { Sessions } from '../core/sessions.js'
import { resolveOptions } from './check-options.js'
import type { SessionOptions } from './options.js'
import { wire } from './wiring.js'

/**
 * Makes the manager of an application's sessions. Mount it with `app.use(sessionMiddleware(sessions))`.
 *
 * @throws SessionError OPTION_INVALID, naming the option and the fix.
 * @example
 * const sessions = createSessions({ store: redisStore(client), idleTimeout: '1d' })
 * app.use(sessionMiddleware(sessions))
 */
export function createSessions(options: SessionOptions = {}): Sessions {
  return wire(resolveOptions(options))
}
