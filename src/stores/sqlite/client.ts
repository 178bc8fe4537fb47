import { invalid } from '../../lib/options/invalid.js'

/** Named parameters in one object: the only form that means the same to every client. */
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

/**
 * Refuses what is no synchronous client: one harmless query tells it from a path, a promise client and a callback
 * client.
 *
 * @throws SessionError OPTION_INVALID with the fix.
 * @example checkClient(new Database('sessions.sqlite'))
 */
export function checkClient(database: SqliteDatabase): void {
  if (typeof database?.exec === 'function' && typeof database.prepare === 'function') {
    const statement = database.prepare("SELECT 'yes' AS answer")
    const row = typeof statement.get === 'function' ? statement.get({}) : undefined
    if ((row as { answer?: unknown } | undefined)?.answer === 'yes') return
  }
  throw invalid(
    'sqliteStore needs an open, synchronous SQLite client, not a path or a promise or callback client: ' +
      "sqliteStore(new Database('sessions.db')) with Database from 'libsql' or 'better-sqlite3', or " +
      "sqliteStore(new DatabaseSync('sessions.db')) with 'node:sqlite' of Node 24 or later.",
  )
}

/**
 * Does the work in a transaction, begun and ended through `exec`, which all clients have. Every write needs one, also
 * a single statement: when the file is locked, libsql leaves a refused statement open, and SQLite commits nothing
 * while a write is open. Later writes would be acknowledged, and undone when that statement is used again.
 *
 * @example inTransaction(database, () => insert.run(values))
 */
export function inTransaction<T>(database: SqliteDatabase, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    rollBack(database)
    throw error
  }
}

/** How long a write waits for one of another process. The wait holds up every request of this process. */
const WAIT_MS = 100

/**
 * Transactions for the time after the start. A write that finds the file locked waits a moment. If it is still locked
 * then, no write waits until one has succeeded. Otherwise, while another process hangs in a transaction, each login
 * and each touch here would hold up the lookups, which still work.
 *
 * @example const transaction = briefTransactions(database); transaction(() => insert.run(values))
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
      const result = inTransaction(database, work)
      setWaiting(true)
      return result
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
    // When the disk was full, SQLite has rolled back by itself. The error that matters is the first one.
  }
}

/**
 * Whether SQLite refused because the file is locked: its primary code 5, which each client reports in its own way.
 *
 * @example if (!isBusy(error)) throw error
 */
export function isBusy(error: unknown): boolean {
  const { code, errcode, rawCode } = error as { code?: unknown; errcode?: unknown; rawCode?: unknown }
  return String(code).startsWith('SQLITE_BUSY') || (Number(errcode ?? rawCode) & 0xff) === 5
}
