import { SessionError } from '../../errors.js'

/** Named parameters in one object: the one way to bind that every client understands alike. */
export type SqliteParameters = Record<string, null | number | string | Uint8Array>

/** The part of a prepared statement that the store calls. */
export interface SqliteStatement {
  get(parameters: SqliteParameters): unknown
  all(parameters: SqliteParameters): unknown[]
  run(parameters: SqliteParameters): { changes: number | bigint }
}

/** A synchronous SQLite client: `libsql`, `better-sqlite3` 12 or later, or `node:sqlite` of Node 24. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
}

/** One harmless question tells a synchronous client from a path, a promise client and a callback client. */
export function checkClient(database: SqliteDatabase): void {
  if (typeof database?.exec === 'function' && typeof database.prepare === 'function') {
    const statement = database.prepare("SELECT 'yes' AS answer")
    const row = typeof statement.get === 'function' ? statement.get({}) : undefined
    if ((row as { answer?: unknown } | undefined)?.answer === 'yes') return
  }
  throw new SessionError(
    'OPTION_INVALID',
    'sqliteStore needs an open, synchronous SQLite client, not a path or a promise or callback client: ' +
      "sqliteStore(new Database('sessions.db')) with Database from 'libsql' or 'better-sqlite3', or " +
      "sqliteStore(new DatabaseSync('sessions.db')) with 'node:sqlite' of Node 24 or later.",
  )
}

/**
 * Begins and ends it through `exec`, the one way that the clients have in common. Every write needs one, also of
 * a single statement: where that is refused because the file is locked, libsql leaves it open, and SQLite commits
 * nothing beside an open write. What came after it would be acknowledged, and undone when it is used again.
 */
export function inTransaction<T>(database: SqliteDatabase, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const answer = work()
    database.exec('COMMIT')
    return answer
  } catch (error) {
    rollBack(database)
    throw error
  }
}

/** How long a write waits for another process's, which holds up every request of this one. */
const WAIT_MS = 100

/**
 * Transactions for the time after the start. A write that finds the file locked waits a moment. If that was in
 * vain, no write waits until one has succeeded: while a process stands still in a transaction, each login and
 * each touch would otherwise hold up the lookups, which go on.
 */
export function briefTransactions(database: SqliteDatabase): <T>(work: () => T) => T {
  let isWaiting: boolean | undefined
  const setWaiting = (value: boolean) => {
    if (value !== isWaiting) database.exec(`PRAGMA busy_timeout = ${value ? WAIT_MS : 0}`)
    isWaiting = value
  }
  setWaiting(true)
  return (work) => {
    try {
      const answer = inTransaction(database, work)
      setWaiting(true)
      return answer
    } catch (error) {
      if (isBusy(error)) setWaiting(false)
      throw error
    }
  }
}

function rollBack(database: SqliteDatabase): void {
  try {
    database.exec('ROLLBACK')
  } catch {
    // After a full disk SQLite has rolled back by itself; the error that matters is the first one.
  }
}

/** SQLite's primary code 5, which every client tells in its own way. */
export function isBusy(error: unknown): boolean {
  const { code, errcode, rawCode } = error as { code?: unknown; errcode?: unknown; rawCode?: unknown }
  return String(code).startsWith('SQLITE_BUSY') || (Number(errcode ?? rawCode) & 0xff) === 5
}
