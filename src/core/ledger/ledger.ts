import { hash } from 'node:crypto'
import { derivedId } from '../../lib/uuid.js'
import type { Json, SessionRecord } from '../../record.js'
import { areSeats, type Seat } from '../limits.js'

/*
 * The ledger of a user: one record in the store, under an id that follows from the user's id, changed by compare-and-set.
 * It holds what must be decided for all sessions of a user together: who has a seat, and when the user was last changed.
 *
 * To a store it is a record like any other. It is no session: it belongs to no user, so it is never listed; its id has
 * another UUID version than a session's, so no token names it, and the core asks for it by a door of its own. Its
 * hashes are empty, and no hash is equal to that. So nobody gains anything by knowing its id.
 */

/** What the ledger of a user says. */
export type Ledger = {
  /** Who has a seat, the oldest login first. Absent where nobody has counted yet. */
  readonly seats?: readonly Seat[] | undefined
  /** The last changes of the user, by random ids, the newest last. A login that misses one began before it. */
  readonly changes: readonly string[]
  /** When the last of them was made, in epoch milliseconds. */
  readonly changedAt?: number | undefined
}

/** A login is under way for seconds, and nobody changes a user so often in that time. */
const MAX_CHANGES = 16

/** The id of a user's ledger. */
export function ledgerIdOf(userId: string): string {
  // As JSON, since in UTF-8 all lone surrogates are one character.
  return derivedId(hash('sha256', `express-sid ledger ${JSON.stringify(userId)}`, 'buffer'))
}

/** A ledger that is not in the store yet: its version is 0. */
export function blankLedger(userId: string, now: number): SessionRecord {
  return {
    id: ledgerIdOf(userId),
    version: 0,
    secretHash: '',
    seriesHash: '',
    // Not as the record's own user, under whom it would be listed.
    data: { userId },
    userAgent: '',
    ip: '',
    createdAt: now,
    authenticatedAt: now,
    lastSeenAt: now,
    expiresAt: now,
    absoluteExpiresAt: now,
  }
}

/** Whose ledger it is. */
export function ownerOf({ data }: SessionRecord): string {
  return data.userId as string
}

/** What a ledger's record says. What can't be read counts as not there. */
export function readLedger({ data }: SessionRecord): Ledger {
  const { seats, changes, changedAt } = data
  return {
    seats: areSeats(seats) ? seats : undefined,
    changes: Array.isArray(changes) ? changes.map(String) : [],
    changedAt: typeof changedAt === 'number' ? changedAt : undefined,
  }
}

/**
 * The record of a ledger that says this.
 *
 * @param until when the last of the sessions that it tells of has ended for certain.
 */
export function writtenLedger(record: SessionRecord, ledger: Ledger, until: number): SessionRecord {
  const expiresAt = Math.max(record.expiresAt, until)
  // What a newer version of this package keeps in it stays.
  const data = { ...record.data, ...defined(ledger) }
  return { ...record, data, expiresAt, absoluteExpiresAt: expiresAt }
}

/** The ledger with one more change of the user. */
export function withChange(ledger: Ledger, change: string, now: number): Ledger {
  return { ...ledger, changes: [...ledger.changes, change].slice(-MAX_CHANGES), changedAt: now }
}

/** The changes that were made since; `undefined` where that can't be told any more. */
export function changesSince(before: Ledger, after: Ledger): readonly string[] | undefined {
  const last = before.changes.at(-1)
  if (last === undefined) return after.changes.length < MAX_CHANGES ? after.changes : undefined
  const at = after.changes.indexOf(last)
  return at === -1 ? undefined : after.changes.slice(at + 1)
}

function defined(ledger: Ledger): Record<string, Json> {
  const entries = Object.entries(ledger as Record<string, Json | undefined>)
  return Object.fromEntries(entries.filter((entry): entry is [string, Json] => entry[1] !== undefined))
}
