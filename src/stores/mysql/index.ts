import { decodeRecord, encodeRecord, type SessionRecord } from '../../record.js'
import type { SessionStore, UpdateResult } from '../../store.js'
import {
  mysqlClient,
  promisePool,
  type MysqlCallbackPool,
  type MysqlClient,
  type MysqlPool,
} from './client.js'
import { migrationsOf, mysqlTables, type MysqlTableOptions, type MysqlTables } from './schema.js'
import { checkOptions, isId, opener, userKey } from '../sql/sql.js'

export type { MysqlCallbackPool, MysqlPool, MysqlQuery } from './client.js'
export { mysqlMigrations, type MysqlTableOptions } from './schema.js'

export interface MysqlStoreOptions extends MysqlTableOptions {
  /**
   * Whether the store makes its tables when they are missing, before its first call. With `false` it never
   * changes a table, and `mysqlMigrations()` prints the SQL to run. Default true.
   */
  migrate?: boolean | undefined
}

/**
 * Keeps sessions in MySQL 8 or MariaDB 10.6 or later, through a pool of `mysql2`. The pool is the
 * application's: it is never closed here.
 *
 * The pool must reach the primary: a replica that lags would find sessions that have been ended.
 *
 * @throws SessionError OPTION_INVALID for a pool or an option that can't be used.
 */
export function mysqlStore(
  pool: MysqlPool | MysqlCallbackPool,
  options: MysqlStoreOptions = {},
): SessionStore {
  checkOptions('mysqlStore', options, { table: 'string', migrate: 'boolean' })
  const tables = mysqlTables(options)
  const { rows, change } = connect(promisePool(pool), tables, options.migrate ?? true)
  const table = tables.sessions
  const select = `SELECT id, record FROM ${table}`

  async function get(id: string) {
    const [row] = await rows(`${select} WHERE id = ?`, [key(id)])
    return row && decodeRecord(id, text(row))
  }

  return {
    get,

    async insert(record) {
      const sql =
        `INSERT INTO ${table} (version, expires_at, record, id, due_at, user_key) ` +
        'VALUES (?, ?, ?, ?, ?, ?)'
      await change(sql, [...contents(record), key(record.id), record.expiresAt, userKey(record.userId)])
    },

    async getMany(ids) {
      if (ids.length === 0) return []
      const found = await rows(`${select} WHERE id IN (?)`, [ids.map(key)])
      const texts = new Map(found.map((row) => [uuidOf(row.id), text(row)]))
      return ids.map((id) => {
        const json = texts.get(id)
        return json === undefined ? undefined : decodeRecord(id, json)
      })
    },

    async update(record, ifVersion): Promise<UpdateResult> {
      // Some connections count the rows that matched, others those that changed: with the version, each one does.
      const sql =
        `UPDATE ${table} SET version = ?, expires_at = ?, record = ?, due_at = LEAST(due_at, ?) ` +
        'WHERE id = ? AND version = ?'
      const values = [...contents(record), record.expiresAt, key(record.id), ifVersion]
      if ((await change(sql, values)) > 0) return 'ok'
      // Nothing was written, so a second look is safe: the record was absent or had another version at some
      // moment during this call, and an id that was ended never comes back.
      return (await get(record.id)) === undefined ? 'absent' : 'conflict'
    },

    async delete(id) {
      return (await change(`DELETE FROM ${table} WHERE id = ?`, [key(id)])) > 0
    },

    async listByUser(userId) {
      const found = await rows(`${select} WHERE user_key = ?`, [userKey(userId)])
      return found.map((row) => decodeRecord(uuidOf(row.id), text(row)))
    },

    /**
     * Looks without locks, then changes rows by their primary key. Whoever changes a session locks its row
     * first and the indexes after it, and so does this, row by row in the order of the key: no two can wait
     * for each other. A statement over the index on `due_at` would lock the other way round.
     */
    async deleteExpired(now, limit) {
      const due = `SELECT id FROM ${table} WHERE due_at <= ? ORDER BY due_at LIMIT ?`
      const ids = (await rows(due, [now, limit])).map((row) => row.id)
      if (ids.length === 0) return 0
      const removed = await change(`DELETE FROM ${table} WHERE id IN (?) AND expires_at <= ?`, [ids, now])
      if (removed < ids.length) {
        await change(`UPDATE ${table} SET due_at = expires_at WHERE id IN (?) AND expires_at > ?`, [ids, now])
      }
      // All of them have been worked through, if not by this process then by another one.
      return ids.length
    },
  }
}

/** A client that first brings the tables about. */
function connect(pool: MysqlPool, tables: MysqlTables, migrate: boolean): MysqlClient {
  const client = mysqlClient(pool)
  const open = opener({
    store: 'mysqlStore',
    readVersion: () => readVersion(client, tables.version),
    migrations: migrationsOf(tables),
    run: (sql) => client.change(sql, []),
    migrate,
  })
  return {
    rows: async (sql, values) => open().then(() => client.rows(sql, values)),
    change: async (sql, values) => open().then(() => client.change(sql, values)),
  }
}

async function readVersion(client: MysqlClient, table: string): Promise<number> {
  try {
    const [row] = await client.rows(`SELECT max(version) AS version FROM ${table}`, [])
    return Number(row?.version)
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ER_NO_SUCH_TABLE') return 0
    throw error
  }
}

/** The 16 bytes that an id stands for. Any other string is nobody's id: NULL equals no key, and can't be one. */
function key(id: string): Buffer | null {
  return isId(id) ? Buffer.from(id.replaceAll('-', ''), 'hex') : null
}

function uuidOf(id: Buffer): string {
  return id.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function text(row: { readonly record: Buffer }): string {
  return row.record.toString('utf8')
}

/** The values that an insert and an update share. Buffers and numbers only: their SQL depends on no setting. */
function contents(record: SessionRecord) {
  return [record.version, record.expiresAt, Buffer.from(encodeRecord(record))] as const
}
