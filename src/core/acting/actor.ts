import { SessionError } from '../../errors.js'
import type { RecordActor, RecordLifetime, SessionRecord } from '../../record.js'
import { userIdOf } from '../user/user-id.js'

/*
 * Acting as another user. Pure: a record in, a decision out.
 *
 * The session of the actor stays, and names the acting session; that one names the actor's. An acting session is alive
 * only as long as both name each other. So it ends with the actor's own session, however that ends and wherever, and of
 * one session of the actor there is one acting session at most.
 */

/** Who acts as the user of a session, for whoever may know of the session. */
export interface Actor {
  readonly userId: string | number
  /** The actor's own session. */
  readonly sessionId: string
}

/** Who acts as the user of this session; `undefined` where it is the user's own. */
export function actorOf({ actor }: SessionRecord): Actor | undefined {
  return actor && { userId: userIdOf(actor)!, sessionId: actor.sessionId }
}

/** What an acting session keeps of its actor. */
export function actorOn({ id, userId, userIdType }: SessionRecord): RecordActor {
  return { sessionId: id, userId: userId!, userIdType }
}

/** Whether an acting session is the one that this session of its actor names. */
export function isActedFrom(own: SessionRecord, acting: SessionRecord): boolean {
  return own.acting === acting.id && acting.actor?.sessionId === own.id
}

/** How long an acting session lives: never longer than the session of its actor. */
export function actingLifetime(own: SessionRecord, now: number, actingTimeout: number): RecordLifetime {
  return { ...own.lifetime, absolute: Math.max(1, Math.min(actingTimeout, own.absoluteExpiresAt - now)) }
}

/** Fails in a session in which somebody acts as its user. */
export function assertNotActing({ actor }: SessionRecord): void {
  if (actor !== undefined) throw isActing()
}

/** What is refused where somebody acts as the user. */
export function isActing(): SessionError {
  return new SessionError(
    'ACTING',
    'This needs the user, and here somebody else acts as the user. Call sessionOf(req).stopActing() first.',
  )
}
