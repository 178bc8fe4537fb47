import type { IncomingMessage } from 'node:http'
import { SessionError } from '../../errors.js'
import type { Json, SessionInfo } from '../../record.js'
import type { BoundSession } from './request-session.js'

/** What crosses from a guest's session to the login that follows it. */
export interface KeepOptions {
  /** The names of the guest's data to keep. Default: none. From another login nothing ever crosses. */
  readonly keep?: readonly string[] | undefined
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
   * Logs a user in: always a new session with a new cookie; the one that the browser held has ended.
   * Does not ask where the request came from: the route helper `login()` does.
   */
  login(user: object, options?: KeepOptions): Promise<SessionInfo>
  /** Ends the session, and any other that the browser's cookies open. True when one was there. */
  logout(): Promise<boolean>
  /** This user's live sessions, last used first; this one is `current`. */
  list(): Promise<SessionInfo[]>
  /** Ends one of this user's sessions. False when it is not theirs or not there. */
  revoke(sessionId: string): Promise<boolean>
  /** Ends all of this user's sessions but this one; answers how many. */
  revokeOthers(): Promise<number>
  /** Ends all of this user's sessions with this one; answers how many. */
  revokeAll(): Promise<number>
  /** A value as it was when the request began, or as this request wrote it. A copy: changing it changes nothing. */
  get<T = Json>(key: string): T | undefined
  /**
   * Keeps a JSON value. Without a session it starts a guest's, but not for a form of another origin's page
   * (CROSS_ORIGIN): the browser may have held a login's cookie back, and would take the guest's in its place.
   */
  set(key: string, value: unknown): Promise<void>
  /**
   * Replaces a value by what `fn` makes of it, atomically: `fn` may run again on a newer value, so it must
   * do nothing else. Returning `undefined` removes the value.
   */
  update<T = Json>(key: string, fn: (value: T | undefined) => T | undefined): Promise<T | undefined>
  /** Removes a value. */
  delete(key: string): Promise<void>
  /**
   * Removes a value and answers it. Of simultaneous requests exactly one gets it. What was written after this
   * request began is left for the next one.
   */
  take<T = Json>(key: string): Promise<T | undefined>
}

// A registered symbol, so that the ESM and CommonJS copies of this package find each other's sessions.
const attached = Symbol.for('express-sid.session')

type Carrier = { [attached]?: BoundSession }

/**
 * This request's session.
 *
 * @throws SessionError MIDDLEWARE_MISSING when `sessionMiddleware()` did not run before.
 */
export function sessionOf(req: IncomingMessage): RequestSession {
  return boundSession(req)
}

/** The same, with what only this package uses. */
export function boundSession(req: IncomingMessage): BoundSession {
  const session = attachedSession(req)
  if (session !== undefined) return session
  throw new SessionError(
    'MIDDLEWARE_MISSING',
    'This request has not passed through sessionMiddleware(). Mount it above this route: app.use(sessionMiddleware()).',
  )
}

/** The session that a mount of the middleware has attached, if one has. */
export function attachedSession(req: IncomingMessage): BoundSession | undefined {
  return (req as Carrier)[attached]
}

/** Attaches the session to its request. */
export function attachSession(req: IncomingMessage, session: BoundSession): void {
  ;(req as Carrier)[attached] = session
}
