import type { SessionStore } from 'express-sid'
import { postgresStore } from 'express-sid/postgres'
import { redisStore } from 'express-sid/redis'
import { Pool } from 'pg'
import { createClient } from 'redis'

export interface OpenStore {
  readonly name: string
  readonly store: SessionStore
  /** Closes the client, which is ours: a store never does. */
  close(): Promise<unknown>
}

/** The store that all processes share. Changing the engine is this one place. */
export async function openStore(): Promise<OpenStore> {
  return process.env.STORE === 'postgres' ? openPostgres() : openRedis()
}

async function openRedis(): Promise<OpenStore> {
  const client = createClient({ url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' })
  let isConnected = false
  // Away at the start is an error; later the client tries again by itself, and requests get 503 until then.
  client.on('error', (error: Error) => isConnected && console.error(`Redis: ${error.message}`))
  await Promise.race([client.connect(), failed(client)])
  isConnected = true
  return { name: 'Redis', store: redisStore(client, { prefix: 'sid-demo:' }), close: () => client.close() }
}

function failed(client: { once(event: 'error', listener: (error: Error) => void): unknown }): Promise<never> {
  return new Promise((_, reject) => client.once('error', reject))
}

async function openPostgres(): Promise<OpenStore> {
  const connectionString = process.env.POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/test'
  const pool = new Pool({ connectionString, connectionTimeoutMillis: 2000 })
  pool.on('error', (error) => console.error(`Postgres: ${error.message}`))
  await pool.query('select 1')
  return { name: 'Postgres', store: postgresStore(pool, { table: 'sid_demo' }), close: () => pool.end() }
}
