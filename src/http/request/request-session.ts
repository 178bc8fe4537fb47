import type { AnonymousReason } from '../../core/reason.js'
import type { Json, SessionInfo } from '../../record.js'
import type { Duration } from '../../lib/options/duration.js'
import type { LifetimeOf, SessionLifetime } from '../lifetime/options.js'

/** The options of `sessionOf(req).login()`. */
export interface SessionLoginOptions {
  /** The names of the guest's data to keep. Default: none. From another login nothing ever crosses. */
  readonly keep?: readonly string[] | undefined
  /**
   * Lets other sites' pages send the visitor here: for callbacks of OAuth and SAML, which must
   * verify their own `state`. Default false.
   */
  readonly crossSite?: boolean | undefined
  /**
   * How long this login lives, in place of the option `lifetime` of `createSessions`: `{ idle, absolute, persistent }`,
   * or a function `(user, req)` that returns one. What is left out is as `idleTimeout`, `absoluteTimeout` and
   * `cookie.persistent` say.
   */
  readonly lifetime?: SessionLifetime | LifetimeOf | undefined
  /**
   * How the user has proven who they are, in your own words: `'password'`, or several such as `['password', 'otp']`. At
   * most 8 of at most 64 characters. The session keeps it with the time. Default: not said.
   */
  readonly method?: string | readonly string[] | undefined
  /**
   * The session at the identity provider that has begun this one: the `sid` of its ID token. For `backchannelLogout()`.
   * At most 1,024 characters. Default: none.
   */
  readonly providerSession?: string | undefined
}

/** The options of `sessionOf(req).reauthenticate()`. */
export interface ReauthenticateOptions extends Omit<
  SessionLoginOptions,
  'keep' | 'lifetime' | 'providerSession'
> {
  /** How long the new session lives. Default: as the one before, counted from now. */
  readonly lifetime?: SessionLifetime | LifetimeOf | undefined
}

/** What counts as a recent login. */
export interface RecentLogin {
  /** How long ago the user may have proven who they are, such as `'10m'`. */
  readonly within: Duration
  /**
   * The methods of which one must have been used within that time, as the option `method` of the login names them. To ask
   * for two, ask twice: for a route, by two guards in a row. Default: any, also one that no login has named.
   */
  readonly methods?: string | readonly string[] | undefined
}

/**
 * The session of one request. Every method that reaches the store rejects with a `SessionError` of status 503
 * when the store fails; data writes on a session that has ended reject with `SESSION_ENDED`; what needs a new
 * cookie after the headers were sent rejects with `HEADERS_SENT`, and starts no session.
 */
