import mysql from 'mysql2/promise'
import { Pool, type PoolConfig } from 'pg'
import { createClient } from 'redis'

export type ServerName = 'redis' | 'postgres' | 'mysql'

/** The name and version of each server that runs. */
export type Servers = Record<ServerName, string | undefined>

export const REDIS_URL = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'
export const POSTGRES_URL = process.env.POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/test'
export const MYSQL_URL = process.env.MYSQL_URL ?? 'mysql://root@127.0.0.1:3306/test'

export type Redis = Awaited<ReturnType<typeof connectRedis>>

export async function connectRedis() {
  const client = createClient({ url: REDIS_URL, socket: { reconnectStrategy: false, connectTimeout: 2_000 } })
  client.on('error', () => undefined)
  return client.connect()
}

/** Removes what a contender has left, and closes its client. */
export async function forgetRedis(client: Redis, prefix: string): Promise<void> {
  for await (const keys of client.scanIterator({ MATCH: `${prefix}*`, COUNT: 1_000 })) {
    if (keys.length > 0) await client.unlink(keys)
  }
  await client.close()
}

/** A pool as `pg` makes it by default, and a schema of its own to keep tables in. */
export async function connectPostgres(schema: string, more: PoolConfig = {}): Promise<Pool> {
  const pool = new Pool({ connectionString: POSTGRES_URL, ...more })
  await pool.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
  return pool
}

/** Removes the schema, and closes the pool. */
export async function forgetPostgres(pool: Pool, schema: string): Promise<void> {
  await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  await pool.end()
}

/** Which of the servers run. */
export async function findServers(): Promise<Servers> {
  const [redis, postgres, mysqlServer] = await Promise.all(
    [redisVersion, postgresVersion, mysqlVersion].map((version) => version().catch(() => undefined)),
  )
  return { redis, postgres, mysql: mysqlServer }
}

async function redisVersion(): Promise<string> {
  const client = await connectRedis()
  const version = /redis_version:(\S+)/.exec(await client.info('server'))?.[1]
  await client.close()
  return `Redis ${version}`
}

async function postgresVersion(): Promise<string> {
  const pool = new Pool({ connectionString: POSTGRES_URL, connectionTimeoutMillis: 2_000 })
  const { rows } = await pool.query('SHOW server_version')
  await pool.end()
  return `PostgreSQL ${rows[0].server_version.split(' ')[0]}`
}

async function mysqlVersion(): Promise<string> {
  const connection = await mysql.createConnection(MYSQL_URL)
  const [rows] = await connection.query('SELECT VERSION() AS version')
  await connection.end()
  const [{ version }] = rows as [{ version: string }]
  return version.includes('MariaDB') ? `MariaDB ${version.split('-')[0]}` : `MySQL ${version}`
}
