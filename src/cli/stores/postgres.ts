import { postgresStore, type PostgresPool } from '../../stores/postgres/index.js'
import { driverOf } from './driver.js'
import {
  replica,
  type OpenedStore,
  type OpenOptions,
  type ServerFacts,
  type StoreAddress,
  type StoreFinding,
} from './opened.js'

interface Pool extends PostgresPool {
  end(): Promise<void>
}

interface PgModule {
  readonly Pool: new (options: object) => Pool
}

/** Opens a database: `postgres://user@host/database?table=sid_sessions&schema=auth`. */
export function openPostgres(
  { url, table, schema }: StoreAddress,
  cwd: string,
  { create = false }: OpenOptions,
): OpenedStore {
  const { name, module } = driverOf<PgModule>(cwd, ['pg'])
  const pool = new module.Pool({ connectionString: url, connectionTimeoutMillis: 10_000 })
  return {
    store: postgresStore(pool, { table, schema, migrate: create }),
    kind: 'postgres',
    driver: name,
    facts: () => factsOf(pool, schema, table ?? 'sid_sessions'),
    close: () => pool.end(),
  }
}

async function factsOf(pool: Pool, schema: string | undefined, table: string): Promise<ServerFacts> {
  const ask = async (sql: string) =>
    Object.values((await pool.query(sql, [])).rows[0] as object)[0] as unknown
  const quote = (name: string) => `"${name.replaceAll('"', '""')}"`
  const versions = `${schema === undefined ? '' : `${quote(schema)}.`}${quote(`${table}_schema`)}`
  const findings: StoreFinding[] = []
  if ((await ask('SELECT pg_is_in_recovery()')) === true) findings.push(replica)
  if ((await ask('SHOW synchronous_commit')) === 'off') {
    findings.push({
      id: 'postgres-asynchronous',
      level: 'warning',
      message:
        'synchronous_commit is off: a crash of the server undoes the last logins and logouts. Turn it on for this ' +
        "user: ALTER ROLE shop SET synchronous_commit = 'on'.",
    })
  }
  const version = await ask(`SELECT max(version) FROM ${versions}`).catch(() => undefined)
  return {
    server: `PostgreSQL ${String(await ask('SHOW server_version'))}`,
    schema: version === undefined ? undefined : Number(version),
    findings,
  }
}
