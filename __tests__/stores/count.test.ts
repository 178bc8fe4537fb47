import { hash, randomUUID } from 'node:crypto'
import { memoryStore, type SessionStore } from 'express-sid'
import { mysqlStore } from 'express-sid/mysql'
import { postgresStore } from 'express-sid/postgres'
import { redisStore } from 'express-sid/redis'
import { sqliteStore } from 'express-sid/sqlite'
import Database from 'libsql'
import mysql from 'mysql2/promise'
import { Pool } from 'pg'
import { createClient } from 'redis'
import { derivedId } from '../../src/lib/uuid.js'
import { makeRecord } from '../../src/testing/records.js'
import { has, urls, type Part } from '../support/needs.js'
import { dropKeys, freshPrefix } from '../support/redis-clients.js'

// What is kept of a user for all of their sessions is in the store of the sessions, and is none.

const table = `sid_count_${process.pid}`
const drop = `DROP TABLE IF EXISTS ${table}, ${table}_schema`
const nothing = async () => undefined

interface Opened {
  readonly store: SessionStore
  readonly close: () => Promise<unknown>
}

const stores: [name: string, part: Part | undefined, open: () => Promise<Opened>][] = [
  ['memory', undefined, async () => ({ store: memoryStore(), close: nothing })],
  ['SQLite', undefined, async () => ({ store: sqliteStore(new Database(':memory:')), close: nothing })],
  [
    'Redis',
    'redis',
    async () => {
      const prefix = freshPrefix()
      const client = await createClient({ url: urls.redis }).connect()
      const close = async () => {
        await client.close()
        await dropKeys(urls.redis, prefix)
      }
      return { store: redisStore(client, { prefix }), close }
    },
  ],
  [
    'PostgreSQL',
    'postgres',
    async () => {
      const pool = new Pool({ connectionString: urls.postgres })
      return { store: postgresStore(pool, { table }), close: () => pool.query(drop).then(() => pool.end()) }
    },
  ],
  [
    'MariaDB',
    'mysql',
    async () => {
      const pool = mysql.createPool(urls.mysql)
      return { store: mysqlStore(pool, { table }), close: () => pool.query(drop).then(() => pool.end()) }
    },
  ],
]

for (const [name, part, open] of stores) {
  const run = part === undefined || has(part) ? test : test.skip
  run(`${name} counts sessions, and nothing that has a derived id`, async () => {
    const { store, close } = await open()
    try {
      await store.insert(makeRecord())
      const id = derivedId(hash('sha256', randomUUID(), 'buffer'))
      await store.insert({ ...makeRecord(), id, userId: undefined })
      expect(await store.count!(Date.now())).toBe(1)
      expect(await store.get(id)).toMatchObject({ id })
    } finally {
      await close()
    }
  })
}
