import { hash } from 'node:crypto'
import { SessionError } from '../../errors.js'

/** A Pool of `pg`, or anything with its `query`, such as PGlite. */
export interface PostgresPool {
  query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>
  /** What has it is taken for a client of `pg`, which can prepare statements by name. */
  connect?: unknown
  on?(event: 'error', listener: (error: Error) => void): unknown
  listenerCount?(event: 'error'): number
}

/** What is read of a session. */
export interface Row {
  readonly id: string
  readonly record: string
}

/** @throws SessionError OPTION_INVALID for what has no `query`. */
export function checkPool(pool: unknown): void {
  if (typeof (pool as { query?: unknown } | undefined | null)?.query === 'function') return
  const given = typeof pool === 'string' ? 'a connection string' : pool === null ? 'null' : typeof pool
  throw new SessionError(
    'OPTION_INVALID',
    `postgresStore takes a Pool of pg, or PGlite, not ${given}: postgresStore(new Pool({ connectionString })).`,
  )
}

/**
 * Answers what sends a text with its values: by name where `pg` can prepare it, so that it is parsed and
 * planned once in a connection. The name follows from the text, since one connection may serve several tables.
 */
export function sender(pool: PostgresPool, isPrepared: boolean) {
  const isNamed = isPrepared && typeof pool.connect === 'function'
  const query = pool.query.bind(pool) as (config: unknown, values?: unknown[]) => Promise<unknown>
  return (text: string) => {
    const name = `sid_${hash('sha256', text).slice(0, 24)}`
    return async (values: unknown[]) =>
      rowsOf<Row>(await (isNamed ? query({ name, text, values }) : query(text, values)))
  }
}

/** The code of a table that does not exist: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const UNDEFINED_TABLE = '42P01'

/** The version that a table of versions holds, or 0. */
export async function readVersion(pool: PostgresPool, table: string): Promise<number> {
  try {
    const answer = await pool.query(`SELECT max(version) AS version FROM ${table}`, [])
    return Number(rowsOf<{ version: unknown }>(answer)[0]?.version)
  } catch (error) {
    if ((error as { code?: unknown }).code === UNDEFINED_TABLE) return 0
    throw error
  }
}

/** Other clients have a `query` too, which answers in another shape or by a callback. */
function rowsOf<T>(answer: unknown): T[] {
  const rows = (answer as { rows?: T[] } | undefined)?.rows
  if (Array.isArray(rows)) return rows
  throw new SessionError(
    'OPTION_INVALID',
    'postgresStore: the query of its client does not answer { rows }. Give it a Pool of pg, or PGlite.',
  )
}
