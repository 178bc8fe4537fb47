import mysql from 'mysql2/promise'
import { Pool } from 'pg'
import { createClient } from 'redis'

export const REDIS_URL = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'
export const POSTGRES_URL = process.env.POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/test'
export const MYSQL_URL = process.env.MYSQL_URL ?? 'mysql://root@127.0.0.1:3306/test'

export async function connectRedis() {
  const client = createClient({ url: REDIS_URL, socket: { reconnectStrategy: false, connectTimeout: 2_000 } })
  client.on('error', () => undefined)
  return client.connect()
}

/** Removes what a contender has left, and closes its client. */
export async function forgetRedis(client, prefix) {
  for await (const keys of client.scanIterator({ MATCH: `${prefix}*`, COUNT: 1_000 })) {
    if (keys.length > 0) await client.unlink(keys)
  }
  await client.close()
}

/** A pool as `pg` makes it by default, and a schema of its own to keep tables in. */
export async function connectPostgres(schema, more = {}) {
  const pool = new Pool({ connectionString: POSTGRES_URL, ...more })
  await pool.query(`CREATE SCHEMA IF NOT EXISTS ${schema}`)
  return pool
}

export async function forgetPostgres(pool, schema, before) {
  await before?.()
  await pool.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`)
  await pool.end()
}

/** Which of the servers answer. */
export async function findServers() {
  const [redis, postgres, mysqlServer] = await Promise.all([askRedis, askPostgres, askMysql].map(answers))
  return { redis, postgres, mysql: mysqlServer }
}

async function answers(ask) {
  try {
    return await ask()
  } catch {
    return undefined
  }
}

async function askRedis() {
  const client = await connectRedis()
  const version = /redis_version:(\S+)/.exec(await client.info('server'))?.[1]
  await client.close()
  return `Redis ${version}`
}

async function askPostgres() {
  const pool = new Pool({ connectionString: POSTGRES_URL, connectionTimeoutMillis: 2_000 })
  const { rows } = await pool.query('SHOW server_version')
  await pool.end()
  return `PostgreSQL ${rows[0].server_version.split(' ')[0]}`
}

async function askMysql() {
  const connection = await mysql.createConnection(MYSQL_URL)
  const [[{ version }]] = await connection.query('SELECT VERSION() AS version')
  await connection.end()
  return version.includes('MariaDB') ? `MariaDB ${version.split('-')[0]}` : `MySQL ${version}`
}
