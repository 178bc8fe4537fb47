import { ofStore, readOptions } from '../../lib/options/options.js'
import { idBytes, idText } from '../../lib/uuid.js'
import { encodeRecord, type SessionRecord } from '../../record.js'
import type { OnRemoved, ScannableStore } from '../../store.js'
import { userKey } from '../sql/keys.js'
import { migrateOption, opener } from '../sql/migrate.js'
import { FIRST_ID, inOrder, pageOf, recordOf, whyNotWritten, type TextRow } from '../sql/rows.js'
import {
  mysqlClient,
  promisePool,
  type MysqlCallbackPool,
  type MysqlClient,
  type MysqlPool,
  type Row,
} from './client.js'
import {
  migrationsOf,
  mysqlTables,
  tableOptions,
  type MysqlTableOptions,
  type MysqlTables,
} from './schema.js'

export type { MysqlCallbackPool, MysqlPool, MysqlQuery } from './client.js'
export { mysqlMigrations, type MysqlTableOptions } from './schema.js'

/** The options of `mysqlStore()`. All are optional; all are checked at start. */
export interface MysqlStoreOptions extends MysqlTableOptions {
  /**
   * Whether the store makes its tables when they are missing, before its first call. With `false` it never
   * changes a table, and `mysqlMigrations()` prints the SQL to run. Default true.
   */
  migrate?: boolean | undefined
}

const mysqlOptions = { ...tableOptions, migrate: migrateOption } as const

/**
 * Keeps sessions in MySQL 8 or MariaDB 10.6 or later, through a pool of `mysql2`. The pool is the
 * application's: it is never closed here.
 *
 * The pool must reach the primary: a replica that lags would find sessions that have been ended.
 *
 * @throws SessionError OPTION_INVALID for a pool or an option that can't be used.
 * @example sessionMiddleware({ store: mysqlStore(mysql.createPool(uri)) })
 */
export function mysqlStore(
  pool: MysqlPool | MysqlCallbackPool,
  options: MysqlStoreOptions = {},
): ScannableStore {
  const settings = readOptions(options, ofStore('mysqlStore'), mysqlOptions)
  const tables = mysqlTables(settings)
  const { rows, change } = connect(promisePool(pool), tables, settings.migrate)
  const table = tables.sessions
  const select = `SELECT id, record FROM ${table}`

  async function get(id: string) {
    const [row] = await rows(`${select} WHERE id = ?`, [idBytes(id)])
    return row && recordOf(textRow(row))
  }

  return {
    get,

    async insert(record) {
      const sql =
        `INSERT INTO ${table} (version, expires_at, record, id, due_at, user_key) ` +
        'VALUES (?, ?, ?, ?, ?, ?)'
      await change(sql, [...contents(record), idBytes(record.id), record.expiresAt, userKey(record.userId)])
    },

    async getMany(ids) {
      if (ids.length === 0) return []
      const found = await rows(`${select} WHERE id IN (?)`, [ids.map(idBytes)])
      return inOrder(ids, found.map(textRow))
    },

    async update(record, ifVersion) {
      // Some connections count the rows that matched, others those that changed. Here each match is a change, of the version.
      const sql =
        `UPDATE ${table} SET version = ?, expires_at = ?, record = ?, due_at = LEAST(due_at, ?) ` +
        'WHERE id = ? AND version = ?'
      const values = [...contents(record), record.expiresAt, idBytes(record.id), ifVersion]
      if ((await change(sql, values)) > 0) return 'ok'
      return whyNotWritten(await get(record.id))
    },

    async delete(id) {
      return (await change(`DELETE FROM ${table} WHERE id = ?`, [idBytes(id)])) > 0
    },

    async listByUser(userId) {
      const found = await rows(`${select} WHERE user_key = ?`, [userKey(userId)])
      return found.map((row) => recordOf(textRow(row)))
    },

    async pageByUser(userId, limit, after = FIRST_ID) {
      const page = `${select} WHERE user_key = ? AND id > ? ORDER BY id LIMIT ?`
      return pageOf((await rows(page, [userKey(userId), idBytes(after), limit])).map(textRow), limit)
    },

    async scan(limit, after = FIRST_ID) {
      const page = `${select} WHERE id > ? ORDER BY id LIMIT ?`
      return pageOf((await rows(page, [idBytes(after), limit])).map(textRow), limit)
    },

    async count(now) {
      // A UUIDv8 is derived, and no session's.
      const isSession = "substr(hex(id), 13, 1) <> '8'"
      const counted = `SELECT count(*) AS version FROM ${table} WHERE expires_at > ? AND ${isSession}`
      const [row] = await rows(counted, [now])
      return Number(row?.version)
    },

    /**
     * Looks without locks, then changes rows by their primary key. Every change of a session locks its row first
     * and the indexes after it. This does the same, row by row in the order of the key, so no two can wait for each
     * other. A statement over the index on `due_at` would lock in the opposite order.
     */
    async deleteExpired(now, limit, onRemoved) {
      const what = onRemoved === undefined ? 'id' : 'id, record'
      const due = `SELECT ${what} FROM ${table} WHERE due_at <= ? ORDER BY due_at LIMIT ?`
      const found = await rows(due, [now, limit])
      const ids = found.map((row) => row.id)
      if (ids.length === 0) return 0
      const remove = (some: readonly Buffer[]) =>
        change(`DELETE FROM ${table} WHERE id IN (?) AND expires_at <= ?`, [some, now])
      const removed =
        onRemoved === undefined ? await remove(ids) : await takeEach(found, now, remove, onRemoved)
      if (removed < ids.length) {
        await change(`UPDATE ${table} SET due_at = expires_at WHERE id IN (?) AND expires_at > ?`, [ids, now])
      }
      // All of them have been worked through, if not by this process then by another one.
      return ids.length
    },
  }
}

/**
 * Removes rows one by one, and tells which were there: MySQL has no RETURNING, and of a whole list it would not say which
 * rows another process has removed meanwhile.
 */
async function takeEach(
  found: readonly Row[],
  now: number,
  remove: (some: readonly Buffer[]) => Promise<number>,
  onRemoved: OnRemoved,
): Promise<number> {
  let count = 0
  for (const row of found) {
    const record = recordOf(textRow(row))
    if (record.expiresAt > now || (await remove([row.id])) === 0) continue
    onRemoved([record])
    count += 1
  }
  return count
}

/** A client that first makes sure of the tables. */
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

function textRow({ id, record }: Row): TextRow {
  return { id: idText(id.toString('hex')), record: record.toString('utf8') }
}

/** The values that an insert and an update share. */
function contents(record: SessionRecord) {
  return [record.version, record.expiresAt, Buffer.from(encodeRecord(record))] as const
}
