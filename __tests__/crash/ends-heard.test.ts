import { setTimeout as pause } from 'node:timers/promises'
import mysql from 'mysql2/promise'
import { Pool } from 'pg'
import { createSessions, type Sessions } from 'express-sid'
import { startEndingNode } from '../support/ending-node.js'
import { watch } from '../support/hearing.js'
import { has, urls, type Part } from '../support/needs.js'
import { nearMysql, nearPostgres, nearRedis, nearSqlite, type NearStore } from '../support/near-store.js'
import { dropKeys, freshPrefix } from '../support/redis-clients.js'
import { scratchFolder } from '../support/scratch.js'

const file = scratchFolder()
const prefix = freshPrefix()
const table = `sid_ends_${process.pid}`
const config = { connectionString: urls.postgres }

interface Case {
  readonly name: string
  readonly part: Part | undefined
  /** How the other node opens the store. */
  readonly there: string
  readonly here: () => NearStore | Promise<NearStore>
  /** With a channel it is far more than an end may take, so only the channel can be so fast. */
  readonly heardWithin: number
  readonly mayTake: number
}

const looking = { heardWithin: 1_000, mayTake: 2_000 }
const hearing = { heardWithin: 60_000, mayTake: 2_000 }
const cases: Case[] = [
  {
    name: 'SQLite',
    part: undefined,
    there: `sqlite:${file('ends.sqlite')}`,
    here: () => nearSqlite(file('ends.sqlite')),
    ...looking,
  },
  {
    name: 'MariaDB',
    part: 'mysql',
    there: `mysql:${table}`,
    here: () => nearMysql(urls.mysql, table),
    ...looking,
  },
  {
    name: 'Redis without heardEverywhere',
    part: 'redis',
    there: `redis:${prefix}0:`,
    here: () => nearRedis('ioredis', urls.redis, `${prefix}0:`),
    ...looking,
  },
  {
    name: 'Redis through node-redis',
    part: 'redis',
    there: `redis+heard:${prefix}1:`,
    here: () => nearRedis('redis', urls.redis, `${prefix}1:`, true),
    ...hearing,
  },
  {
    name: 'Redis through ioredis',
    part: 'redis',
    there: `ioredis+heard:${prefix}2:`,
    here: () => nearRedis('ioredis', urls.redis, `${prefix}2:`, true),
    ...hearing,
  },
  {
    name: 'PostgreSQL',
    part: 'postgres',
    there: `postgres+heard:${table}`,
    here: () => nearPostgres(config, table, true),
    ...hearing,
  },
]
const present = cases.filter(({ part }) => part === undefined || has(part))

describe('the end of a session at a node that is killed right after it', () => {
  const near: { store: NearStore; sessions: Sessions }[] = []
  const took: { name: string; ms: number; calls: number }[] = []

  beforeAll(async () => {
    const there = await startEndingNode(present.map((one) => one.there))
    for (const { here, heardWithin } of present) {
      const store = await here()
      near.push({ store, sessions: createSessions({ store: store.store, heardWithin }) })
    }
    const logins = await Promise.all(present.map((_, at) => there.logIn(at)))
    const alive = await Promise.all(present.map((_, at) => there.logIn(at)))
    const sockets = logins.map(({ id }, at) => watch(near[at]!.sessions, id))
    const others = alive.map(({ id }, at) => watch(near[at]!.sessions, id))
    // As long as it takes to open a channel.
    await pause(500)
    const began = performance.now()
    expect(await Promise.all(logins.map((login) => login.end()))).not.toContain(false)
    await there.kill()
    const never = pause(15_000, Infinity, { ref: false })
    const ended = await Promise.all(sockets.map((socket) => Promise.race([socket.ended, never])))
    await pause(1_000)
    for (const [at, { name }] of present.entries()) {
      expect([name, others[at]!.calls()]).toEqual([name, 0])
      took.push({ name, ms: ended[at]! - began, calls: sockets[at]!.calls() })
    }
  }, 60_000)

  afterAll(async () => {
    for (const { store, sessions } of near) {
      await sessions.close()
      await store.close()
    }
    if (has('redis')) await dropKeys(urls.redis, prefix)
    if (has('postgres')) {
      const pool = new Pool(config)
      await pool.query(`DROP TABLE IF EXISTS ${table}, ${table}_schema`)
      await pool.end()
    }
    if (has('mysql')) {
      const pool = mysql.createPool(urls.mysql)
      await pool.query(`DROP TABLE IF EXISTS ${table}, ${table}_schema`)
      await pool.end()
    }
  })

  for (const { name, part, mayTake } of cases) {
    const run = part === undefined || has(part) ? test : test.skip
    run(`${name}: is heard by the others in time, exactly once`, () => {
      const { ms, calls } = took.find((one) => one.name === name)!
      expect(calls).toBe(1)
      expect(ms).toBeLessThan(mayTake)
    })
  }
})
