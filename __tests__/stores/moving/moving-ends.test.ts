import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'pg'
import { createClient } from 'redis'
import { memoryStore, type EndsChannel, type SessionRecord, type Sessions } from 'express-sid'
import { copySessions, movingStore } from 'express-sid/moving-store'
import { postgresStore } from 'express-sid/postgres'
import { redisStore } from 'express-sid/redis'
import { makeRecord } from 'express-sid/testing'
import { twoNodes, watch } from '../../support/hearing.js'
import { needs, urls } from '../../support/needs.js'
import { dropKeys, freshPrefix } from '../../support/redis-clients.js'
import { turns } from '../../support/stores.js'
import { HearingStore } from '../../testing/broken-stores/hearing.js'

// A store tells of each record that leaves it. A session that moves leaves one, too, and has not ended.

const next = (record: SessionRecord): SessionRecord => ({ ...record, version: record.version + 1 })

/** A moving store, and what is heard through it. */
function hearing(stores = { from: new HearingStore(), to: new HearingStore() }) {
  const store = movingStore(stores)
  const heard: string[] = []
  const channel = store.hearEnds!({
    ended: (id) => heard.push(id),
    alive: () => heard.push('alive'),
    lost: () => heard.push('lost'),
  })
  return { ...stores, store, heard: () => heard.splice(0), channel }
}

/** The ways of a session into one store, or both. */
const places: [
  string,
  (stores: { from: HearingStore; to: HearingStore }, record: SessionRecord) => unknown,
][] = [
  ['in `from`', ({ from }, record) => from.insert(record)],
  ['in `to`', ({ to }, record) => to.insert(record)],
  [
    'copied',
    async (stores, record) => {
      await stores.from.insert(record)
      await copySessions(stores)
    },
  ],
]

describe('an end', () => {
  test.each(places)('of a session that is %s is heard, and once', async (_, bring) => {
    const { from, to, store, heard } = hearing()
    const record = makeRecord()
    await bring({ from, to }, record)
    heard()
    expect(await store.delete(record.id)).toBe(true)
    await turns()
    expect(heard()).toEqual([record.id])
  })

  test.each(places)('that is marked, of a session that was %s, is heard', async (_, bring) => {
    const { from, to, store, heard } = hearing()
    const record = makeRecord()
    await bring({ from, to }, record)
    heard()
    expect(await store.update({ ...next(record), endedBy: 'reuse' }, 1)).toBe('ok')
    await turns()
    expect(new Set(heard())).toEqual(new Set([record.id]))
  })

  test('by a node that knows `from` alone is heard', async () => {
    const { from, heard } = hearing()
    const record = makeRecord()
    await from.insert(record)
    heard()
    await from.delete(record.id)
    await turns()
    expect(heard()).toEqual([record.id])
  })
})

describe('a move ends nothing:', () => {
  test.each(places)('a first write to a session that is %s', async (_, bring) => {
    const { from, to, store, heard } = hearing()
    const record = makeRecord()
    await bring({ from, to }, record)
    heard()
    expect(await store.update(next(record), 1)).toBe('ok')
    await turns()
    expect([heard(), from.records.size]).toEqual([[], 0])
  })

  test('a copy that finishes, of more sessions than are looked for at once', async () => {
    const { from, to, heard } = hearing()
    for (let made = 0; made < 1_100; made += 1) await from.insert(makeRecord())
    heard()
    expect(await copySessions({ from, to, finish: true })).toMatchObject({ moved: 1_100 })
    await turns()
    expect([heard(), from.records.size]).toEqual([[], 0])
  })

  test('a socket stays open through it, and closes at the end, at once', async () => {
    const stores = { from: new HearingStore(), to: new HearingStore() }
    const [here, there] = twoNodes([movingStore(stores), movingStore(stores)])
    const record = makeRecord()
    await stores.from.insert(record)
    const socket = watch(here!, record.id)
    await turns()
    await copySessions({ ...stores, finish: true })
    await turns()
    expect(socket.calls()).toBe(0)
    await there!.revoke(record.id)
    await turns()
    expect(socket.calls()).toBe(1)
    await Promise.all([here!.close(), there!.close()])
    expect([stores.from.listeners.size, stores.to.listeners.size]).toEqual([0, 0])
  })
})

