import type { SqliteDatabase } from '../../../src/stores/sqlite/index.js'

/** The part of better-sqlite3 that the tests use: it is not among the development dependencies. */
export type BetterSqlite3 = new (path: string) => SqliteDatabase

/** What `sqlite-node24.ts` prints. Of each case of the contract its failure, or null. */
export interface Node24Report {
  readonly contract: Readonly<Record<string, string | null>>
  readonly contractWithBigInts: Readonly<Record<string, string | null>>
  readonly isBusyKnown: boolean
}

/** What a connection throws where another one on the same file holds the lock. */
export function lockedError(open: () => SqliteDatabase): unknown {
  const [holder, other] = [open(), open()]
  holder.exec('BEGIN IMMEDIATE')
  other.exec('PRAGMA busy_timeout = 0')
  try {
    other.exec('BEGIN IMMEDIATE')
  } catch (error) {
    return error
  } finally {
    holder.exec('ROLLBACK')
  }
  throw new Error('the file was not locked')
}
