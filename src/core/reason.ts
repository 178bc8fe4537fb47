import { isSessionError } from '../errors.js'
import type { SessionRecord } from '../record.js'

/**
 * Why a request has no user: `sessionOf(req).reason`. For your log, not for the visitor: some of these words tell a
 * thief what to try next. The page "When it does not work" says what to do about each of them.
 *
 * - `noCookie`: the browser has sent no cookie of this package.
 * - `otherCookieName`: it has sent one under another name than the one that this request reads.
 * - `malformed`: it has sent the cookie, with a value that this package never made.
 * - `tooManyCookies`: it has sent more cookies of this name than are looked up.
 * - `unknown`: the store has no such session. It was logged out or revoked, has expired, or the store has lost it.
 *   Stores keep no graves, so nobody can say which.
 * - `wrongSecret`: there is such a session, and the secret was never its own.
 * - `misplaced`: the token came in a cookie, and opens its session only in `Authorization`, or the reverse (`bearer`).
 * - `expired`: its deadline has passed.
 * - `ended`: it has ended during this request, or a moment ago.
 * - `superseded`: the secret is outdated. The session has gone on with another one: the cookie was copied.
 * - `stale`: the session is bound to its device, and nothing shows that the request comes from there.
 * - `otherEngine`, `otherNetwork`: the client is not the one of the login (`onClientChange`).
 * - `severalSessions`: the cookies open several sessions, and nobody can know which one is meant.
 * - `guest`: there is a session, and nobody has logged in.
 * - `userNotFound`: there is a session, and `loadUser` has found no user.
 * - `userNotKept`: the session was started with `loadUser`, and now there is no `loadUser`.
 * - `storeFailed`: the session could not be looked up.
 * - `loadUserFailed`: `loadUser` has failed.
 * - `crossOrigin`: the request was refused, since a page of another origin has sent it.
 */
export type AnonymousReason =
  | 'noCookie'
  | 'otherCookieName'
  | 'malformed'
  | 'tooManyCookies'
  | 'unknown'
  | 'wrongSecret'
  | 'misplaced'
  | 'expired'
  | 'ended'
  | 'superseded'
  | 'stale'
  | 'otherEngine'
  | 'otherNetwork'
  | 'severalSessions'
  | 'guest'
  | 'userNotFound'
  | 'userNotKept'
  | 'storeFailed'
  | 'loadUserFailed'
  | 'crossOrigin'

/** Why a session that is there is without a user. */
export function withoutUser({ userId }: SessionRecord): AnonymousReason {
  return userId === undefined ? 'guest' : 'userNotFound'
}

/** Which kind of failure keeps a request from its session. */
export function reasonOfFailure(failure: unknown): AnonymousReason {
  const code = isSessionError(failure) ? failure.code : undefined
  if (code === 'USER_LOAD_FAILED') return 'loadUserFailed'
  return code === 'CROSS_ORIGIN' ? 'crossOrigin' : 'storeFailed'
}
