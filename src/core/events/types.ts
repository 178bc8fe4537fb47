import type { SessionError } from '../../errors.js'
import type { ProofAlgorithm } from '../../record.js'
import type { Actor } from '../acting/actor.js'
import type { Client, ClientChange } from '../client/client.js'
import type { StoreOperation } from '../records/store-calls.js'

export type { Actor } from '../acting/actor.js'

/** Why a session began or ended: */
export type EventCause =
  /** somebody logged in, and what the browser held before was ended for it */
  | 'login'
  /** the user of a session has proven again who they are: it goes on as a new one */
  | 'reauthentication'
  /** the browser logged out */
  | 'logout'
  /** `revoke()` of the manager or of a request */
  | 'revoke'
  /** `revokeAll()` of the manager or of a request */
  | 'revokeAll'
  /** `revokeOthers()` of a request */
  | 'revokeOthers'
  /** a newer login of the user took its place, as `maxSessions` says */
  | 'maxSessions'
  /** `credentialsChanged()` of a request */
  | 'credentialsChanged'
  /** the session of who acted in it has ended (`actAs`) */
  | 'actorEnded'
  /** `stopActing()` of a request: the actor goes on with a fresh session */
  | 'stopActing'
  /** `authVersion` says another version of the user than at the login */
  | 'authVersion'
  /** a copied cookie was used, and `onReuse` is `'endAll'` */
  | 'reuse'
  /** the identity provider has logged the user out (`backchannelLogout()`) */
  | 'backchannelLogout'
  /** it was not used for its idle timeout */
  | 'idleTimeout'
  /** it reached its absolute timeout */
  | 'absoluteTimeout'
  /** its cookie could not be sent any more, since the response had begun */
  | 'undelivered'

/** What every event has, whatever it is about. All of it is frozen, and holds ids only, never a credential. */
export interface EventEnvelope<Type extends string = string> {
  /** The name of the event. */
  readonly type: Type
  /** When it was sent, in epoch milliseconds. */
  readonly at: number
  /** The public id of the session; `undefined` where it is about none. */
  readonly sessionId: string | undefined
  /** Whose session it is: text, or a number where the application's own id is one. */
  readonly userId: string | number | undefined
  /** Who acts as that user; `undefined` where nobody does. */
  readonly actor: Actor | undefined
  /** Who made the request that brought it about; `undefined` where none did, as with a job or a sweep. */
  readonly client: Client | undefined
  /** Why it came to it; `undefined` where the type says all. */
  readonly cause: EventCause | undefined
}

/** What every event about a session has. */
export interface SessionEvent<Type extends string = string> extends EventEnvelope<Type> {
  readonly sessionId: string
  readonly userId: string | number
}

/** An event about a session that a request has brought about. */
export interface RequestEvent<Type extends string = string> extends SessionEvent<Type> {
  readonly client: Client
}

/**
 * What was wrong with the bound cookie: it was `missing`, `unknown` (never issued, or long ago), or `expired`.
 * `skipped`: it is not fresh, and the browser says that it could not renew it.
 */
export type StaleReason = 'missing' | 'unknown' | 'expired' | 'skipped'

/**
 * The events of a manager, for audit logs and alerts. Each has the fields of `EventEnvelope`, and those that are listed with
 * it. No event holds a secret, a token or a cookie, and none is about the session of a guest.
 *
 * No request waits for a listener. A listener that throws or rejects harms no request and no other listener: Node prints
 * a warning. An ordinary request sends none, and an event that nobody listens to is not made.
 *
 * The same objects are published on the channel `express-sid:event` of `node:diagnostics_channel`.
 *
 * @example
 * sessions.on('loginRefused', ({ reason, client }) => log.warn({ reason, ip: client.ip }))
 */
