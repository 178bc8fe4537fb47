import { text } from '../../lib/options/option-kinds.js'
import { ofStore, readOptions, type Values } from '../../lib/options/options.js'
import { printed } from '../sql/migrate.js'

/** Where the sessions are, in the pool's database. */
export interface MysqlTableOptions {
  /**
   * At most 57 characters, without NUL, `?` or a space at its end: a `…_schema` table is named after it. It is
   * quoted, so its other characters are kept as they are. Default `sid_sessions`.
   */
  table?: string | undefined
}

/** Names ready for SQL. */
export interface MysqlTables {
  readonly sessions: string
  /** Holds the version of the tables. */
  readonly version: string
}

/** 64 (https://dev.mysql.com/doc/refman/8.0/en/identifier-length.html) without the suffix. */
const MAX_CHARACTERS = 64 - '_schema'.length

// mysql2 reads a question mark as a parameter, also in a quoted name. MySQL allows names of the basic plane only.
const fitsMysql = (name: string) =>
  /^[^\0?\u{10000}-\u{10FFFF}]+(?<! )$/u.test(name) && name.length <= MAX_CHARACTERS

/** The option that names the tables. */
export const tableOptions = {
  table: {
    kind: text(
      fitsMysql,
      `a name of 1 to ${MAX_CHARACTERS} characters, without NUL, "?", emoji or a space at its end`,
    ),
    default: 'sid_sessions',
    doc: 'the table that holds the sessions',
  },
} as const

/**
 * The names of the tables, quoted.
 *
 * @example mysqlTables({ table: 'sid_sessions' }).sessions // '`sid_sessions`'
 */
export function mysqlTables({ table }: Values<typeof tableOptions>): MysqlTables {
  const quote = (name: string) => `\`${name.replaceAll('`', '``')}\``
  return { sessions: quote(table), version: quote(`${table}_schema`) }
}

/**
 * The schema's history, oldest first. Only ever added to. All columns of text are binary: no collation takes two
 * keys for one, and no character set of a connection changes a record.
 *
 * @example migrationsOf(tables).flat() // all statements
 */
export function migrationsOf({ sessions, version }: MysqlTables): readonly string[][] {
  return [
    [
      `CREATE TABLE IF NOT EXISTS ${sessions} (
  id binary(16) NOT NULL PRIMARY KEY,
  version bigint NOT NULL,
  user_key binary(32),
  expires_at bigint NOT NULL,
  due_at bigint NOT NULL,
  record longblob NOT NULL,
  KEY by_user (user_key),
  KEY by_due (due_at)
) ENGINE = InnoDB`,
      `CREATE TABLE IF NOT EXISTS ${version} (version integer NOT NULL PRIMARY KEY) ENGINE = InnoDB`,
      `INSERT IGNORE INTO ${version} (version) VALUES (1)`,
    ],
  ]
}

/**
 * The SQL that makes the tables of `mysqlStore`, for those who run their own migrations and give the store
 * `migrate: false`. It can be run again at any time.
 *
 * @throws SessionError OPTION_INVALID for a name that MySQL can't keep.
 * @example console.log(mysqlMigrations({ table: 'logins' }))
 */
export function mysqlMigrations(options: MysqlTableOptions = {}): string {
  return printed(migrationsOf(mysqlTables(readOptions(options, ofStore('mysqlMigrations'), tableOptions))))
}
