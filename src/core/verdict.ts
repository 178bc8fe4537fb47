import type { SessionError } from '../errors.js'
import type { SessionRecord } from '../record.js'
import type { Client } from './client/client.js'
import type { AnonymousReason } from './reason.js'

/** What is known of a request once its cookies have been looked up. The HTTP side acts on this and on nothing else. */
export interface Verdict {
  /** The one live session that this client may use. */
  readonly record: SessionRecord | undefined
  /** Whose session it is, as the application knows them. */
  readonly user: unknown
  /**
   * All live sessions whose secrets the cookies hold, also one that this client was refused: what a login or a
   * logout of this browser ends.
   */
  readonly held: readonly SessionRecord[]
  /** Whether the session was there, and ended while it was looked at. */
  readonly hasEnded: boolean
  /** Whether the cookies were looked up. If so, and nothing is held and nothing barred, what they name is gone. */
  readonly wasLookedUp: boolean
  /** A new token of the same session, which the response must carry: the secret has rotated. */
  readonly token: string | undefined
  /** Why a session that is there is not this request's to use. What needs the session fails with this error. */
  readonly barred: SessionError | undefined
  /**
   * Why the lookup has led to nobody. Absent where it led to a session, and where there was none: then the record, the
   * failure or the cookies say why.
   */
  readonly reason: AnonymousReason | undefined
  /** Who acts as the user, as the application knows them. Absent where it is the user's own session. */
  readonly actor?: unknown
  /** Why the session could not be looked up: the store or `loadUser` failed. Then nothing else is known. */
  readonly failure: unknown
}

/** The verdict on a request without a session. */
export const nobody: Verdict = {
  record: undefined,
  user: undefined,
  held: [],
  hasEnded: false,
  wasLookedUp: false,
  token: undefined,
  barred: undefined,
  reason: undefined,
  failure: undefined,
}

/** The verdict where the cookies name no session that is there. */
export const notFound: Verdict = { ...nobody, wasLookedUp: true, reason: 'unknown' }

/** The verdict where the session is there and the secret was never its own. To the outside it is the same. */
export const wrongSecret: Verdict = { ...notFound, reason: 'wrongSecret' }

/** The verdict where the token opens its session only in another place: a bearer's in a cookie, or the reverse. */
export const misplaced: Verdict = { ...notFound, reason: 'misplaced' }

/** The verdict where the deadline has passed. */
export const expired: Verdict = { ...notFound, reason: 'expired' }

/** The verdict where the record is marked as ended. */
export const markedEnded: Verdict = { ...notFound, reason: 'ended' }

/** The verdict where the session was good, and ended while it was looked at. */
export const endedMeanwhile: Verdict = { ...markedEnded, hasEnded: true }

/** The verdict where the lookup failed. */
export function undecided(failure: unknown): Verdict {
  return { ...nobody, failure }
}

/** The verdict for a request that may end the sessions which its browser holds, and may use none of them. */
export function asStranger(verdict: Verdict): Verdict {
  const { failure, record } = verdict
  if (failure !== undefined || record === undefined) return verdict
  return { ...verdict, record: undefined, user: undefined, reason: 'crossOrigin' }
}

/** Called exactly once with the verdict: at once where nothing has to be waited for. */
export type Settle = (verdict: Verdict) => void

/** Where a request comes from. Its methods are called only when a session has been found. */
export interface ClientSource {
  /** `'bearer'` where the token came in `Authorization`; absent: in a cookie. */
  readonly via?: 'bearer' | undefined
  /** @param known the client on record, to be returned itself where nothing differs from it. */
  client(known: Client): Client
  /** Whether the response can give the browser a new token: it may come too late, or belong to no page. */
  takesToken(): boolean
  /**
   * Takes a touch that is due, to call it once it is known that the request is an activity of its user, or never.
   * Absent where that is known from the start: then the touch is written before the verdict.
   */
  touchLater?(touch: () => unknown): void
  /**
   * What the request says of its device; called only for a bound session. Absent where a request can't say anything:
   * then a bound session is stale.
   */
  deviceSigns?(sessionId: string): DeviceSigns
}

/** What a request brings along to show that it comes from the device of its session. */
export interface DeviceSigns {
  /** The values of the bound cookie. There is one, or none; more than one is somebody else's doing. */
  readonly values: readonly string[]
  /** Whether the browser says that it could not renew the bound cookie of this session. */
  readonly isSkipped: boolean
}
