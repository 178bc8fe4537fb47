import { memoryStore, type SessionStore } from 'express-sid'
import { mysqlStore } from 'express-sid/mysql'
import { nearCache } from 'express-sid/near-cache'
import { postgresStore } from 'express-sid/postgres'
import { redisStore } from 'express-sid/redis'
import { sqliteStore } from 'express-sid/sqlite'
import Database from 'libsql'
import mysql from 'mysql2/promise'
import { Pool } from 'pg'
import { createClient } from 'redis'
import { eventsOf, MINUTE, moveTheClock, rejectionOf, SECOND, stopTheClock } from '../../support/core.js'
import { has, urls, type Part } from '../../support/needs.js'
import { dropKeys, freshPrefix } from '../../support/redis-clients.js'
import { scratchFolder } from '../../support/scratch.js'
import { replacing, turns } from '../../support/stores.js'
import { cookie, nodeOn, testSchedules, tokenOf } from './schedules.js'

// One old cookie starts one session, on several nodes, in every order of events.

afterEach(() => jest.useRealTimers())

describe('two nodes, in random schedules', () => testSchedules(30))

const file = scratchFolder()
const prefix = freshPrefix()
const table = `sid_adopt_${process.pid}`
const drop = `DROP TABLE IF EXISTS ${table}, ${table}_schema`
type Opened = { stores: SessionStore[]; close: () => Promise<unknown> }

const kinds: [name: string, part: Part | undefined, open: () => Promise<Opened>][] = [
  [
    'memory, behind near caches',
    undefined,
    async () => {
      const store = memoryStore()
      const stores = [0, 1].map(() => nearCache(store, { maxStaleness: '1h' }))
      return { stores, close: async () => undefined }
    },
  ],
  [
    'SQLite',
    undefined,
    async () => {
      const clients = [0, 1].map(() => new Database(file('sessions.sqlite')))
      const close = async () => clients.map((one) => one.close())
      return { stores: clients.map((one) => sqliteStore(one)), close }
    },
  ],
  [
    'Redis',
    'redis',
    async () => {
      const clients = await Promise.all([0, 1].map(() => createClient({ url: urls.redis }).connect()))
      const close = () =>
        Promise.all(clients.map((one) => one.close())).then(() => dropKeys(urls.redis, prefix))
      return { stores: clients.map((one) => redisStore(one, { prefix })), close }
    },
  ],
  [
    'PostgreSQL',
    'postgres',
    async () => {
      const clients = [0, 1].map(() => new Pool({ connectionString: urls.postgres }))
      const close = () => clients[0]!.query(drop).then(() => Promise.all(clients.map((one) => one.end())))
      return { stores: clients.map((one) => postgresStore(one, { table })), close }
    },
  ],
  [
    'MariaDB',
    'mysql',
    async () => {
      const clients = [0, 1].map(() => mysql.createPool(urls.mysql))
      const close = () => clients[0]!.query(drop).then(() => Promise.all(clients.map((one) => one.end())))
      return { stores: clients.map((one) => mysqlStore(one, { table })), close }
    },
  ],
]

describe.each(kinds)('on %s', (_name, part, open) => {
  const run = part === undefined || has(part) ? test : test.skip

  run(
    'twelve requests on two nodes get one session, a logout closes the cookie, and no failure is reported',
    async () => {
      const { stores, close } = await open()
      try {
        const nodes = stores.map((store) => nodeOn(store, { storeTimeout: 8 * SECOND }))
        const events = nodes.flatMap(({ sessions }) => [eventsOf(sessions)])
        const all = await Promise.all(Array.from({ length: 12 }, (_, index) => nodes[index % 2]!.adopt()))
        expect(new Set(all.map(tokenOf)).size).toBe(1)
        const [first] = all
        if (first === undefined || first === 'closed') throw new Error('it was closed')
        expect((await nodes[1]!.sessions.list('ann')).map(({ id }) => id)).toEqual([first.record.id])
        await nodes[0]!.engine.end([first.record])
        expect([await nodes[0]!.adopt(), await nodes[1]!.adopt()]).toEqual(['closed', 'closed'])
        await nodes[0]!.sessions.revokeAll('ann')
        expect(await nodes[1]!.adopt('ann.of-another-device')).toBe('closed')
        expect(
          events
            .flat()
            .map(({ name }) => name)
            .toSorted(),
        ).toEqual(['adopt', 'logout'])
      } finally {
        await close()
      }
    },
  )
})

