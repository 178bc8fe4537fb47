import { invalid } from '../../lib/options/invalid.js'
import { inTransaction, isBusy, type SqliteDatabase } from './client.js'

/** The schema's history, oldest first: each entry leads from the version before it. Only ever added to. */
const migrations = [
  (table: string) => `
    CREATE TABLE "${table}" (
      id BLOB NOT NULL UNIQUE,
      version INTEGER NOT NULL,
      user_key TEXT,
      expires_at INTEGER NOT NULL,
      due_at INTEGER NOT NULL,
      record TEXT NOT NULL
    ) STRICT;
    CREATE INDEX "${table}_user" ON "${table}" (user_key) WHERE user_key IS NOT NULL;
    CREATE INDEX "${table}_due" ON "${table}" (due_at);`,
]

const OPEN_TIMEOUT_MS = 5_000
const OPEN_PAUSE_MS = 10

/**
 * Sets the connection up and brings the tables to this version of the package. Processes that start together
 * wait for each other here, for at most 5 s; only at the start may the event loop be held for so long.
 *
 * @example openSchema(database, 'sid_sessions')
 */
export function openSchema(database: SqliteDatabase, table: string): void {
  const deadline = performance.now() + OPEN_TIMEOUT_MS
  for (;;) {
    try {
      return open(database, table)
    } catch (error) {
      // `busy_timeout` alone is not enough: when two connections turn WAL on, SQLite refuses one of them at once.
      if (!isBusy(error) || performance.now() > deadline) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, OPEN_PAUSE_MS)
    }
  }
}

function open(database: SqliteDatabase, table: string): void {
  database.exec('PRAGMA journal_mode = WAL')
  database.exec('PRAGMA synchronous = FULL')
  // A checkpoint takes 20 to 40 µs a page, in the call that fills the log: at 1,000 pages, SQLite's default,
  // it held up the process for 30 to 40 ms, at 100 for 3 to 13 ms.
  database.exec('PRAGMA wal_autocheckpoint = 100')
  inTransaction(database, () => migrate(database, table))
}

/** The version is kept in a table, not in `user_version`: the file may be the application's own. */
function migrate(database: SqliteDatabase, table: string): void {
  database.exec(`CREATE TABLE IF NOT EXISTS "${table}_schema" (version INTEGER NOT NULL) STRICT`)
  const version = schemaVersion(database, table)
  if (version > migrations.length) {
    throw invalid(
      `sqliteStore: a newer express-sid has brought table "${table}" to schema ${version}; this one knows ` +
        `${migrations.length}. Upgrade express-sid, or name another \`table\`.`,
    )
  }
  if (version === 0) checkIsFree(database, table)
  for (const [index, migration] of migrations.entries()) {
    if (index < version) continue
    database.exec(`${migration(table)} INSERT INTO "${table}_schema" (version) VALUES (${index + 1})`)
  }
}

function schemaVersion(database: SqliteDatabase, table: string): number {
  const row = database.prepare(`SELECT max(version) AS version FROM "${table}_schema"`).get({})
  return Number((row as { version: number | bigint | null }).version)
}

function checkIsFree(database: SqliteDatabase, table: string): void {
  const found = database
    .prepare('SELECT 1 FROM sqlite_schema WHERE name = @table COLLATE NOCASE')
    .get({ table })
  if (!found) return
  throw invalid(
    `sqliteStore: the database has a table "${table}" that this store did not make. Name another \`table\`.`,
  )
}
