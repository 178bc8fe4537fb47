import type { NextFunction, Request, Response } from 'express'
import type { AddressPolicy } from '../core/client/address.js'
import type { ClientChangePolicy, ReusePolicy, Settings, WhenFull } from '../core/settings.js'
import type { UserId } from '../core/user/user-id.js'
import type { SessionError } from '../errors.js'
import type { Duration } from '../lib/options/duration.js'
import type { MaybePromise, SessionStore } from '../store.js'
import type { AdoptOptions, AdoptSettings } from './adopt/options.js'
import type { BindingConfig, DeviceBindingOptions } from './binding/options.js'
import type { CookieOptions, CookieSettings } from './cookie/options.js'
import type { IsActivity } from './request/activity.js'
import type { LifetimeOf, LifetimeSetting, SessionLifetime } from './lifetime/options.js'

export type { Duration } from '../lib/options/duration.js'

/**
 * Sends a refusal in the application's own way. May be async: what it throws goes to Express. To handle refusals where
 * all errors are handled, call `next(error)`.
 *
 * @param error says why: it has a `code`, a `status` below 500, and a `message` that may be shown to the client.
 * @example
 * const refused = (req, res, next, error) => res.status(error.status).render('refused', { code: error.code })
 * app.use(sessionMiddleware({ refused }))
 */
export type Refused = (req: Request, res: Response, next: NextFunction, error: SessionError) => unknown

