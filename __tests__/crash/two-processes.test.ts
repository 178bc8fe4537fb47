import mysql from 'mysql2/promise'
import { Pool } from 'pg'
import { startApp, type App } from '../support/app-process.js'
import { violations } from '../support/history.js'
import { has, urls, type Part } from '../support/needs.js'
import { dropKeys, freshPrefix } from '../support/redis-clients.js'
import { startCluster, type RedisCluster } from '../support/redis-cluster.js'
import { scratchFolder } from '../support/scratch.js'
import { Workload } from '../support/workload.js'

const file = scratchFolder()
const prefix = freshPrefix()
const table = `sid_two_${process.pid}`
const isLong = process.env.SID_LONG === '1'

/** Each store by name: what it needs, and how the app is told to open it. */
const stores: [name: string, part: Part | undefined, open: string][] = [
  ['SQLite', undefined, `sqlite:${file('sessions.sqlite')}`],
  ['Redis through node-redis', 'redis', `redis:${prefix}1:`],
  ['Redis through ioredis', 'redis', `ioredis:${prefix}2:`],
  ['Redis Cluster through node-redis', 'redis-server', 'redis-cluster:one:@CLUSTER'],
  ['Redis Cluster through ioredis', 'redis-server', 'ioredis-cluster:two:@CLUSTER'],
  ['PostgreSQL', 'postgres', `postgres:${table}`],
  ['MariaDB', 'mysql', `mysql:${table}`],
]
const present = stores.filter(([, part]) => part === undefined || has(part))

describe('two processes on one store', () => {
  let apps: App[] = []
  let cluster: RedisCluster | undefined

  beforeAll(async () => {
    if (has('redis-server')) cluster = await startCluster()
    const names = present.map(([, , open]) => open.replace('CLUSTER', cluster?.primaries[0]!.url ?? ''))
    // So long that a busy machine is no reason to fail.
    const env = { STORE: names.join(' '), TOUCH_INTERVAL: '20', STORE_TIMEOUT: '8000' }
    apps = await Promise.all([1, 2].map(() => startApp('__tests__/support/app-server.ts', env)))
  }, 60_000)

  afterAll(async () => {
    await Promise.all(apps.map((app) => app.stop()))
    await cluster?.remove()
    if (has('redis')) await dropKeys(urls.redis, prefix)
    if (has('postgres')) {
      const pool = new Pool({ connectionString: urls.postgres })
      await pool.query(`DROP TABLE IF EXISTS ${table}, ${table}_schema`)
      await pool.end()
    }
    if (has('mysql')) {
      const pool = mysql.createPool(urls.mysql)
      await pool.query(`DROP TABLE IF EXISTS ${table}, ${table}_schema`)
      await pool.end()
    }
  })

  for (const [name, part] of stores) {
    const run = part === undefined || has(part) ? test : test.skip
    run(
      `${name}: no logout or revocation is undone, no login and no update is lost`,
      async () => {
        const at = present.findIndex(([other]) => other === name)
        const load = new Workload(apps.map(({ url }) => `${url}/${at}`))
        const running = load.run(12)
        await load.haveEach(isLong ? 2_000 : 12)
        load.stop()
        await running
        await load.readAll()

        expect(load.wrong).toEqual([])
        expect(violations(load.history)).toEqual([])
        // Writers of one SQLite file wait for each other for 100 ms at most; nothing else has a reason to fail.
        const failed = load.history.filter(({ result }) => result === 'failed')
        const others = failed.filter(({ reason }) => !(name === 'SQLite' && reason === 'SQLITE_BUSY'))
        expect(others).toEqual([])
      },
      isLong ? 600_000 : 30_000,
    )
  }
})
