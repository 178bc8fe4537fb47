import type * as expressSession from 'express-session'
import type { Sessions } from '../core/sessions.js'
import type { Duration } from '../lib/options/duration.js'
import type { SessionStore } from '../store.js'

/* oxlint-disable typescript/no-explicit-any -- each store has its own type of a session */
/** A store of express-session, as it is given: this package calls these methods, and `touch` where there is one. */
export interface ConnectStore {
  get(sid: string, callback: (error?: unknown, session?: any) => void): unknown
  set(sid: string, session: any, callback?: (error?: unknown) => void): unknown
  destroy(sid: string, callback?: (error?: unknown) => void): unknown
}
/* oxlint-enable typescript/no-explicit-any */

/**
 * The options of `session()`: those of express-session, with its meaning, and some more. What is no option is named in a
 * warning.
 */
export interface ExpressSessionOptions extends Omit<
  expressSession.SessionOptions,
  'secret' | 'store' | 'resave' | 'saveUninitialized'
> {
  /** What signs the cookie. In a list the first one signs, and each one is accepted. Required, or `req.secret`. */
  readonly secret?: expressSession.SessionOptions['secret'] | undefined
  /**
   * Where sessions live: a store of this package, a manager that `createSessions()` made, or any store of
   * express-session. Default: `memoryStore()`.
   */
  readonly store?: SessionStore | Sessions | ConnectStore | undefined
  /** Writes each session at each request, changed or not. Default false, as in express-session 2. */
  readonly resave?: boolean | undefined
  /** Keeps each new session, also an empty one. Default false, as in express-session 2. */
  readonly saveUninitialized?: boolean | undefined
  /** An older name of `name`. */
  readonly key?: string | undefined
  /**
   * Whose session it is: an id, or nothing. With it `sessions.list()`, `revokeAll()`, `requireUser()` and the events know
   * the users of an app that keeps them in `req.session`. When it changes, the session is replaced: it gets a new id and a
   * new cookie, its data is kept, and the old one has ended. Default: passport's, `session.passport?.user`, or its `id`.
   *
   * @example session({ secret, store, userId: (session) => session.userId })
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- the application's own values
  readonly userId?: ((session: any) => unknown) | undefined
  /**
   * A session that is not used for so long has ended. Default `'7d'` in stores of this package; in stores of
   * express-session what the store says. A cookie with a `maxAge` has that in its place.
   */
  readonly idleTimeout?: Duration | undefined
  /** A session so old has ended, used or not. Default: 400 days in stores of this package, else never. */
  readonly absoluteTimeout?: Duration | undefined
  /** The deadline of a session is moved at most once in this time. Default `'5m'`, or a tenth of a shorter timeout. */
  readonly touchInterval?: Duration | undefined
  /** How long one call to the store may take before the request fails. Default `'5s'`. */
  readonly storeTimeout?: Duration | undefined
  /** How often a session gets a new secret, in stores of this package. Default false: never. */
  readonly rotateEvery?: Duration | false | undefined
  /** How many bytes the data of a session may take as JSON, in stores of this package. Default: no limit. */
  readonly maxDataBytes?: number | undefined
  /**
   * Tells the other processes on the same store of express-session which sessions have ended, so that a logout is final
   * for all that run this package. Costs one more read for each request. Default false.
   */
  readonly shared?: boolean | undefined
  /**
   * A store of express-session from which sessions are taken over, one by one, when they are used. Needs a `store` of
   * this package, or a manager. Nobody is logged out.
   *
   * @example session({ secret, store: postgresStore(pool), migrateFrom: new RedisStore({ client }) })
   */
  readonly migrateFrom?: ConnectStore | undefined
  /**
   * Sends a response although its session could not be saved, and reports the error afterwards, as express-session does.
   * Default false: an error takes the place of the response.
   */
  readonly legacyErrors?: boolean | undefined
}
