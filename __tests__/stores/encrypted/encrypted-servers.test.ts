import { randomBytes } from 'node:crypto'
import { createPool } from 'mysql2/promise'
import { Pool } from 'pg'
import { createClient } from 'redis'
import type { SessionStore } from 'express-sid'
import { encrypted } from 'express-sid/encrypted'
import { mysqlStore } from 'express-sid/mysql'
import { postgresStore } from 'express-sid/postgres'
import { redisStore } from 'express-sid/redis'
import { storeContract } from 'express-sid/testing'
import { needs, urls, type Part } from '../../support/needs.js'
import { clusterKinds, dropKeys, freshPrefix } from '../../support/redis-clients.js'
import { startCluster } from '../../support/redis-cluster.js'
import { widely } from '../../support/wide.js'

// The contract on servers. What `encrypted` does of itself is shown beside this file, in the process.

jest.setTimeout(60_000)

const keys = [randomBytes(32)]
const table = `sid_test_${randomBytes(6).toString('hex')}`

async function expectContract(inner: SessionStore): Promise<void> {
  const store = encrypted(inner, { keys })
  await store.ready()
  for (const { name, run } of storeContract(() => store)) {
    await run().catch((error: unknown) => {
      throw new Error(name, { cause: error })
    })
  }
}

const servers: [name: string, part: Part, check: () => Promise<void>][] = [
  ['Redis', 'redis', onRedis],
  ['a Redis Cluster', 'redis-server', onCluster],
  ['PostgreSQL', 'postgres', onPostgres],
  ['MySQL', 'mysql', onMysql],
]
for (const [name, part, check] of widely(servers, ([server]) => server === 'PostgreSQL')) {
  needs(part)(`encrypted on ${name}`, () => {
    test('keeps the contract', check)
  })
}

async function onRedis(): Promise<void> {
  const prefix = freshPrefix()
  const client = await createClient({ url: urls.redis }).connect()
  await expectContract(redisStore(client, { prefix }))
  client.destroy()
  await dropKeys(urls.redis, prefix)
}

async function onCluster(): Promise<void> {
  const cluster = await startCluster()
  const { client, close } = await clusterKinds['node-redis']!(cluster.primaries[0]!.url)
  await expectContract(redisStore(client))
  close()
  await cluster.remove()
}

async function onPostgres(): Promise<void> {
  const pool = new Pool({ connectionString: urls.postgres })
  await expectContract(postgresStore(pool, { table }))
  await pool.query(`DROP TABLE ${table}, ${table}_schema`)
  await pool.end()
}

async function onMysql(): Promise<void> {
  const pool = createPool(urls.mysql)
  await expectContract(mysqlStore(pool, { table }))
  await pool.query(`DROP TABLE IF EXISTS ${table}, ${table}_schema`)
  await pool.end()
}