describe('a process that dies between the mark and the session', () => {
  test('holds the others up for ten seconds; then one of them starts it, and nothing is left of the first try', async () => {
    stopTheClock()
    const store = memoryStore()
    const inserted: string[] = []
    // The session is stored. What should follow never does.
    const dying = replacing(store, {
      insert: async (record) => {
        inserted.push(record.id)
        return store.insert(record)
      },
      update: () => new Promise<never>(() => undefined),
      delete: () => new Promise<never>(() => undefined),
    })
    const dead = nodeOn(dying, { storeTimeout: 50 })
    void dead.adopt().catch(() => undefined)
    while (inserted.length < 2) await turns()
    const alive = nodeOn(store, { storeTimeout: 40 })
    expect(await rejectionOf(alive.adopt())).toMatchObject({ code: 'CONFLICT', status: 503 })
    moveTheClock(10 * SECOND)
    const adopted = await alive.adopt()
    expect(adopted).toMatchObject({ record: { userId: 'ann' } })
    expect((await store.listByUser('ann')).map(({ id }) => id)).toEqual([
      (adopted as { record: { id: string } }).record.id,
    ])
    expect(inserted).not.toContain((adopted as { record: { id: string } }).record.id)
  })

  test('and wakes up again gives back what it has stored, and gets the other one', async () => {
    stopTheClock()
    const store = memoryStore()
    let wake = () => {}
    const asleep = new Promise<void>((resolve) => (wake = resolve))
    const inserts: string[] = []
    const sleepy = nodeOn(
      replacing(store, {
        insert: async (record) => {
          inserts.push(record.id)
          if (inserts.length === 2) await asleep
          return store.insert(record)
        },
      }),
      { storeTimeout: 60 * MINUTE },
    )
    const first = sleepy.adopt()
    while (inserts.length < 2) await turns()
    moveTheClock(10 * SECOND)
    const second = await nodeOn(store).adopt()
    wake()
    expect(tokenOf(await first)).toBe(tokenOf(second))
    expect(await store.listByUser('ann')).toHaveLength(1)
  })
})

test('a copy of the cookie alone does not make the token, nor does the store', async () => {
  const [one, other] = [nodeOn(memoryStore()), nodeOn(memoryStore())]
  const [first, second] = [tokenOf(await one.adopt()), tokenOf(await other.adopt())]
  expect(first.slice(37)).not.toBe(second.slice(37))
  const store = memoryStore()
  const token = tokenOf(await nodeOn(store).adopt())
  const { records } = await store.scan(10)
  const kept = JSON.stringify(records)
  for (const secret of [token, token.slice(37), token.slice(37, 59), cookie])
    expect(kept).not.toContain(secret)
})

test('what only looks like the same cookie never leads to another user', async () => {
  const node = nodeOn(memoryStore())
  const bob = { id: 'bob' }
  const [hers, his] = [await node.adopt('abcd.AAB'), await node.adopt('abcd.AAA', bob)]
  expect(tokenOf(hers)).not.toBe(tokenOf(his))
  expect(await node.use({ token: tokenOf(his) })).toMatchObject({ userId: 'bob' })
})

test('a limit of sessions counts those of old cookies too', async () => {
  const node = nodeOn(memoryStore(), { maxSessions: 2, whenFull: 'endOldest' })
  for (const value of ['a', 'b', 'c']) await node.adopt(value)
  expect(await node.sessions.list('ann')).toHaveLength(2)
  const strict = nodeOn(memoryStore(), { maxSessions: 1, whenFull: 'refuse' })
  await strict.adopt('a')
  expect(await rejectionOf(strict.adopt('b'))).toMatchObject({ code: 'SESSIONS_FULL' })
  expect(await strict.sessions.list('ann')).toHaveLength(1)
})
