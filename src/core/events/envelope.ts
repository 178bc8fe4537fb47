import type { SessionRecord } from '../../record.js'
import type { Client } from '../client/client.js'
import { userIdOf } from '../user/user-id.js'
import { actorOf, type Actor } from '../acting/actor.js'
import type { EventCause, EventEnvelope, EventName, SessionEvents } from './types.js'

/** What an event is about: from this its envelope is made. */
export interface About {
  /** Whose session it is about; absent where it is about none. */
  readonly record?: SessionRecord | undefined
  /** Who it is about, where no record says it. */
  readonly userId?: string | number | undefined
  readonly client?: Client | undefined
  readonly cause?: EventCause | undefined
}

/** What an event of this name is made of: what it is about, and the fields of its own. */
export type Told<Name extends EventName> = About & Omit<SessionEvents[Name], keyof EventEnvelope>

/** Makes an event. It is frozen, since all its listeners get the same one. */
export function eventOf<Name extends EventName>(type: Name, told: Told<Name>): SessionEvents[Name] {
  const { record, userId, client, cause, ...own } = told as Told<EventName>
  const envelope: EventEnvelope = {
    type,
    at: Date.now(),
    sessionId: record?.id,
    userId: record === undefined ? userId : userIdOf(record),
    actor: record && frozenActorOf(record),
    client: client && clientOf(client),
    cause,
  }
  return Object.freeze({ ...envelope, ...own }) as unknown as SessionEvents[Name]
}

function frozenActorOf(record: SessionRecord): Actor | undefined {
  const actor = actorOf(record)
  return actor && Object.freeze(actor)
}

/**
 * The client alone, for a listener. What stands for a client may be a whole record, with hashes and data that are
 * nobody's to see.
 */
export function clientOf({ userAgent, ip }: Client): Client {
  return Object.freeze({ userAgent, ip })
}
