import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { sqliteStore, type SqliteDatabase } from '../../stores/sqlite/index.js'
import { CliError } from '../io.js'
import { driverOf } from './driver.js'
import type { OpenedStore, OpenOptions, ServerFacts, StoreAddress, StoreFinding } from './opened.js'

interface Database extends SqliteDatabase {
  close(): unknown
}

type DatabaseClass = new (file: string) => Database

/** Any of the clients that the store takes. */
interface SqliteModule {
  readonly default?: DatabaseClass
  readonly DatabaseSync?: DatabaseClass
}

/** Opens a file: `sqlite:sessions.sqlite`, relative to where the command runs. */
export function openSqlite({ url, table }: StoreAddress, cwd: string, { create }: OpenOptions): OpenedStore {
  const path = resolve(cwd, decodeURIComponent(url.replace(/^\w+:(?:\/\/)?/, '')))
  if (!existsSync(path) && create !== true) {
    throw new CliError(
      'NOT_FOUND',
      `There is no file ${path}. Run this where your app runs, or give the whole path.`,
    )
  }
  const { name, module } = driverOf<SqliteModule | DatabaseClass>(cwd, [
    'better-sqlite3',
    'libsql',
    'node:sqlite',
  ])
  const Client = typeof module === 'function' ? module : (module.DatabaseSync ?? module.default)
  const database = new Client!(path)
  const tableName = table ?? 'sid_sessions'
  if (create !== true && !hasTable(database, tableName)) {
    throw new CliError(
      'NOT_FOUND',
      `${path} has no table "${tableName}". Add ?table=NAME if it has another name.`,
    )
  }
  return {
    store: sqliteStore(database, { table }),
    kind: 'sqlite',
    driver: name,
    facts: async () => factsOf(database, tableName),
    close: () => void database.close(),
  }
}

function hasTable(database: Database, table: string): boolean {
  const found = database.prepare('SELECT 1 AS found FROM sqlite_schema WHERE name = @table COLLATE NOCASE')
  return found.get({ table }) !== undefined
}

function factsOf(database: Database, table: string): ServerFacts {
  const one = (sql: string) => Object.values(database.prepare(sql).get({}) ?? {})[0] as unknown
  const findings: StoreFinding[] = []
  const check = String(one('PRAGMA quick_check(1)'))
  if (check !== 'ok') {
    findings.push({
      id: 'sqlite-damaged',
      level: 'problem',
      message: `The file is damaged (${check}). Restore it from a backup, or let the app begin with a new one.`,
    })
  }
  return {
    server: `SQLite ${String(one('SELECT sqlite_version()'))}`,
    schema: Number(one(`SELECT max(version) FROM "${table}_schema"`)),
    findings,
  }
}
