import type { SessionLifetime } from './options.js'

/**
 * The longest lifetimes that NIST SP 800-63B-4 (July 2025) has for a login, by authenticator assurance level. They are
 * starting points: write down why you chose them (§5.2).
 *
 * - `aal1`: 30 days overall (§2.1.3). An inactivity timeout is not required; it is that of the option `idleTimeout`.
 * - `aal2`: 24 hours overall, 1 hour of inactivity (§2.2.3).
 * - `aal3`: 12 hours overall, 15 minutes of inactivity (§2.3.3).
 *
 * The cookie of each ends with the browser's window: a session should not outlive a restart of the browser (§5.1).
 * A lifetime alone makes no level: those are about how users prove who they are.
 *
 * @example
 * createSessions({ lifetime: (user) => (user.isAdmin ? nistLifetimes.aal3 : nistLifetimes.aal2) })
 */
export const nistLifetimes: Readonly<Record<'aal1' | 'aal2' | 'aal3', SessionLifetime>> = Object.freeze({
  aal1: Object.freeze({ absolute: '30d', persistent: false }),
  aal2: Object.freeze({ idle: '1h', absolute: '24h', persistent: false }),
  aal3: Object.freeze({ idle: '15m', absolute: '12h', persistent: false }),
})
