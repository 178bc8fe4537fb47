import { text } from '../../lib/options/option-kinds.js'
import { ofStore, readOptions, type Values } from '../../lib/options/options.js'
import { printed } from '../sql/migrate.js'

/** Where the sessions are. Any name is quoted, so capitals, spaces and quotes are kept as they are. */
export interface PostgresTableOptions {
  /** A schema that exists. Default: the first one of the connection's `search_path`. */
  schema?: string | undefined
  /** At most 56 bytes: its indexes and its `…_schema` table are named after it. Default `sid_sessions`. */
  table?: string | undefined
}

/** Names ready for SQL. */
export interface PostgresTables {
  readonly sessions: string
  /** Holds the version of the tables. */
  readonly version: string
  /** Names of indexes: they are always in the schema of their table. */
  readonly byUser: string
  readonly byDue: string
}

/** https://www.postgresql.org/docs/current/sql-syntax-lexical.html: longer names are cut, silently. */
const MAX_BYTES = 63

/** A name that Postgres keeps as it is. */
function nameOf(maxBytes: number) {
  const fits = (name: string) => name !== '' && !name.includes('\0') && Buffer.byteLength(name) <= maxBytes
  return text(fits, `a name of 1 to ${maxBytes} bytes, without NUL`)
}

/** The options that name the tables. */
export const tableOptions = {
  schema: { kind: nameOf(MAX_BYTES), doc: 'a schema that exists' },
  table: {
    kind: nameOf(MAX_BYTES - '_schema'.length),
    default: 'sid_sessions',
    doc: 'the table that holds the sessions',
  },
} as const

/**
 * The names of the tables and indexes, quoted.
 *
 * @example postgresTables({ schema: undefined, table: 'sid_sessions' }).sessions // '"sid_sessions"'
 */
export function postgresTables({ schema, table }: Values<typeof tableOptions>): PostgresTables {
  const prefix = schema === undefined ? '' : `${quote(schema)}.`
  const name = (suffix: string) => quote(table + suffix)
  return {
    sessions: prefix + name(''),
    version: prefix + name('_schema'),
    byUser: name('_user'),
    byDue: name('_due'),
  }
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

/**
 * The schema's history, oldest first. Only ever added to. The fill factor leaves room in each page for the
 * next version of a row: with 90, 99.9 % of touches write no index; with 100, 97 %; less than 90 only costs space.
 *
 * @example migrationsOf(tables).flat() // all statements
 */
export function migrationsOf({ sessions, version, byUser, byDue }: PostgresTables): readonly string[][] {
  return [
    [
      `CREATE TABLE IF NOT EXISTS ${sessions} (
  id uuid PRIMARY KEY,
  version bigint NOT NULL,
  user_key bytea,
  expires_at bigint NOT NULL,
  due_at bigint NOT NULL,
  record text NOT NULL
) WITH (fillfactor = 90)`,
      `CREATE INDEX IF NOT EXISTS ${byUser} ON ${sessions} (user_key) WHERE user_key IS NOT NULL`,
      `CREATE INDEX IF NOT EXISTS ${byDue} ON ${sessions} (due_at)`,
      `CREATE TABLE IF NOT EXISTS ${version} (version integer PRIMARY KEY)`,
      `INSERT INTO ${version} (version) VALUES (1) ON CONFLICT DO NOTHING`,
    ],
  ]
}

/**
 * The SQL that makes the tables of `postgresStore`, for those who run their own migrations and give the store
 * `migrate: false`. It can be run again at any time.
 *
 * @throws SessionError OPTION_INVALID for names that Postgres can't keep.
 * @example console.log(postgresMigrations({ schema: 'auth' }))
 */
export function postgresMigrations(options: PostgresTableOptions = {}): string {
  return printed(
    migrationsOf(postgresTables(readOptions(options, ofStore('postgresMigrations'), tableOptions))),
  )
}
