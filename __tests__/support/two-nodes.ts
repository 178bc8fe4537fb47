import { randomBytes } from 'node:crypto'
import { memoryStore, type SessionStore } from 'express-sid'
import { encrypted } from 'express-sid/encrypted'
import { mysqlStore } from 'express-sid/mysql'
import { postgresStore } from 'express-sid/postgres'
import { redisStore } from 'express-sid/redis'
import { sqliteStore } from 'express-sid/sqlite'
import Database from 'libsql'
import mysql from 'mysql2/promise'
import { Pool } from 'pg'
import { createClient, createCluster } from 'redis'
import { has, urls, type Part } from './needs.js'
import { dropKeys, freshPrefix } from './redis-clients.js'
import { startCluster } from './redis-cluster.js'
import { scratchFolder } from './scratch.js'

/** One place for sessions, with a client for each of two nodes. */
export interface TwoNodes {
  readonly stores: readonly [SessionStore, SessionStore]
  readonly close: () => Promise<unknown>
}

export type NodeKind = readonly [name: string, part: Part | undefined, open: () => Promise<TwoNodes>]

/** Each store that needs no server of its own. Call it once in a file, outside of tests. */
export function nodeKinds(label: string): NodeKind[] {
  const file = scratchFolder()
  const prefix = freshPrefix()
  const table = `sid_${label}_${process.pid}`
  const drop = `DROP TABLE IF EXISTS ${table}, ${table}_schema`
  return [
    ['memory', undefined, async () => both(memoryStore(), async () => undefined)],
    [
      'SQLite',
      undefined,
      async () => {
        const [one, other] = [new Database(file('sessions.sqlite')), new Database(file('sessions.sqlite'))]
        return {
          stores: [sqliteStore(one), sqliteStore(other)],
          close: async () => [one.close(), other.close()],
        }
      },
    ],
    [
      'Redis',
      'redis',
      async () => {
        const open = () => createClient({ url: urls.redis }).connect()
        const [one, other] = [await open(), await open()]
        const close = () => Promise.all([one.close(), other.close()]).then(() => dropKeys(urls.redis, prefix))
        return { stores: [redisStore(one, { prefix }), redisStore(other, { prefix })], close }
      },
    ],
    [
      'PostgreSQL',
      'postgres',
      async () => {
        const open = () => new Pool({ connectionString: urls.postgres })
        const [one, other] = [open(), open()]
        const close = () => one.query(drop).then(() => Promise.all([one.end(), other.end()]))
        return { stores: [postgresStore(one, { table }), postgresStore(other, { table })], close }
      },
    ],
    [
      'MariaDB',
      'mysql',
      async () => {
        const [one, other] = [mysql.createPool(urls.mysql), mysql.createPool(urls.mysql)]
        const close = () => one.query(drop).then(() => Promise.all([one.end(), other.end()]))
        return { stores: [mysqlStore(one, { table }), mysqlStore(other, { table })], close }
      },
    ],
  ]
}

/** Each node seals and opens what the other one has written. */
export const encryptedKind: NodeKind = [
  'an encrypted store',
  undefined,
  async () => {
    const [store, keys] = [memoryStore(), [randomBytes(32)]]
    return { stores: [encrypted(store, { keys }), encrypted(store, { keys })], close: async () => undefined }
  },
]

/** Redis Cluster, of three primaries of its own. To start it takes a second or two. */
export const clusterKind: NodeKind = [
  'Redis Cluster',
  'redis-server',
  async () => {
    const cluster = await startCluster()
    const open = () => createCluster({ rootNodes: [{ url: cluster.primaries[0]!.url }] }).connect()
    const [one, other] = [await open(), await open()]
    const close = () => Promise.all([one.close(), other.close()]).then(() => cluster.remove())
    return { stores: [redisStore(one), redisStore(other)], close }
  },
]

/** Makes a test of each kind. What it has opened is closed. */
export function onNodes(
  kinds: readonly NodeKind[],
  title: string,
  check: (stores: TwoNodes['stores']) => Promise<void>,
  timeout?: number,
): void {
  describe.each(kinds)('on %s', (_name, part, open) => {
    const run = part === undefined || has(part) ? test : test.skip
    run(
      title,
      async () => {
        const { stores, close } = await open()
        try {
          await check(stores)
        } finally {
          await close()
        }
      },
      timeout,
    )
  })
}

function both(store: SessionStore, close: () => Promise<unknown>): TwoNodes {
  return { stores: [store, store], close }
}
