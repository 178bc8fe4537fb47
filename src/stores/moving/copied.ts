import { randomInt } from 'node:crypto'
import type { SessionRecord } from '../../record.js'
import type { MaybePromise, SessionStore } from '../../store.js'

/*
 * What keeps a move exact, beside any number of processes that log in, write and log out.
 *
 * A copy in `to` has a mark, and counts for nothing: as long as it has one, the record in `from` is the session. The mark
 * is taken off by compare-and-set on the version of the copy. From then on the record in `to` is the session. These rules
 * make that final:
 *
 * - Who takes a mark off has read the copy first, then has seen the record in `from`.
 * - Who ends a session deletes in `from` first, then in `to`.
 * - Each copy has a random version. So whoever takes off a mark can't meet another copy than the one that was read: one
 *   that a slow process makes of a session which has ended in between.
 *
 * So a copy that comes too late is never used: nothing in `from` speaks for it. It is removed when it is found.
 */

/** A copy that counts for nothing yet. */
export interface Copied extends SessionRecord {
  /** The version of the record that it was copied from. */
  readonly copiedFrom: number
}

export type Found = SessionRecord | undefined

/** Whether a record is only a copy. */
export function isCopied(record: Found): record is Copied {
  return record !== undefined && typeof (record as Partial<Copied>).copiedFrom === 'number'
}

/** Whether a record in `to` is the session itself. */
export function isOwn(record: Found): record is SessionRecord {
  return record !== undefined && !isCopied(record)
}

/** A copy, with a version that no other copy has. Versions are whole numbers: this one leaves room for 2^52 changes. */
export function copyOf(record: SessionRecord): Copied {
  return { ...record, version: randomInt(2 ** 32, 2 ** 47), copiedFrom: record.version }
}

/** The record that a store holds, as it was before it was copied there: a store may once have been the `to` of a move. */
export function original(record: SessionRecord): SessionRecord {
  if (!isCopied(record)) return record
  const { copiedFrom, ...rest } = record
  return { ...rest, version: copiedFrom }
}

/** As the store has it now: a store may be a cache. */
export function getFresh(store: SessionStore, id: string): MaybePromise<Found> {
  return store.getFresh === undefined ? store.get(id) : store.getFresh(id)
}

/** The records of these ids, in their order. */
export async function getAll(store: SessionStore, ids: readonly string[]): Promise<Found[]> {
  if (ids.length === 0) return []
  if (store.getMany !== undefined && store.getFresh === undefined) return store.getMany(ids)
  return Promise.all(ids.map(async (id) => getFresh(store, id)))
}

/**
 * Removes a copy of a session that has ended. What is no copy any more stays: then the session has moved.
 *
 * @returns whether there was one.
 */
export async function dropCopy(to: SessionStore, id: string): Promise<boolean> {
  if (!isCopied(await getFresh(to, id))) return false
  return to.delete(id)
}

/**
 * Makes a record in `to` the session, in place of the copy that was read there before `from` was looked at, and removes
 * what is in `from`. False where the copy is another one by now, or gone.
 */
export async function takeOver(
  { from, to }: { readonly from: SessionStore; readonly to: SessionStore },
  copy: Copied,
  record: SessionRecord,
): Promise<boolean> {
  if ((await to.update(record, copy.version)) !== 'ok') return false
  await from.delete(record.id)
  return true
}
