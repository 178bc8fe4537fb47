import type { SessionRecord } from '../../../src/record.js'
import type { SessionStore } from '../../../src/store.js'
import { redisStore } from '../../../src/stores/redis/index.js'
import { makeRecord, storeContract } from '../../../src/testing/store-contract.js'
import { rejectionOf } from '../../support/core.js'
import { hearingContract } from '../../support/hearing.js'
import { needs } from '../../support/needs.js'
import { clusterKinds, freshPrefix, type OpenClient } from '../../support/redis-clients.js'
import { startCluster, type RedisCluster } from '../../support/redis-cluster.js'
import { widely } from '../../support/wide.js'
import { eventually, type RedisServer } from '../../support/redis-servers.js'

const kinds = widely(Object.entries(clusterKinds), ([name]) => name === 'ioredis')

needs('redis-server')('the Redis store on a Cluster of three primaries and three replicas', () => {
  let cluster: RedisCluster

  beforeAll(async () => {
    cluster = await startCluster()
  }, 20_000)
  afterAll(() => cluster.remove())

  /** Which primary has the slot of a key, and the slot. */
  async function placeOf(key: string): Promise<{ at: number; slot: number }> {
    const slot = Number(await cluster.primaries[0]!.ask('cluster', 'keyslot', key))
    return { at: slot > 10922 ? 2 : slot > 5460 ? 1 : 0, slot }
  }

  describe.each(kinds)('through %s', (name, open) => {
    const prefix = freshPrefix()
    const keyPrefix = name.includes('keyPrefix') ? 'sid-test-app:' : ''
    const keyOf = ({ id }: SessionRecord) => `${keyPrefix}${prefix}session:${id}`
    const indexOf = ({ userId }: SessionRecord) => `${keyPrefix}${prefix}user:${userId}`
    let opened: OpenClient
    let store: SessionStore

    beforeAll(async () => {
      opened = await open(cluster.primaries[0]!.url)
      store = redisStore(opened.client, { prefix })
    })
    afterAll(() => opened.close())

    for (const { name: rule, run } of storeContract(() => store)) test(rule, run)

    describe('with heardEverywhere, whichever primary publishes and listens', () => {
      const hearing = () => redisStore(opened.client, { prefix, heardEverywhere: true })
      for (const { name: rule, run } of hearingContract(hearing)) test(rule, run)
    })

    test('keeps the contract with the option wait', async () => {
      const waiting = redisStore(opened.client, { prefix, wait: { replicas: 1, timeout: 2_000 } })
      for (const { run } of storeContract(() => waiting)) await run()
    })

    test('a scan fails when the Cluster changes between two of its pages', async () => {
      for (let count = 0; count < 5; count += 1) await store.insert(makeRecord())
      const { next } = await store.scan!(1)
      expect(next).toBeDefined()
      expect((await store.scan!(1, next)).records).toBeInstanceOf(Array)
      // As when slots move or a replica takes over: the epoch rises.
      let error: unknown
      await eventually(async () => {
        for (const primary of cluster.primaries) await primary.ask('cluster', 'bumpepoch')
        error = await rejectionOf((async () => store.scan!(1, next))())
        return true
      })
      expect(error).toMatchObject({ code: 'STORE_FAILED' })
      expect(String(error)).toContain('Begin again')
    })

    test('spreads the sessions of one user over all servers', async () => {
      const { userId } = makeRecord()
      const records = Array.from({ length: 30 }, () => makeRecord({ userId }))
      for (const record of records) await store.insert(record)
      const places = await Promise.all(records.map((record) => placeOf(keyOf(record))))
      expect(new Set(places.map(({ at }) => at)).size).toBe(3)
    })

    test('the failure of one server touches its own sessions only', async () => {
      expect(store).not.toHaveProperty('getMany')
      const here = await recordWhere(async (record) => (await placeOf(keyOf(record))).at === 0)
      const there = await recordWhere(async (record) => (await placeOf(keyOf(record))).at === 1)
      await store.insert(here)
      await store.insert(there)
      const away = cluster.primaries[1]!
      await whilePaused(away, async () => {
        const late = store.get(there.id)
        expect(await store.get(here.id)).toEqual(here)
        away.resume()
        expect(await late).toEqual(there)
      })
    })

    test('a session that its index has lost, as in a failover, is listed again at its next touch', async () => {
      const record = makeRecord()
      await store.insert(record)
      const at = cluster.primaries[(await placeOf(indexOf(record))).at]!
      // The login lists the session once more in the background.
      await eventually(async () => Number(await at.ask('del', indexOf(record))) === 0)
      expect(await store.listByUser!(record.userId!)).toEqual([])
      const touched = { ...record, version: 2 }
      expect(await store.update(touched, 1)).toBe('ok')
      await eventually(async () => (await store.listByUser!(record.userId!)).length === 1)
      expect(await store.listByUser!(record.userId!)).toEqual([touched])
    })

    /** A session on the first primary, with its index on the third. */
    const apartFromItsIndex = () =>
      recordWhere(async (candidate) => {
        const [own, index] = await Promise.all([placeOf(keyOf(candidate)), placeOf(indexOf(candidate))])
        return own.at === 0 && index.at === 2
      })

    test('a login that a node takes for a failed one, between its two writes, is listed all the same', async () => {
      const record = await apartFromItsIndex()
      const inserting = await whilePaused(cluster.primaries[0]!, async () => {
        const isDone = store.insert(record)
        await eventually(async () => {
          return Number(await cluster.primaries[2]!.ask('zrem', indexOf(record), record.id)) === 1
        })
        return { isDone }
      })
      await inserting.isDone
      await eventually(async () => (await store.listByUser!(record.userId!)).length === 1)
    })

    test('a touch does not wait for the server that has the index', async () => {
      const record = await apartFromItsIndex()
      await store.insert(record)
      await whilePaused(cluster.primaries[2]!, async () => {
        expect(await store.update({ ...record, version: 2 }, 1)).toBe('ok')
      })
    })

    test('a logout does not wait for the server that has the index', async () => {
      const record = await apartFromItsIndex()
      await store.insert(record)
      await whilePaused(cluster.primaries[2]!, async () => {
        expect(await store.delete(record.id)).toBe(true)
        expect(await store.get(record.id)).toBeUndefined()
      })
    })

    test('with the option wait, a login fails when the replica of its own server lags, and only then', async () => {
      const wait = { replicas: 1, timeout: 100 }
      const waiting = redisStore(opened.client, { prefix, wait })
      const guest = { userId: undefined, user: undefined }
      const at = (place: number) => async (record: SessionRecord) =>
        (await placeOf(keyOf(record))).at === place
      const [slow, fine] = [await recordWhere(at(0), guest), await recordWhere(at(1), guest)]
      await whilePaused(cluster.replicas[0]!, async () => {
        await expect(waiting.insert(slow)).rejects.toMatchObject({ code: 'STORE_FAILED' })
        await waiting.insert(fine)
        expect(await waiting.delete(fine.id)).toBe(true)
      })
    })

    test('follows a slot to another server, with and without wait', async () => {
      const waiting = redisStore(opened.client, { prefix, wait: { replicas: 1, timeout: 2_000 } })
      for (const each of [store, waiting]) {
        const record = await recordWhere((candidate) => isAloneOn(0, keyOf(candidate)))
        await move(keyOf(record), 0, 1)
        await each.insert(record)
        expect(await each.get(record.id)).toEqual(record)
        expect(await each.delete(record.id)).toBe(true)
        await move(keyOf(record), 1, 0)
        await each.insert(record)
        expect(await each.update({ ...record, version: 2 }, 1)).toBe('ok')
        expect(await each.delete(record.id)).toBe(true)
      }
    })
  })

  /** Whether the key would lie on that primary, in a slot that nothing else is in: a slot with keys can't be moved. */
  async function isAloneOn(primary: number, key: string): Promise<boolean> {
    const { at, slot } = await placeOf(key)
    if (at !== primary) return false
    return Number(await cluster.primaries[primary]!.ask('cluster', 'countkeysinslot', `${slot}`)) === 0
  }

  /**
   * Gives the slot of a key to another primary, in the steps of https://redis.io/docs/latest/commands/cluster-setslot/,
   * and waits until all servers say so. There must be no key in it.
   */
  async function move(key: string, from: number, to: number): Promise<void> {
    const { slot } = await placeOf(key)
    const setSlot = (at: number, state: string, id: number) =>
      cluster.primaries[at]!.ask('cluster', 'setslot', `${slot}`, state, cluster.ids[id]!)
    await setSlot(to, 'importing', from)
    await setSlot(from, 'migrating', to)
    const give = async () => {
      await setSlot(to, 'node', to)
      await setSlot(from, 'node', to)
    }
    await give()
    const owner = cluster.primaries[to]!
    const others = [...cluster.primaries, ...cluster.replicas].filter((server) => server !== owner)
    for (const server of others) {
      await eventually(async () => {
        const moved = await server.ask('get', key).catch((error: Error) => error.message)
        if (String(moved).endsWith(`:${owner.port}`)) return true
        // The highest epoch wins. Where that of the old owner rose a moment ago, the new one did not know, and has given
        // the slot back.
        await owner.ask('cluster', 'bumpepoch')
        await give()
        return false
      })
    }
  }
})

/** A record that lies where the test needs it. */
async function recordWhere(
  fits: (record: SessionRecord) => Promise<boolean>,
  overrides: Partial<SessionRecord> = {},
): Promise<SessionRecord> {
  for (;;) {
    const record = makeRecord(overrides)
    if (await fits(record)) return record
  }
}

async function whilePaused<T>(server: RedisServer, work: () => Promise<T>): Promise<T> {
  server.pause()
  try {
    return await work()
  } finally {
    server.resume()
  }
}
