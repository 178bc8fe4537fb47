import { invalid } from '../../lib/options/invalid.js'

/** A pool of `mysql2/promise`. */
export interface MysqlPool {
  query(options: MysqlQuery): Promise<[unknown, unknown]>
  getConnection: unknown
}

/** A pool of `mysql2`: its promises are used. */
export interface MysqlCallbackPool {
  promise(): MysqlPool
}

/** One query, with what the pool's own settings must not change in its result. */
export interface MysqlQuery {
  sql: string
  values: unknown[]
  rowsAsArray: boolean
  nestTables: boolean
  typeCast: (field: unknown, next: () => unknown) => unknown
}

/** A row of the sessions, or of the versions. */
export interface Row {
  readonly id: Buffer
  readonly record: Buffer
  readonly version: unknown
}

/**
 * The pool that returns promises.
 *
 * @throws SessionError OPTION_INVALID for anything but a pool of mysql2.
 * @example promisePool(mysql.createPool(uri))
 */
export function promisePool(pool: MysqlPool | MysqlCallbackPool): MysqlPool {
  const given = pool as Partial<MysqlPool & MysqlCallbackPool> | string | null | undefined
  if (typeof given === 'object' && typeof given?.getConnection === 'function') {
    if (typeof given.promise === 'function') return given.promise()
    if (typeof given.query === 'function') return given as MysqlPool
  }
  const what = typeof given === 'string' ? 'a connection string' : given === null ? 'null' : 'this'
  throw invalid(`mysqlStore takes a pool of mysql2, not ${what}: mysqlStore(mysql.createPool(uri)).`)
}

/** Sends a query, with values that are numbers, Buffers, NULL, or lists of these. */
export interface MysqlClient {
  /** The rows that it found. */
  readonly rows: (sql: string, values: readonly Value[]) => Promise<Row[]>
  /** The number of rows that it wrote or removed. */
  readonly change: (sql: string, values: readonly Value[]) => Promise<number>
}

/** Never text, so that no setting of a connection changes what the SQL means. */
export type Value = number | Buffer | null | readonly (Buffer | null)[]

/** `typeCast` is a function, since `true` would leave the pool's own in force. */
const asItIs = {
  rowsAsArray: false,
  nestTables: false,
  typeCast: (_: unknown, next: () => unknown) => next(),
}

/**
 * Sends queries to the pool, whatever its own settings are.
 *
 * @example await mysqlClient(pool).rows('SELECT id, record FROM sessions WHERE id = ?', [bytes])
 */
export function mysqlClient(pool: MysqlPool): MysqlClient {
  const send = async (sql: string, values: readonly Value[]): Promise<unknown> => {
    const result: unknown = await pool.query({ sql, values: [...values], ...asItIs })
    return Array.isArray(result) ? result[0] : refuse()
  }
  return {
    async rows(sql, values) {
      const result = await send(sql, values)
      return Array.isArray(result) ? (result as Row[]) : refuse()
    },
    async change(sql, values) {
      const count = ((await send(sql, values)) as { affectedRows?: unknown } | undefined)?.affectedRows
      return typeof count === 'number' ? count : refuse()
    },
  }
}

/** Other clients have a `query` too, which returns another shape or takes a callback. */
function refuse(): never {
  throw invalid(
    'mysqlStore: the query of its pool does not return what that of mysql2 does. Give it a pool of mysql2.',
  )
}