export interface RequestSession {
  /** The session's public id; `undefined` while there is no session. Holding it grants nothing. */
  readonly id: string | undefined
  /** Who is asking; `undefined` for a guest or a stranger. */
  readonly user: Express.User | undefined
  /**
   * Why this request has no user; `undefined` where it has one. For your log: do not show it to the visitor, since some
   * of these words tell a thief what to try next. It is worked out when you read it.
   *
   * @example
   * if (!req.user) log.info({ path: req.path, reason: sessionOf(req).reason })
   */
  readonly reason: AnonymousReason | undefined
  /**
   * Whether the session is bound to its device (`deviceBinding`): a copy of its cookie opens nothing. False in
   * browsers that can't bind sessions, and for a moment after each login.
   *
   * @example
   * if (!sessionOf(req).isBound) return res.render('confirm-password')
   */
  readonly isBound: boolean
  /**
   * The token of the session that this request has begun, where its client takes it in the body (`bearer`): once, for the
   * response. `undefined` where the cookie has it, and in every request that begins no session.
   *
   * @example
   * await sessionOf(req).login(user)
   * res.json({ user, token: sessionOf(req).bearerToken })
   */
  readonly bearerToken: string | undefined
  /**
   * Logs a user in: always a new session with a new cookie; the one that the browser held has ended.
   *
   * @throws SessionError CROSS_ORIGIN for a request from a page of another origin, whatever its method is: it could log
   * the visitor in as somebody else. `{ crossSite: true }` allows it.
   * @example
   * const { id } = await sessionOf(req).login(user, { keep: ['cart'] })
   */
  login(user: object, options?: SessionLoginOptions): Promise<SessionInfo>
  /**
   * The user of this session has proven again who they are. The session goes on as a new one: a new id and a new cookie,
   * the same data and lifetime, counted from now. The old cookie is good for nothing from then on. The methods of before
   * are kept with their times.
   *
   * @throws SessionError OTHER_USER (403) for anybody else, UNAUTHENTICATED (401) where nobody is logged in,
   * SESSION_ENDED (401) where the session was ended meanwhile, CROSS_ORIGIN as `login()` does. Then nothing has changed.
   * @example
   * if (await isPassword(req.user, req.body.password)) {
   *   await sessionOf(req).reauthenticate(req.user, { method: 'password' })
   * }
   */
  reauthenticate(user: object, options?: ReauthenticateOptions): Promise<SessionInfo>
  /**
   * Whether the user has proven within this time who they are, as `requireRecentLogin()` asks. False for a guest and a
   * stranger.
   *
   * @throws SessionError OPTION_INVALID for an option that there is not.
   * @example
   * const mustConfirm = !sessionOf(req).hasRecentLogin({ within: '10m' })
   */
  hasRecentLogin(recent: RecentLogin): boolean
  /** Ends the session, and any other that the browser's cookies open. True when one was there. */
  logout(): Promise<boolean>
  /** This user's live sessions, last used first; this one is `current`. */
  list(): Promise<SessionInfo[]>
  /** Ends one of this user's sessions. False when it is not theirs or not there. */
  revoke(sessionId: string): Promise<boolean>
  /** Ends all of this user's sessions but this one; returns how many. */
  revokeOthers(): Promise<number>
  /** Ends all of this user's sessions with this one; returns how many. */
  revokeAll(): Promise<number>
  /**
   * Who acts as the user of this request, as the application knows them; `undefined` where it is the user themselves.
   *
   * @example
   * audit(req.user.id, { by: sessionOf(req).actor?.id ?? req.user.id })
   */
  readonly actor: Express.User | undefined
  /**
   * Begins to act as another user, for support staff: `req.user` is that user from now on, and `actor` who has logged in.
   * It is a new session, which lives for `actingTimeout` at most and is listed under the user that is acted as. The
   * session of the actor stays, with its data. If it ends, both have ended.
   *
   * @throws SessionError ACT_AS_REFUSED unless the option `mayActAs` says yes; ACTING in an acting session; USER_INVALID for
   * what is no user; UNAUTHENTICATED where nobody is logged in.
   * @example
   * await sessionOf(req).actAs(await users.find(req.params.id))
   */
  actAs(user: object): Promise<SessionInfo>
  /**
   * Ends the acting session, and gives the actor a fresh session with the data of their own: a new id and a new cookie.
   *
   * @throws SessionError NOT_ACTING where nobody acts here; SESSION_ENDED where the actor's own session has ended.
   * @example
   * await sessionOf(req).stopActing()
   */
  stopActing(): Promise<SessionInfo>
  /**
   * Call it once the user has a new password or another new credential. All other sessions of the user end. This one is
   * replaced by a new one with the same data and the same deadlines: a copy of its cookie opens nothing any more.
   *
   * Save the new credential first. A login that was under way with the old one is ended too: see the page on limits for
   * when exactly.
   *
   * @throws SessionError UNAUTHENTICATED where nobody is logged in; UNSUPPORTED where the store can't list the
   * sessions of a user. If the store fails (503), some of the others may have ended: call it again.
   * @example
   * await users.setPassword(req.user.id, req.body.password)
   * await sessionOf(req).credentialsChanged()
   */
  credentialsChanged(): Promise<SessionInfo>
  /**
   * Changes the user that this session keeps, atomically: no data and no other change of the user is lost. `fn` gets the
   * user as the session keeps it, and what it returns is kept as a login's user is. It may run again on a newer one, so it
   * must do nothing else. `sessions.updateUser(userId, fn)` does it in all sessions of the user.
   *
   * @returns the new user, which is `req.user` from now on.
   * @throws SessionError UNSUPPORTED with `loadUser`, since then there is nothing to update; UNAUTHENTICATED where
   * nobody is logged in; USER_INVALID for what is no user, or another one.
   * @example
   * await sessionOf(req).updateUser((user) => ({ ...user, name: req.body.name }))
   */
  updateUser(fn: (user: Express.User) => object): Promise<Express.User>
  /** A value as it was when the request began, or as this request wrote it. A copy: changing it changes nothing. */
  get<T = Json>(key: string): T | undefined
  /**
   * Keeps a JSON value. Without a session it starts a guest's, but not for a form of another origin's page
   * (CROSS_ORIGIN): the browser may have held a login's cookie back, and would take the guest's in its place.
   *
   * @example
   * await sessionOf(req).set('theme', 'dark')
   */
  set(key: string, value: unknown): Promise<void>
  /**
   * Replaces a value by what `fn` makes of it, atomically: `fn` may run again on a newer value, so it must
   * do nothing else. Returning `undefined` removes the value.
   *
   * @example
   * await sessionOf(req).update('visits', (visits = 0) => visits + 1)
   */
  update<T = Json>(key: string, fn: (value: T | undefined) => T | undefined): Promise<T | undefined>
  /** Removes a value. */
  delete(key: string): Promise<void>
  /**
   * Removes a value and returns it. Of simultaneous requests exactly one gets it. What was written after this
   * request began is left for the next one.
   *
   * @example
   * const message = await sessionOf(req).take('flash')
   */
  take<T = Json>(key: string): Promise<T | undefined>
}
