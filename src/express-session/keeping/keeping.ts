import type { ServerResponse } from 'node:http'
import type { SessionError } from '../../errors.js'
import type { SessionRecord } from '../../record.js'
import type { Callback, SessionObject, SessionRequest, StoredData, StoreObject } from '../classes/types.js'
import type { Origin } from '../origin.js'

/** What a store needs to know of the request that it serves. */
export interface Visiting {
  readonly req: SessionRequest
  readonly res: ServerResponse
  /** A session took the place of this request's: `sessionOf(req)` has logged in, or has written as a guest. */
  adopt(sid: string, found: StoredData, isSent: boolean, isSuccessor: boolean): void
  /** The response carries this token: that of a secret that was replaced, or of a session that took the place of this one. */
  sent(token: string): void
  /** `sessionOf(req)` has written to the session of this request. */
  rebase(record: SessionRecord): void
  /** `sessionOf(req)` has ended it. */
  dropped(): void
}

/** Where the sessions of one middleware are kept: in a store of express-session, or in one of this package. */
export interface Keeping {
  /** What `req.sessionStore` is. */
  readonly store: StoreObject
  /** Whether the store can be asked now. */
  readonly isReady: boolean
  /** Whether uses of a session are written by `touch`; if not, finding it does that as well. */
  readonly touches: boolean
  /** Called for each request before anything else is. */
  begin(visit: Visiting): void
  /** Finds a session; nothing where there is none, or where it has ended. */
  find(sid: string, visit: Visiting, found: Callback<StoredData | null | undefined>): void
  /** Why this request may not keep a session of its own: its browser holds one that it may not use. */
  barrier(visit: Visiting): SessionError | undefined
  /** Writes what the request has changed. Rejects with SESSION_ENDED, and writes nothing, where the session has ended. */
  save(session: SessionObject, origin: Origin | undefined, visit: Visiting | undefined): Promise<void>
  /** The same under a new id, for another user; the session that was there has ended. */
  replace(session: SessionObject, origin: Origin, sid: string, visit: Visiting): Promise<void>
  destroy(sid: string, visit: Visiting | undefined): Promise<void>
  /** Moves the deadline, where that is due. */
  touch(session: SessionObject, isAsked: boolean): Promise<void> | undefined
}
