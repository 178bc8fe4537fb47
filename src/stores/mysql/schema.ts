import { SessionError } from '../../errors.js'
import { checkOptions } from '../sql/sql.js'

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

/** @throws SessionError OPTION_INVALID for a name that MySQL can't keep. */
export function mysqlTables({ table = 'sid_sessions' }: MysqlTableOptions): MysqlTables {
  // mysql2 takes a question mark for a parameter, in a quoted name too. Names are of the basic plane only.
  if (!/^[^\0?\u{10000}-\u{10FFFF}]+(?<! )$/u.test(table) || table.length > MAX_CHARACTERS) {
    throw new SessionError(
      'OPTION_INVALID',
      `mysqlStore: the option "table" must be a name of 1 to ${MAX_CHARACTERS} characters, without NUL, "?", ` +
        'emoji or a space at its end.',
    )
  }
  const quote = (name: string) => `\`${name.replaceAll('`', '``')}\``
  return { sessions: quote(table), version: quote(`${table}_schema`) }
}

/**
 * The schema's history, oldest first. Only ever added to. Binary types throughout: no collation takes two keys
 * for one, and no character set of a connection changes a record.
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
 */
export function mysqlMigrations(options: MysqlTableOptions = {}): string {
  checkOptions('mysqlMigrations', options, { table: 'string' })
  const statements = migrationsOf(mysqlTables(options)).flat()
  return statements.map((statement) => `${statement};\n`).join('\n')
}
