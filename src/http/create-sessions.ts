import { Sessions as CoreSessions } from '../core/sessions.js'
import { resolveOptions } from './check-options.js'
import type { HttpSettings, SessionOptions } from './options.js'

/** The manager that `createSessions` makes. */
export type Sessions = CoreSessions<HttpSettings>

/**
 * Makes the manager of an application's sessions. Mount it with `app.use(sessionMiddleware(sessions))`.
 *
 * @throws SessionError OPTION_INVALID, naming the option and the fix.
 */
export function createSessions(options: SessionOptions = {}): Sessions {
  return new CoreSessions(resolveOptions(options))
}

/** Whether this is a manager, of this or another copy of the package. */
export function isSessions(value: unknown): value is Sessions {
  return typeof value === 'object' && value !== null && 'settings' in value && 'verify' in value
}
