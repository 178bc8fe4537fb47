import type { SessionStore } from 'express-sid'
import type { RedisClient } from 'express-sid/redis'

/**
 * A store on real parts, by name: `memory`, `sqlite:FILE`, `KIND:PREFIX` for the kinds of Redis clients below,
 * `postgres:TABLE`, `mysql:TABLE`. Where its server is, the environment says, or the name: `redis:PREFIX@URL`.
 * `moving>FROM>TO` is a move between two of these.
 * `+wait` after a kind of Redis asks for the word of a replica, `+heard` after it or `postgres` for `heardEverywhere`.
 * Drivers are loaded when asked for, and get no settings: what is shown with them holds for everybody.
 */
export async function openStore(name: string): Promise<SessionStore> {
  const [moving, from, to] = name.split('>')
  if (moving === 'moving') {
    const { movingStore } = await import('express-sid/moving-store')
    return movingStore({ from: await openStore(from!), to: await openStore(to!) })
  }
  const [, kind = '', hasWait, isHeard, place = '', url] =
    /^([^:+]+)(\+wait)?(\+heard)?(?::([^@]*)(?:@(.*))?)?$/s.exec(name) ?? []
  const heardEverywhere = isHeard !== undefined
  const { REDIS_URL, POSTGRES_URL, MYSQL_URL } = process.env
  switch (kind) {
    case 'memory':
      return (await import('express-sid')).memoryStore()
    case 'sqlite': {
      const { default: Database } = await import('libsql')
      return (await import('express-sid/sqlite')).sqliteStore(new Database(place))
    }
    case 'postgres': {
      const { default: pg } = await import('pg')
      const pool = new pg.Pool({ connectionString: url ?? POSTGRES_URL! })
      return (await import('express-sid/postgres')).postgresStore(pool, { table: place, heardEverywhere })
    }
    case 'mysql': {
      const mysql = await import('mysql2/promise')
      const pool = mysql.createPool(url ?? MYSQL_URL!)
      return (await import('express-sid/mysql')).mysqlStore(pool, { table: place })
    }
    default: {
      const client = await openRedis(kind, url ?? REDIS_URL!)
      const wait = hasWait === undefined ? undefined : { replicas: 1, timeout: 200 }
      return (await import('express-sid/redis')).redisStore(client, { prefix: place, wait, heardEverywhere })
    }
  }
}

async function openRedis(kind: string, url: string): Promise<RedisClient> {
  const { createClient, createCluster } = await import('redis')
  const { Cluster, Redis } = await import('ioredis')
  switch (kind) {
    case 'redis':
      return createClient({ url }).connect()
    case 'redis-cluster':
      return createCluster({ rootNodes: [{ url }] }).connect()
    case 'ioredis':
      return new Redis(url)
    case 'ioredis-cluster':
      return new Cluster([url])
    default:
      throw new Error(`no store named ${kind}`)
  }
}
