import { hash } from 'node:crypto'
import type { ErrorEmitter } from '../../lib/error-listener.js'
import { invalid, show } from '../../lib/options/invalid.js'
import type { TextRow } from '../sql/rows.js'

/** A Pool of `pg`, or anything with its `query`, such as PGlite. */
export interface PostgresPool extends ErrorEmitter {
  query(text: string, values: unknown[]): Promise<{ rows: unknown[] }>
  /** What has it is taken for a client of `pg`, which can prepare statements by name. */
  connect?: unknown
}

/**
 * Refuses what is no pool.
 *
 * @throws SessionError OPTION_INVALID for what has no `query`.
 * @example checkPool(new Pool())
 */
export function checkPool(pool: unknown): void {
  if (typeof (pool as { query?: unknown } | undefined | null)?.query === 'function') return
  const given = typeof pool === 'string' ? 'a connection string' : show(pool)
  throw invalid(
    `postgresStore takes a Pool of pg, or PGlite, not ${given}: postgresStore(new Pool({ connectionString })).`,
  )
}

/**
 * Returns what sends a text with its values: by name where `pg` can prepare it, so that it is parsed and
 * planned once in a connection. The name is made from the text, since one connection may serve several tables.
 *
 * @example const find = sender(pool, true)('SELECT record FROM sessions WHERE id = $1'); await find([id])
 */
export function sender<Row = TextRow>(pool: PostgresPool, isPrepared: boolean) {
  const query = pool.query.bind(pool) as (config: unknown, values?: unknown[]) => Promise<unknown>
  return (text: string) => {
    const name = isPrepared ? `sid_${hash('sha256', text).slice(0, 24)}` : undefined
    return async (values: unknown[]) =>
      rowsOf<Row>(await (isPg(pool) ? query({ name, text, values, types }) : query(text, values)))
  }
}

const isPg = (pool: PostgresPool): boolean => typeof pool.connect === 'function'

/** The application's own parsers of types, which `pg` keeps for the whole process, must not change what is read here. */
const types = { getTypeParser: () => String }

/** The code of a table that does not exist: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const UNDEFINED_TABLE = '42P01'

/**
 * The version that a table of versions holds, or 0 where there is no such table.
 *
 * @example await readVersion(pool, '"sid_sessions_schema"')
 */
export async function readVersion(pool: PostgresPool, table: string): Promise<number> {
  try {
    const send = sender<{ version: unknown }>(pool, false)
    const [row] = await send(`SELECT max(version)::text AS version FROM ${table}`)([])
    return Number(row?.version)
  } catch (error) {
    if ((error as { code?: unknown }).code === UNDEFINED_TABLE) return 0
    throw error
  }
}

/** Other clients have a `query` too, which returns another shape or takes a callback. */
function rowsOf<T>(result: unknown): T[] {
  const rows = (result as { rows?: T[] } | undefined)?.rows
  if (Array.isArray(rows)) return rows
  throw invalid(
    'postgresStore: the query of its client does not return { rows }. Give it a Pool of pg, or PGlite.',
  )
}
