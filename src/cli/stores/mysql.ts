import { mysqlStore, type MysqlCallbackPool } from '../../stores/mysql/index.js'
import { driverOf } from './driver.js'
import {
  replica,
  type OpenedStore,
  type OpenOptions,
  type ServerFacts,
  type StoreAddress,
  type StoreFinding,
} from './opened.js'

interface PromisePool {
  query(sql: string): Promise<[unknown, unknown]>
  end(): Promise<void>
}

interface MysqlModule {
  createPool(options: object): { promise(): PromisePool; getConnection: unknown }
}

/** Opens a database: `mysql://user@host/database?table=sid_sessions`. */
export function openMysql(
  { url, table }: StoreAddress,
  cwd: string,
  { create = false }: OpenOptions,
): OpenedStore {
  const { name, module } = driverOf<MysqlModule>(cwd, ['mysql2'])
  const pool = module.createPool({ uri: url.replace(/^mariadb:/, 'mysql:'), connectTimeout: 10_000 })
  const promises = pool.promise()
  return {
    store: mysqlStore(pool as unknown as MysqlCallbackPool, { table, migrate: create }),
    kind: 'mysql',
    driver: name,
    facts: () => factsOf(promises, table ?? 'sid_sessions'),
    close: () => promises.end(),
  }
}

async function factsOf(pool: PromisePool, table: string): Promise<ServerFacts> {
  const ask = async (sql: string) => {
    const [rows] = await pool.query(sql)
    return Object.values((rows as object[])[0] ?? {})[0] as unknown
  }
  const findings: StoreFinding[] = []
  if (Number(await ask('SELECT @@global.read_only')) !== 0) findings.push(replica)
  if (Number(await ask('SELECT @@global.innodb_flush_log_at_trx_commit').catch(() => 1)) === 0) {
    findings.push({
      id: 'mysql-asynchronous',
      level: 'warning',
      message:
        'innodb_flush_log_at_trx_commit is 0: a crash of the server undoes the last logins and logouts. Set it to 1.',
    })
  }
  const versions = `\`${`${table}_schema`.replaceAll('`', '``')}\``
  const version = await ask(`SELECT max(version) FROM ${versions}`).catch(() => undefined)
  return {
    server: `MySQL ${String(await ask('SELECT version()'))}`,
    schema: version === undefined ? undefined : Number(version),
    findings,
  }
}
