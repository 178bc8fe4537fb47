import type { SessionRecord } from './record.js'

/** A store in the process answers at once, one on the network with a promise. */
export type MaybePromise<T> = T | Promise<T>

/**
 * `ok`: written. `absent`: there is no such record, nothing was written.
 * `conflict`: the record has another version, nothing was written.
 */
export type UpdateResult = 'ok' | 'absent' | 'conflict'

/**
 * Where sessions live. One record is one value with a version under one key, its id; each operation is
 * atomic on that key. The core does the rest for every store alike: deadlines, retries on conflict,
 * batching, events, and every decision about time.
 *
 * Absent, ended and forgotten are all *not found*, which is an answer. An exception means that the
 * system failed; the request is then refused with 503.
 *
 * Answers belong to the asker, and so do arguments: a store neither keeps an object that the caller could
 * change nor hands out one that would change the store. Records are treated as immutable by the core.
 */
export interface SessionStore {
  /**
   * Keeps a new record. Never overwrites: throws where the id is taken.
   * The record is listed under its `userId` before it can be found, so that no session lives unlisted.
   */
  insert(record: SessionRecord): MaybePromise<void>

  /**
   * The record, or `undefined`. May answer one whose deadline has passed (the core decides that), and may
   * forget it from that moment on. Reads what was last written: never a replica that may lag.
   */
  get(id: string): MaybePromise<SessionRecord | undefined>

  /**
   * The records of these ids, in their order, `undefined` for each that is absent. Offered by stores for
   * which one question about many ids is cheaper than many questions; the core then gathers the lookups
   * of one event-loop turn. One damaged record spoils only its own place in the answer.
   */
  getMany?(ids: readonly string[]): MaybePromise<(SessionRecord | undefined)[]>

  /**
   * For stores that may return what is older than the last write, as a cache does: `get` that never does. The core
   * uses it where an old record would make an honest browser look like a thief.
   */
  getFresh?(id: string): MaybePromise<SessionRecord | undefined>

  /**
   * Replaces the record with the same id if its version is still `ifVersion`. `record.version` is
   * `ifVersion + 1`; id and userId are as before. Never creates: nothing brings an ended session back.
   */
  update(record: SessionRecord, ifVersion: number): MaybePromise<UpdateResult>

  /** Ends the session: true when it was there. From this answer on, no read finds it. */
  delete(id: string): MaybePromise<boolean>

  /**
   * All records of a user, in any order. May include some whose deadline has passed.
   * Any string is a user id.
   */
  listByUser(userId: string): MaybePromise<SessionRecord[]>

  /**
   * For stores without an expiry of their own: removes records whose `expiresAt` is at or before `now`.
   * Works through at most `limit` entries (removed, or found alive and put off) and answers how many;
   * fewer than `limit` means that nothing due is left. The core calls it in small steps, again and again,
   * so one step must be short; any number of processes may call it side by side.
   */
  deleteExpired?(now: number, limit: number): MaybePromise<number>
}
