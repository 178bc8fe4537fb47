import { decodeRecord, encodeRecord, type SessionRecord } from '../../record.js'
import type { SessionStore, UpdateResult } from '../../store.js'
import { checkPool, readVersion, sender, type PostgresPool, type Row } from './client.js'
import { migrationsOf, postgresTables, type PostgresTableOptions, type PostgresTables } from './schema.js'
import { checkOptions, isId, opener, userKey } from '../sql/sql.js'

export type { PostgresPool } from './client.js'
export { postgresMigrations, type PostgresTableOptions } from './schema.js'

export interface PostgresStoreOptions extends PostgresTableOptions {
  /**
   * Whether the store makes its tables when they are missing, before its first call. With `false` it never
   * changes a table, and `postgresMigrations()` prints the SQL to run. Default true.
   */
  migrate?: boolean | undefined
  /**
   * Whether statements are prepared by name, which saves up to half the time of a lookup. Set it to `false` behind a
   * pooler that can't keep them apart, such as PgBouncer before 1.21 in transaction mode. Default true.
   */
  prepared?: boolean | undefined
}

/**
 * Keeps sessions in PostgreSQL 12 or later. The pool is the application's: it is never closed here. Where
 * nobody listens to its `error` events, an empty listener is added, since Node would end the process when the
 * server closes an idle connection; the next call opens a new one.
 *
 * The pool must reach the primary: a replica that lags would find sessions that have been ended.
 *
 * @throws SessionError OPTION_INVALID for a client or an option that can't be used.
 */
export function postgresStore(pool: PostgresPool, options: PostgresStoreOptions = {}): SessionStore {
  checkPool(pool)
  checkOptions('postgresStore', options, optionTypes)
  const tables = postgresTables(options)
  const statements = statementsOf(tables.sessions, connect(pool, tables, options))
  if (pool.listenerCount?.('error') === 0) pool.on?.('error', () => {})

  async function get(id: string) {
    const [row] = await statements.get(key(id))
    return row && decodeRecord(id, row.record)
  }

  return {
    get,

    async insert(record) {
      await statements.insert(...contents(record), userKey(record.userId))
    },

    async getMany(ids) {
      const rows = await statements.getMany(ids.map(key))
      const texts = new Map(rows.map((row) => [row.id, row.record]))
      return ids.map((id) => {
        const text = texts.get(id)
        return text === undefined ? undefined : decodeRecord(id, text)
      })
    },

    async update(record, ifVersion): Promise<UpdateResult> {
      if ((await statements.update(...contents(record), ifVersion)).length > 0) return 'ok'
      // Nothing was written, so a second look is safe: the record was absent or had another version at some
      // moment during this call, and an id that was ended never comes back.
      return (await get(record.id)) === undefined ? 'absent' : 'conflict'
    },

    async delete(id) {
      return (await statements.delete(key(id))).length > 0
    },

    async listByUser(userId) {
      const rows = await statements.list(userKey(userId))
      return rows.map((row) => decodeRecord(row.id, row.record))
    },

    async deleteExpired(now, limit) {
      const removed = (await statements.deleteDue(now, limit)).length
      if (removed === limit) return limit
      // What was due and stayed is alive, and is now the first of what is due.
      return removed + (await statements.putOff(now, limit - removed)).length
    },
  }
}

const optionTypes = { schema: 'string', table: 'string', migrate: 'boolean', prepared: 'boolean' } as const

/** The id as Postgres writes it, or NULL: `decodeRecord` compares what is found with what was asked. */
function key(id: string): string | null {
  return isId(id) ? id : null
}

/** The parameters that an insert and an update share. */
function contents(record: SessionRecord) {
  return [key(record.id), record.version, record.expiresAt, encodeRecord(record)] as const
}

type Statement = (...values: unknown[]) => Promise<Row[]>

/** Answers what makes a statement of a text. Each one waits until the tables are there. */
function connect(pool: PostgresPool, tables: PostgresTables, { migrate, prepared }: PostgresStoreOptions) {
  const send = sender(pool, prepared ?? true)
  const open = opener({
    store: 'postgresStore',
    readVersion: () => readVersion(pool, tables.version),
    migrations: migrationsOf(tables),
    run: (text) => pool.query(text, []),
    migrate: migrate ?? true,
  })
  return (text: string): Statement => {
    const sendText = send(text)
    return async (...values) => {
      await open()
      return sendText(values)
    }
  }
}

function statementsOf(sessions: string, statement: (text: string) => Statement) {
  // Rows that another process is working on are skipped, not waited for: so sweeps never meet in a deadlock.
  // Materialized, or a plan might look for what is due several times and find more than the limit.
  const due = `WITH due AS MATERIALIZED (
    SELECT id, expires_at FROM ${sessions} WHERE due_at <= $1 ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED)`
  return {
    insert: statement(
      `INSERT INTO ${sessions} (id, version, expires_at, due_at, record, user_key)
       VALUES ($1, $2, $3, $3, $4, $5)`,
    ),
    get: statement(`SELECT id, record FROM ${sessions} WHERE id = $1`),
    getMany: statement(`SELECT id, record FROM ${sessions} WHERE id = ANY($1::uuid[])`),
    update: statement(
      `UPDATE ${sessions} SET version = $2, expires_at = $3, due_at = LEAST(due_at, $3), record = $4
       WHERE id = $1 AND version = $5 RETURNING id`,
    ),
    delete: statement(`DELETE FROM ${sessions} WHERE id = $1 RETURNING id`),
    list: statement(`SELECT id, record FROM ${sessions} WHERE user_key = $1`),
    deleteDue: statement(
      `${due} DELETE FROM ${sessions} WHERE id IN (SELECT id FROM due WHERE expires_at <= $1) RETURNING id`,
    ),
    putOff: statement(
      `${due} UPDATE ${sessions} SET due_at = expires_at
       WHERE id IN (SELECT id FROM due WHERE expires_at > $1) RETURNING id`,
    ),
  }
}