describe('the channel', () => {
  test('is alive once both are, and lost when one is', () => {
    const { from, to, heard } = hearing()
    expect(heard()).toEqual(['alive'])
    const [one] = from.listeners
    const [other] = to.listeners
    one!.alive()
    expect(heard()).toEqual([])
    other!.alive()
    expect(heard()).toEqual(['alive'])
    one!.alive()
    one!.lost()
    other!.alive()
    expect(heard()).toEqual(['lost'])
    one!.alive()
    expect(heard()).toEqual(['alive'])
  })

  test('a sign of life goes through both, also where one of them can not send it', async () => {
    const { from, to, channel, heard } = hearing()
    heard()
    await channel.beat()
    expect(heard()).toEqual(['alive'])
    const broken = new HearingStore()
    const hearEnds = broken.hearEnds.bind(broken)
    broken.hearEnds = (listener): EndsChannel => ({
      ...hearEnds(listener),
      beat: () => {
        throw new Error('it is cut off')
      },
    })
    const both = hearing({ from: broken, to })
    both.heard()
    await expect(both.channel.beat()).rejects.toThrow('it is cut off')
    const [, other] = to.listeners
    expect([both.heard(), other === undefined, from.listeners.size]).toEqual([[], false, 1])
    // The other one has come through, so one more of the broken one is enough.
    ;[...broken.listeners][0]!.alive()
    expect(both.heard()).toEqual(['alive'])
  })

  test('closes both, and tells nothing any more', async () => {
    const { from, to, store, channel, heard } = hearing()
    const record = makeRecord()
    await from.insert(record)
    heard()
    await store.delete(record.id)
    await channel.close()
    await turns()
    expect([heard(), from.listeners.size, to.listeners.size]).toEqual([[], 0, 0])
  })

  test('counts as lost where an end can not be looked for', async () => {
    const { from, to, heard } = hearing()
    const record = makeRecord()
    await from.insert(record)
    heard()
    to.getMany = () => Promise.reject(new Error('the store is down'))
    await from.delete(record.id)
    await turns()
    expect(heard()).toEqual(['lost'])
  })

  test('is not there where one of the stores can not tell', () => {
    for (const stores of [
      { from: memoryStore(), to: new HearingStore() },
      { from: new HearingStore(), to: memoryStore() },
    ]) {
      expect(movingStore(stores)).not.toHaveProperty('hearEnds')
    }
  })
})

needs('redis', 'postgres')('from Redis to PostgreSQL', () => {
  const prefix = freshPrefix()
  const table = `sid_moving_ends_${process.pid}`
  const pool = new Pool({ connectionString: urls.postgres })

  const client = createClient({ url: urls.redis })
  let nodes: Sessions[] = []

  beforeAll(() => client.connect())
  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.close()))
    client.destroy()
    await dropKeys(urls.redis, prefix)
    await pool.query(`DROP TABLE IF EXISTS ${table}, ${table}_schema`)
    await pool.end()
  })

  test('an end is heard at once, before and after the session has moved, and the move is not', async () => {
    const open = () => ({
      from: redisStore(client, { prefix, heardEverywhere: true }),
      to: postgresStore(pool, { table, heardEverywhere: true }),
    })
    nodes = twoNodes([movingStore(open()), movingStore(open())], '60s')
    const [here, there] = nodes
    const records = Array.from({ length: 3 }, () => makeRecord())
    for (const record of records) await open().from.insert(record)
    const [first, second, third] = records.map(({ id }) => watch(here!, id))
    // As long as it takes to open both channels.
    await pause(500)
    await there!.revoke(records[0]!.id)
    await first!.ended
    await copySessions({ ...open(), finish: true })
    await there!.revoke(records[1]!.id)
    await second!.ended
    await pause(200)
    expect([first, second, third].map((socket) => socket!.calls())).toEqual([1, 1, 0])
  })
})
