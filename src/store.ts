import type { MaybePromise } from './lib/async/promises.js'
import type { SessionRecord } from './record.js'

export type { MaybePromise } from './lib/async/promises.js'

/**
 * `ok`: written. `absent`: there is no such record, nothing was written.
 * `conflict`: the record has another version, nothing was written.
 */
export type UpdateResult = 'ok' | 'absent' | 'conflict'

/** What a store tells of the sessions that any process ends. */
export interface EndsListener {
  /** A session was ended. It may be told several times, and of sessions that nobody asked about. */
  ended(id: string): void
  /** The channel works: it was opened, or opened again, or a sign of life has come through. */
  alive(): void
  /** The channel is lost: from now on ends may be missed, until it is alive again. */
  lost(): void
}

/** A way to hear, in every process, which sessions are ended. */
export interface EndsChannel {
  /**
   * Sends a sign of life through the channel, upon which every process that listens calls `alive`. Where the channel is
   * lost, or the last sign of life has not come through, it is opened anew. A failure is no matter: then nothing comes.
   */
  beat(): MaybePromise<void>
  /** Listens no more, and closes what it has opened. */
  close(): MaybePromise<void>
}

/** Told of the records that a sweep has removed. */
export type OnRemoved = (records: readonly SessionRecord[]) => void

/** A page of a user's records. */
export interface RecordPage {
  readonly records: SessionRecord[]
  /** What the call for the next page is given; `undefined` after the last page. Only this store can read it. */
  readonly next: string | undefined
}

/**
 * Where sessions live. One record is one value with a version under one key, its id; each operation is
 * atomic on that key. The core does the rest for every store alike: deadlines, retries on conflict,
 * batching, events, and every decision about time.
 *
 * Absent, ended and forgotten records are all *not found*, which is a normal result. An exception means that the
 * system failed; the request is then refused with 503.
 *
 * Results belong to the caller, and so do arguments: a store neither keeps an object that the caller could
 * change nor returns one whose change would change the store. The core treats records as immutable.
 *
 * Four methods are required. The others are capabilities: leave out what the store can't do. What is missing is
 * known when the manager is made, not when a user asks for it.
 *
 * @example const store: SessionStore = { insert, get, update, delete: remove }
 */
export interface SessionStore {
  /**
   * Keeps a new record. Never overwrites: throws where the id is taken.
   * The record is listed under its `userId` before it can be found, so that no session lives unlisted.
   */
  insert(record: SessionRecord): MaybePromise<void>

  /**
   * The record, or `undefined`. May return one whose deadline has passed (the core decides that), and may
   * forget it from that moment on. Reads what was last written: never a replica that may lag.
   */
  get(id: string): MaybePromise<SessionRecord | undefined>

  /**
   * Optional, for stores that may return what is older than the last write, as a cache does: `get` that never does.
   * The core uses it where an old record would make an honest browser look like a thief.
   */
  getFresh?(id: string): MaybePromise<SessionRecord | undefined>

  /**
   * Replaces the record with the same id if its version is still `ifVersion`. `record.version` is
   * `ifVersion + 1`; id and userId are as before. Never creates: nothing brings an ended session back.
   */
  update(record: SessionRecord, ifVersion: number): MaybePromise<UpdateResult>

  /**
   * Many updates in one call, each with a result of its own, in their order. Offered by stores for which that is
   * cheaper. The core then gathers the touches of one turn of the event loop.
   */
  updateMany?(
    updates: readonly { readonly record: SessionRecord; readonly ifVersion: number }[],
  ): MaybePromise<UpdateResult[]>

  /** Ends the session: true when it was there. Once this has returned, no read finds it. */
  delete(id: string): MaybePromise<boolean>

  /**
   * Optional: all records of a user, in any order. May include some whose deadline has passed.
   * Any string is a user id. Without this method the sessions of a user can't be listed or revoked together.
   */
  listByUser?(userId: string): MaybePromise<SessionRecord[]>

  /**
   * Optional, for users with very many sessions: the records that `listByUser` returns, a page at a time, in an order
   * of the store's own. A page has at most `limit` records, and may have fewer before the last one.
   *
   * A record that is there from the first page to the last is returned, whatever is inserted, changed and ended in the
   * meantime; where it was changed, it may be returned twice.
   *
   * @param after `next` of the page before; left out for the first page.
   */
  pageByUser?(userId: string, limit: number, after?: string): MaybePromise<RecordPage>

