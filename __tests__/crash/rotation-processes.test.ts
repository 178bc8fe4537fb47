import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import mysql from 'mysql2/promise'
import { Pool } from 'pg'
import { startApp, type App } from '../support/app-process.js'
import { violations } from '../support/history.js'
import { has, urls, type Part } from '../support/needs.js'
import { dropKeys, freshPrefix } from '../support/redis-clients.js'
import { startCluster, type RedisCluster } from '../support/redis-cluster.js'
import { widely } from '../support/wide.js'
import { RotatingBrowser } from '../support/rotating-browser.js'

const folder = mkdtempSync(join(tmpdir(), 'sid-rotation-'))
const prefix = freshPrefix()
const table = `sid_rotation_${process.pid}`
const HOUR = 3_600_000
const GRACE = 300_000

/** Each store by name: what it needs, and how the app is told to open it. */
const all: [name: string, part: Part | undefined, open: string][] = [
  ['memory', undefined, 'memory'],
  ['SQLite', undefined, `sqlite:${join(folder, 'sessions.sqlite')}`],
  ['Redis through node-redis', 'redis', `redis:${prefix}1:`],
  ['Redis through ioredis', 'redis', `ioredis:${prefix}2:`],
  ['Redis Cluster through node-redis', 'redis-server', 'redis-cluster:one:@CLUSTER'],
  ['PostgreSQL', 'postgres', `postgres:${table}`],
  ['MariaDB through mysql2', 'mysql', `mysql:${table}`],
]
const few = new Set(['Redis through node-redis', 'MariaDB through mysql2'])
const stores = widely(all, ([name]) => few.has(name))
const present = stores.filter(([, part]) => part === undefined || has(part))

describe('four processes on one store, and one browser whose requests go to all of them', () => {
  let apps: App[] = []
  let cluster: RedisCluster | undefined

  beforeAll(async () => {
    if (present.some(([, part]) => part === 'redis-server')) cluster = await startCluster()
    const names = present.map(([, , open]) => open.replace('CLUSTER', cluster?.primaries[0]!.url ?? ''))
    const start = () => startApp('__tests__/support/rotation-server.ts', { STORE: names.join(' ') })
    // The first one creates the tables.
    apps = [await start()]
    apps.push(...(await Promise.all([start(), start(), start()])))
  }, 90_000)

  afterAll(async () => {
    await Promise.all(apps.map((app) => app.stop()))
    await cluster?.remove()
    rmSync(folder, { recursive: true, force: true })
    if (has('redis')) await dropKeys(urls.redis, prefix)
    const drop = `DROP TABLE IF EXISTS ${table}, ${table}_schema`
    if (has('postgres')) {
      const pool = new Pool({ connectionString: urls.postgres })
      await pool.query(drop)
      await pool.end()
    }
    if (has('mysql')) {
      const pool = mysql.createPool(urls.mysql)
      await pool.query(drop)
      await pool.end()
    }
  })

  /** Moves the clocks, each a little off the others, as clocks of machines are; or breaks the stores. */
  async function world(change: { clock?: number; faults?: number }): Promise<void> {
    const tell = async (app: App, index: number) => {
      const skewed = change.clock === undefined ? change : { ...change, clock: change.clock + index * 400 }
      const headers = { 'content-type': 'application/json' }
      await fetch(`${app.url}/world`, { method: 'POST', headers, body: JSON.stringify(skewed) })
    }
    await Promise.all(apps.map(tell))
  }

  /** What all processes have reported. */
  async function events(places: readonly string[]) {
    const sum = { rotate: 0, reuse: 0, rotationUnused: 0 }
    for (const place of places) {
      const told = (await (await fetch(`${place}/events`)).json()) as typeof sum
      for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += told[name]
    }
    return sum
  }

  for (const [name, part] of stores) {
    const run = part === undefined || has(part) ? test : test.skip
    run(
      `${name}: 500 requests over a rotation: nobody is signed out, and there is one successor`,
      async () => {
        const at = present.findIndex(([other]) => other === name)
        // What is in a process's memory is of that process alone.
        const nodes = name === 'memory' ? apps.slice(0, 1) : apps
        const places = nodes.map(({ url }) => `${url}/${at}`)
        const browser = new RotatingBrowser(places, `visitor of ${name}`)
        let clock = 0
        const pass = (ms: number) => world({ clock: (clock += ms) })
        await world({ clock: 0, faults: 0 })
        await browser.login()

        await pass(HOUR)
        await browser.burst({ requests: 500 })
        expect([browser.given, (await events(places)).rotate]).toEqual([1, 1])
        await pass(GRACE)
        await browser.burst({ requests: 40 })

        // A third of the writes fails, half of those after their effect, and half of the responses get lost.
        await pass(HOUR)
        await world({ faults: 0.33 })
        await browser.burst({ requests: 200, lost: 0.5 })
        expect((await events(places)).rotate).toBeLessThanOrEqual(2)
        await pass(GRACE)
        await browser.burst({ requests: 40, lost: 0.5 })
        await world({ faults: 0 })

        const before = (await events(places)).rotate
        await pass(HOUR)
        await browser.burst({ requests: 60 })
        // Where the last successor was never used, the current secret is the same: one more in each period.
        await pass(GRACE)
        await browser.burst({ requests: 40 })
        expect((await events(places)).rotate).toBe(before + 1)
        expect((await events(places)).reuse).toBe(0)
        expect(violations(browser.history)).toEqual([])
        expect(browser.history.filter(({ result }) => result === 'failed')).toEqual([])
        expect(browser.history.filter(({ result }) => result === 'in').length).toBeGreaterThan(700)
      },
      60_000,
    )
  }
})
