import { EventEmitter } from 'node:events'
import { inspect } from 'node:util'
import { isSessionError, type SessionError } from '../../errors.js'
import type { Client, ClientChange } from '../client/client.js'
import { checkListener } from './event-names.js'
import { debug, isDebugging } from '../../lib/debug.js'
import { isPromise } from '../../lib/async/promises.js'
import type { ProofAlgorithm } from '../../record.js'
import type { StoreOperation } from '../records/store-calls.js'

/** What every event about a session has: ids only, never a credential. */
export interface SessionEvent {
  /** The public id of the session. */
  readonly sessionId: string
  /** Whose session it is: text, or a number where the application's own id is one. */
  readonly userId: string | number
}

/**
 * What was wrong with the bound cookie: it was `missing`, `unknown` (never issued, or long ago), or `expired`.
 * `skipped`: it is not fresh, and the browser says that it could not renew it.
 */
export type StaleReason = 'missing' | 'unknown' | 'expired' | 'skipped'

/**
 * The events of a manager, for audit logs and alerts. No event holds a secret, a token or a cookie, and none is about
 * the session of a guest. No request waits for a listener. A listener that throws or rejects harms no request: Node
 * prints a warning.
 *
 * @example
 * sessions.on('loginRefused', ({ reason, client }) => log.warn({ reason, ip: client.ip }))
 */
export interface SessionEvents {
  /** A user logged in. */
  login: SessionEvent & { readonly client: Client }
  /** The browser of a session ended it: by a logout, or by its next login, then `replaced` is true. */
  logout: SessionEvent & { readonly replaced: boolean }
  /** A session was ended from outside it, by `revoke`, `revokeAll` or `revokeOthers`. */
  revoke: SessionEvent
  /** A session was used or listed after its deadline, and was removed. What a sweep removes sends no event. */
  expire: SessionEvent
  /** `authenticate` returned no user. `reason` and `userId` are what `refuse()` was given. */
  loginRefused: {
    readonly reason: string | undefined
    readonly userId: string | number | undefined
    readonly client: Client
  }
  /** Another client seems to use the session. Sent at most once per session and `touchInterval`. */
  clientChange: SessionEvent & {
    /** What differs. */
    readonly changes: readonly ClientChange[]
    /** Whether the request was made anonymous. The session lives on either way. */
    readonly refused: boolean
    /** The client on record. */
    readonly recorded: Client
    /** The client of the request. */
    readonly seen: Client
  }
  /** A session was given a new secret: its cookie changes. */
  rotate: SessionEvent
  /**
   * Nobody has used the last successors of a session's secret, so many in a row. Some client takes each one and goes
   * on with the old cookie: a thief who hides, or a proxy that drops cookies.
   */
  rotationUnused: SessionEvent & { readonly times: number }
  /**
   * An outdated secret of a session was used: the cookie was copied. `ended` says whether the session was ended for
   * it (`onReuse`). `client` is who used it: the thief, or the owner after the thief has moved on. Where the store fails
   * in that moment, the event may be sent twice. With `'report'` it is sent at most once per session and
   * `touchInterval`.
   */
  reuse: SessionEvent & { readonly client: Client; readonly ended: boolean }
  /** A session was bound to its device (`deviceBinding`): the device has proven its key for the first time. */
  bind: SessionEvent & { readonly algorithm: ProofAlgorithm }
  /**
   * A request had the cookie of a bound session, but no fresh bound cookie: the cookie was copied, or the browser
   * could not renew it. Sent at most once per session and `touchInterval`.
   */
  stale: SessionEvent & { readonly reason: StaleReason; readonly client: Client }
  /**
   * A call to the store failed; `operation` is the method of the store. A request that depends on it gets a 503. A
   * touch or a sweep that fails shows only here.
   */
  storeError: { readonly operation: StoreOperation; readonly error: SessionError }
  /**
   * A call of this package failed, and the application had not awaited its promise: the visitor was told that all is
   * well. Sent once for each place in the code, with a warning of the process (`SID_UNAWAITED`).
   *
   * @example sessions.on('unawaited', ({ call, place, error }) => log.error({ call, place, error }))
   */
  unawaited: {
    /** What was called, such as `sessionOf(req).set()`. */
    readonly call: string
    /** Where: the function, the file and the line, as in a stack. */
    readonly place: string
    /** What the promise was rejected with. */
    readonly error: unknown
  }
}

/** May be async: no request waits for it, and a rejection is reported as a throw is. */
export type Listener<Name extends keyof SessionEvents> = (event: SessionEvents[Name]) => unknown

// The compiler keeps it complete.
const names: Record<keyof SessionEvents, true> = {
  login: true,
  logout: true,
  revoke: true,
  expire: true,
  loginRefused: true,
  clientChange: true,
  rotate: true,
  rotationUnused: true,
  reuse: true,
  bind: true,
  stale: true,
  storeError: true,
  unawaited: true,
}

/** Sends events to listeners. A listener that throws is reported, and never harms the request. */
export class Events {
  // An app may well add a listener for each of its sockets: no warning of a leak.
  readonly #emitter = new EventEmitter().setMaxListeners(0)

  on<Name extends keyof SessionEvents>(name: Name, listener: Listener<Name>): void {
    checkListener(names, name, listener)
    this.#emitter.on(name, listener)
  }

  off<Name extends keyof SessionEvents>(name: Name, listener: Listener<Name>): void {
    checkListener(names, name, listener)
    this.#emitter.off(name, listener)
  }

  emit<Name extends keyof SessionEvents>(name: Name, event: SessionEvents[Name]): void {
    if (isDebugging) debug(`${name}: ${shown(event)}`)
    for (const listener of this.#emitter.listeners(name) as Listener<Name>[]) {
      try {
        const returned = listener(event)
        if (isPromise(returned)) returned.then(undefined, (error: unknown) => report(name, error))
      } catch (error) {
        report(name, error)
      }
    }
  }
}

/** What an event says, without addresses and what applications and drivers put into errors. */
function shown(event: object): string {
  const {
    client: _client,
    recorded: _recorded,
    seen: _seen,
    error,
    ...rest
  } = event as Record<string, unknown>
  return JSON.stringify(isSessionError(error) ? { ...rest, code: error.code } : rest)
}

function report(name: string, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : inspect(error)
  process.emitWarning(`A listener of the session event "${name}" threw: ${text}`, {
    type: 'ExpressSidWarning',
    code: 'SID_LISTENER',
  })
}