export interface SessionEvents {
  /**
   * Every event, whichever it is.
   *
   * @example sessions.on('event', (event) => audit.insert(event))
   */
  event: AnySessionEvent
  /** A user logged in, or proved again who they are: then the `cause` is `'reauthentication'`, and the session before has ended. */
  login: RequestEvent<'login'>
  /** A cookie of another system has started a session, without a login (`adopt`). */
  adopt: RequestEvent<'adopt'>
  /** The browser of a session ended it: by a logout, or by its next login or re-authentication, then `replaced` is true. */
  logout: SessionEvent<'logout'> & { readonly replaced: boolean }
  /**
   * A session was ended from outside it: by `revoke`, `revokeAll` or `revokeOthers`, by a newer login (`maxSessions`), or
   * because the credentials of its user have changed. `cause` says which.
   */
  revoke: SessionEvent<'revoke'>
  /**
   * A session was removed after its deadline: because it was used or listed, or by a sweep. What the store forgets by
   * itself sends none: all of it with Redis, and what a full `memoryStore()` drops.
   */
  expire: SessionEvent<'expire'> & {
    /** The deadline that has passed, in epoch milliseconds. */
    readonly deadline: number
  }
  /**
   * `authenticate` returned no user: `reason` and `userId` are what `refuse()` was given. Or the user has `maxSessions`
   * already: then `reason` is `'SESSIONS_FULL'`. Or another user than that of the session has re-authenticated:
   * `'OTHER_USER'`.
   */
  loginRefused: EventEnvelope<'loginRefused'> & {
    readonly reason: string | undefined
    readonly client: Client
  }
  /** Another client seems to use the session. Sent at most once per session and `touchInterval`. */
  clientChange: RequestEvent<'clientChange'> & {
    /** What differs. */
    readonly changes: readonly ClientChange[]
    /** Whether the request was made anonymous. The session lives on either way. */
    readonly refused: boolean
    /** The client on record. */
    readonly recorded: Client
    /** The client of the request: the same as `client`. */
    readonly seen: Client
  }
  /**
   * `credentialsChanged()` was called: the session is a new one that has taken the place of `replaced`, and `ended` others
   * of the user were ended.
   */
  credentialsChanged: RequestEvent<'credentialsChanged'> & {
    readonly replaced: string
    readonly ended: number
  }
  /** A user has begun to act as another one (`actAs`): the session is the acting one, and `actor` is who acts. */
  actAs: RequestEvent<'actAs'>
  /** `stopActing()` was called in this acting session. The actor goes on in the session `resumed`. */
  stopActing: RequestEvent<'stopActing'> & { readonly resumed: string }
  /** The user of a session wanted to act as `refusedUserId`, and may not. */
  actAsRefused: RequestEvent<'actAsRefused'> & { readonly refusedUserId: string }
  /** A session was given a new secret: its cookie changes. */
  rotate: RequestEvent<'rotate'>
  /**
   * Nobody has used the last successors of a session's secret, so many in a row. Some client takes each one and goes
   * on with the old cookie: a thief who hides, or a proxy that drops cookies.
   */
  rotationUnused: RequestEvent<'rotationUnused'> & { readonly times: number }
  /**
   * An outdated secret of a session was used: the cookie was copied. `ended` says whether the session was ended for
   * it (`onReuse`). `client` is who used it: the thief, or the owner after the thief has moved on. Where the store fails
   * in that moment, the event may be sent twice. With `'report'` it is sent at most once per session and
   * `touchInterval`.
   */
  reuse: RequestEvent<'reuse'> & { readonly ended: boolean }
  /** A session was bound to its device (`deviceBinding`): the device has proven its key for the first time. */
  bind: RequestEvent<'bind'> & { readonly algorithm: ProofAlgorithm }
  /**
   * A request had the cookie of a bound session, but no fresh bound cookie: the cookie was copied, or the browser
   * could not renew it. Sent at most once per session and `touchInterval`.
   */
  stale: RequestEvent<'stale'> & { readonly reason: StaleReason }
  /**
   * A call to the store failed; `operation` is the method of the store. A request that depends on it gets a 503. A
   * touch or a sweep that fails shows only here.
   */
  storeError: EventEnvelope<'storeError'> & {
    readonly operation: StoreOperation
    readonly error: SessionError
  }
  /**
   * A call of this package failed, and the application had not awaited its promise: the visitor was told that all is
   * well. Sent once for each place in the code, with a warning of the process (`SID_UNAWAITED`).
   *
   * @example sessions.on('unawaited', ({ call, place, error }) => log.error({ call, place, error }))
   */
  unawaited: EventEnvelope<'unawaited'> & {
    /** What was called, such as `sessionOf(req).set()`. */
    readonly call: string
    /** Where: the function, the file and the line, as in a stack. */
    readonly place: string
    /** What the promise was rejected with. */
    readonly error: unknown
  }
}

/** The names of the events, without the name for all of them. */
export type EventName = Exclude<keyof SessionEvents, 'event'>

/** Any event of `SessionEvents`, told apart by its `type`. */
export type AnySessionEvent = { [Name in EventName]: SessionEvents[Name] }[EventName]

/** May be async: no request waits for it, and a rejection is reported as a throw is. */
export type Listener<Name extends keyof SessionEvents> = (event: SessionEvents[Name]) => unknown