  /**
   * Optional, for stores in which one question about many ids is cheaper than many questions: the records of
   * these ids, in their order, `undefined` for each that is absent. The core then gathers the lookups of one turn
   * of the event loop. A damaged record spoils only its own place in the result.
   */
  getMany?(ids: readonly string[]): MaybePromise<(SessionRecord | undefined)[]>

  /**
   * Optional, for stores without an expiry of their own: removes records whose `expiresAt` is at or before `now`.
   * Works through at most `limit` entries (removed, or found alive and put off) and returns how many;
   * fewer than `limit` means that nothing due is left. The core calls it in small steps, again and again,
   * so one step must be short; any number of processes may call it at the same time.
   *
   * @param onRemoved given only where somebody listens to the event `expire`. The store may call it with the records
   * that this call has removed, once nothing can undo that. Each record is told by one process only. A store that can't
   * read what it removes ignores it, and then what a sweep removes sends no event.
   */
  deleteExpired?(now: number, limit: number, onRemoved?: OnRemoved): MaybePromise<number>

  /**
   * Optional, for stores that can tell all processes at once which sessions are ended: begins to listen. What `delete` has
   * ended, and an `update` to a record with `endedBy`, is told in the same step as it is done, so that no crash lies in
   * between. Deadlines are not told. Without this method the core looks for the sessions that it watches.
   */
  hearEnds?(listener: EndsListener): EndsChannel

  /**
   * Optional, for tools that go through the whole store, such as a copy: all records, guests too, a page at a time, in an
   * order of the store's own. A page has about `limit` records. It may have more, or none before the last one.
   *
   * A record that is there from the first page to the last is returned, whatever is inserted, changed and ended in the
   * meantime; it may be returned twice. Rejects where that can't be promised any more, as when a Cluster moves keys.
   *
   * @param after `next` of the page before; left out for the first page.
   */
  scan?(limit: number, after?: string): MaybePromise<RecordPage>

  /**
   * Optional: how many sessions there are, without those whose deadline passed more than a minute before `now`, and
   * without what is no session, such as the ledgers of `maxSessions`: its id is a UUIDv8. It may read the whole store: ask
   * for it now and then, and not in requests.
   */
  count?(now: number): MaybePromise<number>

  /**
   * Optional: `false` where `update` is atomic within one process only. Then two processes that write to one
   * session at the same moment may lose a write, and a write may bring back what another process just ended.
   * Absent means that updates are atomic across all processes.
   */
  readonly atomicUpdates?: boolean | undefined
}

type MethodName = Exclude<keyof SessionStore, 'atomicUpdates'>

/** The methods that a store may leave out. */
export type OptionalMethod = {
  [Name in MethodName]: undefined extends SessionStore[Name] ? Name : never
}[MethodName]

// A table, so that the compiler asks for a method that is missing here.
const optional = {
  listByUser: true,
  pageByUser: true,
  getMany: true,
  getFresh: true,
  updateMany: true,
  deleteExpired: true,
  hearEnds: true,
  scan: true,
  count: true,
} as const satisfies Record<OptionalMethod, true>

/** Their names. */
export const optionalMethods = Object.keys(optional) as OptionalMethod[]

/** A store that can be gone through as a whole, as every store of this package but an adapted one can. */
export interface ScannableStore extends ListingStore {
  /** All records, a page at a time: see `SessionStore`. */
  scan(limit: number, after?: string): MaybePromise<RecordPage>

  /** How many records there are: see `SessionStore`. */
  count(now: number): MaybePromise<number>
}

/** A store that can list the sessions of a user, as every store of this package can. */
export interface ListingStore extends SessionStore {
  /** All records of a user, in any order. May include some whose deadline has passed. Any string is a user id. */
  listByUser(userId: string): MaybePromise<SessionRecord[]>

  /** The same, a page at a time: see `SessionStore`. */
  pageByUser(userId: string, limit: number, after?: string): MaybePromise<RecordPage>
}