/** The options of `createSessions` and `sessionMiddleware`. All are optional; all are checked once, at start. */
export interface SessionOptions {
  /** Where sessions live. Default: `memoryStore()`, which forgets them when the process ends. */
  readonly store?: SessionStore | undefined
  /** A login that is not used for so long has ended. Default `'7d'`. */
  readonly idleTimeout?: Duration | undefined
  /** A session so old has ended, used or not. Default `'30d'`; 400 days at most, as browsers keep no cookie longer. */
  readonly absoluteTimeout?: Duration | undefined
  /** The idle timeout of sessions without a user. Default `'1h'`. */
  readonly guestIdleTimeout?: Duration | undefined
  /**
   * How long each login lives: `{ idle, absolute, persistent }`, or a function `(user, req)` that returns one. The session
   * keeps it for its whole life. It is asked at each login that has no `lifetime` of its own, and not for guests.
   * Default: as `idleTimeout`, `absoluteTimeout` and `cookie.persistent` say.
   *
   * @example
   * createSessions({ lifetime: (user) => (user.isAdmin ? nistLifetimes.aal3 : undefined) })
   */
  readonly lifetime?: SessionLifetime | LifetimeOf | undefined
  /**
   * The idle deadline is moved, by one write, at most once in this time. Default `'5m'`, or a tenth of the shortest
   * timeout where that is less. A session with a shorter idle time of its own (`lifetime`) is touched after a tenth of
   * that.
   */
  readonly touchInterval?: Duration | undefined
  /**
   * Says whether a request is an activity of its user: `true` or `false`, at once. One that is not, such as a page that
   * polls or telemetry, leaves the idle deadline where it is, also where it writes data or gets a new cookie. A throw
   * fails the request. Default: every request is one. `sessionStatus()` never is.
   *
   * @example
   * createSessions({ touch: (req) => !req.path.startsWith('/poll/') })
   */
  readonly touch?: ((req: Request) => boolean) | undefined
  /**
   * How often a login gets a new secret, so that a copied cookie dies by itself and its use shows; `false`: never.
   * At least twice `rotationGrace`. Default `'1h'`; `false` on a store whose `atomicUpdates` is false, which can't do it.
   */
  readonly rotateEvery?: Duration | false | undefined
  /**
   * How long an outdated secret stays good. It must cover lost cookies of a crashed browser (30 s), a late response
   * and a request that waits in a queue. At least a minute. Default `'5m'`.
   */
  readonly rotationGrace?: Duration | undefined
  /**
   * What happens when an outdated secret is used, which shows a copied cookie: `'end'` the session (default),
   * `'endAll'` sessions of the user, or `'report'`, which only refuses that request. The event is `reuse`.
   */
  readonly onReuse?: ReusePolicy | undefined
  /**
   * How many sessions a user may have: an integer from 1 to 1,000, or a function of the user that logs in. Exact, also
   * for logins at the same moment on many nodes. Guests don't count. Needs a store that can list the sessions of a user,
   * and has atomic updates. Default: any number.
   *
   * @example maxSessions: (user) => (user.plan === 'team' ? 10 : 2)
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- the application's own type of user
  readonly maxSessions?: number | ((user: any) => number) | undefined
  /**
   * What happens to a login of a user who has `maxSessions` already: `'endOldest'` ends the session whose login was
   * longest ago (default), `'refuse'` refuses the new one with SESSIONS_FULL (403).
   */
  readonly whenFull?: WhenFull | undefined
  /**
   * Experimental: binds sessions to devices in browsers that can, so that a copied cookie opens nothing. `true`, or an
   * object with options. Default false.
   */
  readonly deviceBinding?: boolean | DeviceBindingOptions | undefined
  /**
   * Lets sessions travel in `Authorization: Bearer` too, for mobile apps and command lines. Such a client asks for its
   * token at login, by the header `Session-Via: bearer`, and gets it in the body. Default false.
   */
  readonly bearer?: boolean | undefined
  /** How long a call to the store, or to `loadUser`, may take before the request gets a 503. Default `'2s'`. */
  readonly storeTimeout?: Duration | undefined
  /**
   * How soon `sessions.onEnd()` hears what another process has ended, as long as the store works. All watched sessions are
   * looked for so often, 500 in one question. With `heardEverywhere` of a store, ends are heard at once, and this is how
   * soon a lost connection is noticed. A second at least. Default `'30s'`.
   */
  readonly heardWithin?: Duration | undefined
  /**
   * How many bytes the data of one session may take as JSON. A write beyond it rejects with DATA_TOO_LARGE (413), and
   * so does a login whose `keep` is too large. Each request reads all data of its session. Default 65,536 (64 KB).
   */
  readonly maxDataBytes?: number | undefined
  /**
   * What a request gets when its lookup fails: `'fail'` (default), an error with status 503; `'anonymous'`, no
   * user. Login, logout and data writes fail either way.
   */
  readonly onStoreError?: 'fail' | 'anonymous' | undefined
  /**
   * What happens when a session's cookie comes from another browser engine (default `'refuse'`: that request is
   * anonymous, the session lives on) or from another network (default `'report'`: the event `clientChange`).
   */
  readonly onClientChange?:
    | { readonly engine?: ClientChangePolicy | undefined; readonly network?: ClientChangePolicy | undefined }
    | undefined
  /**
   * How much of a visitor's address a session keeps: `'whole'` (default), its `'network'` (an IPv4 /24 or an IPv6 /48,
   * by its first address: `203.0.113.0`), or `'none'`. Requests are compared with the network either way. An address
   * that was kept before is cut when the session is next touched. Events have the whole address of their request, and
   * are yours to keep or not.
   *
   * @throws SessionError OPTION_INVALID for `'none'` where `onClientChange` refuses another network.
   */
  readonly recordAddress?: AddressPolicy | undefined
  /**
   * Names the place of an address for the lists of a user's sessions, such as `'Berlin, Germany'`: `place` of
   * `SessionInfo`. Called once in each login, with the whole address, and kept in its session in at most 100 characters.
   * May be async. Where it fails, or takes longer than `storeTimeout`, the login has no place, and the process is warned
   * once. Default: none.
   *
   * @example describeAddress: (ip) => geo.lookup(ip)?.city
   */
  readonly describeAddress?: ((ip: string) => MaybePromise<string | null | undefined>) | undefined
  /** Other origins, such as `'https://app.example.com'`, whose pages may change state here. Default: none. */
  readonly trustedOrigins?: readonly string[] | undefined
  /**
   * Exact paths that an identity provider's page posts to, such as `['/auth/callback']`: callbacks of SAML and of
   * `response_mode=form_post`. Needed only with `cookie: { sameSite: 'none' }`, since browsers send no other cookie with
   * such a form. There a form of another site is no 403: it goes on as a stranger's, and its `login()` ends what the
   * browser holds. Say `login(…, { crossSite: true })` at the route. Default: none.
   */
  readonly crossSitePaths?: readonly string[] | undefined
  /**
   * Sends what the middleware, `requireUser()`, `login()` and `logout()` refuse with a status below 500: a stranger, a
   * page of another origin, an outdated cookie. Each helper may have its own. Default: the client gets JSON
   * `{ error: { code, message } }`, a small page or text, as it prefers, and nothing is logged.
   */
  readonly refused?: Refused | undefined
  /**
   * Reads the user of a session on each request; then the session keeps the id alone. Nothing found makes that
   * request anonymous, a throw is a 503; neither ends the session. A number comes back as a number. Any other id is
   * given as its text, such as that of a bigint or of an ObjectId.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- a string or a number: the application knows which
  readonly loadUser?: ((id: any) => unknown) | undefined
  /**
   * Whether a user may act as another one, by `sessionOf(req).actAs(user)`: for support staff. May be async. Anything
   * but `true` is a no. Default: nobody may. Needs a store with atomic updates.
   *
   * @example mayActAs: (actor, user) => actor.role === 'support' && user.role !== 'admin'
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- the application's own type of user
  readonly mayActAs?: ((actor: any, user: any) => MaybePromise<boolean>) | undefined
  /**
   * How long a user may act as another one: the acting session ends then, used or not, and never later than the actor's own
   * session. Default `'1h'`.
   */
  readonly actingTimeout?: Duration | undefined
  /**
   * What changes when older sessions of a user have to end, such as the number of password changes: a string or a number.
   * A login keeps it. A session whose user has another one ends at its next use, on every node and without an index.
   * Needs `loadUser`; a login must be given a user that has it. Default: none.
   *
   * @example authVersion: (user) => user.passwordChangedAt.getTime()
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- the application's own type of user
  readonly authVersion?: ((user: any) => string | number | bigint) | undefined
  /**
   * Where a user's id is: a string, an integer, a bigint, or an object that stands for an id, such as an ObjectId.
   * Default: `(user) => user.id`.
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- the application's own type of user
  readonly userId?: ((user: any) => UserId) | undefined
  /** Picks what the session keeps of a user: never a password hash. Default: the whole user, as JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any -- the application's own type of user
  readonly serializeUser?: ((user: any) => object) | undefined
  /**
   * Takes visitors over who are logged in by a cookie of another system, so that nobody has to log in again: see
   * `AdoptOptions`. Needs a store with atomic updates. Default: none.
   */
  readonly adopt?: AdoptOptions | undefined
  /** The session cookie. The defaults are the safest that work. */
  readonly cookie?: CookieOptions | undefined
}

/** What the HTTP side needs besides the core's settings. */
export interface HttpSettings extends Settings {
  readonly bearer: boolean
  readonly cookie: CookieSettings
  readonly deviceBinding?: BindingConfig | undefined
  readonly lifetime: LifetimeSetting | undefined
  readonly touch: IsActivity | undefined
  readonly trustedOrigins: ReadonlySet<string>
  readonly crossSitePaths: ReadonlySet<string>
  readonly adopt?: AdoptSettings | undefined
  readonly onStoreError: 'fail' | 'anonymous'
  readonly refused: Refused | undefined
  readonly isProduction: boolean
}
