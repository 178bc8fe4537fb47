import Database from 'libsql'
import { createPool } from 'mysql2/promise'
import { Pool, type ClientConfig } from 'pg'
import type { SessionStore } from 'express-sid'
import { mysqlStore } from 'express-sid/mysql'
import { postgresStore, type PostgresListener } from 'express-sid/postgres'
import { redisStore, type RedisClient } from 'express-sid/redis'
import { sqliteStore } from 'express-sid/sqlite'
import { clusterKinds, kinds } from './redis-clients.js'

/** A store in this process, with its way to go. */
export interface NearStore {
  readonly store: SessionStore
  readonly close: () => unknown
}

export function nearSqlite(file: string): NearStore {
  const database = new Database(file)
  return { store: sqliteStore(database), close: () => database.close() }
}

export async function nearRedis(
  kind: string,
  url: string,
  prefix: string,
  heardEverywhere: boolean | (() => RedisClient) = false,
): Promise<NearStore> {
  const { client, close } = await (kind.includes('cluster') ? clusterKinds : kinds)[
    kind.includes('ioredis') ? 'ioredis' : 'node-redis'
  ]!(url)
  return { store: redisStore(client, { prefix, heardEverywhere }), close }
}

export function nearPostgres(
  config: ClientConfig,
  table: string,
  heardEverywhere: boolean | (() => PostgresListener) = false,
): NearStore {
  const pool = new Pool(config)
  return { store: postgresStore(pool, { table, heardEverywhere }), close: () => pool.end() }
}

export function nearMysql(url: string, table: string): NearStore {
  const pool = createPool(url)
  return { store: mysqlStore(pool, { table }), close: () => pool.end() }
}
