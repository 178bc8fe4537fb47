import type { SessionStore } from 'express-sid'

/**
 * A store on real parts, by name: `memory`, `sqlite:FILE`, `redis:PREFIX`, `redis-at:PORT`, `ioredis:PREFIX`,
 * `postgres:TABLE`, `mysql:TABLE`. Drivers are loaded when asked for.
 */
export async function openStore(name: string): Promise<SessionStore> {
  const [kind, place = ''] = name.split(/:(.*)/s)
  switch (kind) {
    case 'memory':
      return (await import('express-sid')).memoryStore()
    case 'sqlite': {
      const { default: Database } = await import('libsql')
      return (await import('express-sid/sqlite')).sqliteStore(new Database(place))
    }
    case 'redis': {
      const { createClient } = await import('redis')
      const client = createClient({ url: process.env.REDIS_URL! })
      client.on('error', () => undefined)
      await client.connect()
      return (await import('express-sid/redis')).redisStore(client, { prefix: place })
    }
    case 'ioredis': {
      const { Redis } = await import('ioredis')
      return (await import('express-sid/redis')).redisStore(new Redis(process.env.REDIS_URL!), {
        prefix: place,
      })
    }
    case 'postgres': {
      const { default: pg } = await import('pg')
      const pool = new pg.Pool({ connectionString: process.env.POSTGRES_URL! })
      return (await import('express-sid/postgres')).postgresStore(pool, { table: place })
    }
    case 'mysql': {
      const mysql = await import('mysql2/promise')
      return (await import('express-sid/mysql')).mysqlStore(mysql.createPool(process.env.MYSQL_URL!), {
        table: place,
      })
    }
    default:
      throw new Error(`no store named ${name}`)
  }
}
