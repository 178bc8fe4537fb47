import { Redis } from 'ioredis'
import { createClient } from 'redis'
import type { ListingStore } from '../../src/store.js'
import { redisStore, type RedisClient } from '../../src/stores/redis/index.js'
import { connectionOf } from '../../src/stores/redis/client.js'
import { UserIndex } from '../../src/stores/redis/user-index.js'
import { makeRecord, storeContract } from '../../src/testing/store-contract.js'
import { readText } from '../docs/support/page.js'
import { needs } from '../support/needs.js'
import { freshPrefix, kinds, type OpenClient, type OpenRedis } from '../support/redis-clients.js'
import { RedisProxy } from '../support/redis-proxy.js'
import { widely } from '../support/wide.js'
import { eventually, RedisServer, startReplicated } from '../support/redis-servers.js'

const few = new Set(['node-redis', 'ioredis'])
const fewKinds = widely(Object.entries(kinds), ([name]) => few.has(name))

let toClose: OpenClient[] = []

/** Closed after the test, however it ends. */
async function opened(open: OpenRedis, url: string): Promise<RedisClient> {
  const one = await open(url)
  toClose.push(one)
  return one.client
}

afterEach(() => {
  for (const { close } of toClose) close()
  toClose = []
})

needs('redis-server')('a Redis server that goes away', () => {
  let server: RedisServer

  beforeAll(async () => {
    server = await RedisServer.start(['--appendonly', 'yes', '--appendfsync', 'always'])
  })
  afterAll(() => server.remove())

  test.each(fewKinds)(
    '%s: the store answers again when the server does, and has lost nothing',
    async (_, open) => {
      const client = await opened(open, server.url)
      const store = redisStore(client, { prefix: freshPrefix() })
      const record = makeRecord()
      await store.insert(record)
      await server.kill()
      const late = Promise.allSettled([store.get(record.id)])
      await server.restart()
      // What was asked meanwhile may fail or be answered late.
      await late
      expect(await store.get(record.id)).toEqual(record)
      expect(await store.update({ ...record, version: 2 }, 1)).toBe('ok')
      expect(await store.listByUser(record.userId!)).toEqual([{ ...record, version: 2 }])
      expect(await store.delete(record.id)).toBe(true)
    },
  )

  test.each(fewKinds)('%s: a server that forgot its scripts is served like any other', async (_, open) => {
    const client = await opened(open, server.url)
    const store = redisStore(client, { prefix: freshPrefix() })
    const record = makeRecord()
    for (const step of [
      () => store.insert(record),
      () => store.update({ ...record, version: 2 }, 1),
      () => store.delete(record.id),
    ]) {
      await server.ask('script', 'flush')
      await step()
    }
    expect(await store.get(record.id)).toBeUndefined()
  })
})

// ioredis sends a command again when the connection ended before the answer.
needs('redis-server')('a write whose answer was lost on the way', () => {
  let server: RedisServer
  let proxy: RedisProxy
  let client: Redis

  beforeAll(async () => {
    server = await RedisServer.start()
    proxy = await RedisProxy.start(server.port)
    client = new Redis(proxy.url, { retryStrategy: () => 10 })
    client.on('error', () => undefined)
    await client.ping()
  })
  afterAll(async () => {
    client.disconnect()
    await proxy.close()
    await server.remove()
  })

  test('counts once: an insert is no conflict with itself', async () => {
    const store = redisStore(client)
    const record = makeRecord({ userId: undefined, user: undefined })
    proxy.loseNextAnswer()
    await store.insert(record)
    expect(await store.get(record.id)).toEqual(record)
    await expect(store.insert(record)).rejects.toThrow('already')
  })

  test('counts once: an update is no conflict with itself, and is with another of the same content', async () => {
    const store = redisStore(client)
    const record = makeRecord()
    await store.insert(record)
    proxy.loseNextAnswer()
    expect(await store.update({ ...record, version: 2 }, 1)).toBe('ok')
    expect(await store.update({ ...record, version: 2 }, 1)).toBe('conflict')
  })
})

needs('redis-server')(
  'a write whose reply was lost, and that others followed before it is sent again',
  () => {
    let server: RedisServer
    let proxy: RedisProxy
    let opens: OpenClient[]

    beforeAll(async () => {
      server = await RedisServer.start()
      proxy = await RedisProxy.start(server.port)
    })
    afterAll(async () => {
      for (const { close } of opens) close()
      await proxy.close()
      await server.remove()
    })

    /** A store behind the network that fails, which connects again after a second, and one beside it. */
    async function twoNodes() {
      const client = new Redis(proxy.url, { retryStrategy: () => 1_000 }).on('error', () => undefined)
      const other = new Redis(server.url)
      opens = [client, other].map((one) => ({ client: one, close: () => one.disconnect() }))
      await Promise.all([client.ping(), other.ping()])
      return { failing: redisStore(client), other: redisStore(other) }
    }

    /** Adds one, reading again on conflict, until it is told that it has. */
    async function addOne(store: ListingStore, id: string): Promise<void> {
      for (;;) {
        const record = (await store.get(id))!
        const next = {
          ...record,
          version: record.version + 1,
          data: { count: Number(record.data.count) + 1 },
        }
        if ((await store.update(next, record.version)) === 'ok') return
      }
    }

    test.each([1, 5, 60])('counts once, and so do the %d writes that came in between', async (others) => {
      const { failing, other } = await twoNodes()
      const record = makeRecord({ data: { count: 0 } })
      await other.insert(record)
      const read = (await failing.get(record.id))!
      proxy.loseNextAnswer()
      const first = { ...read, version: 2, data: { count: 1 } }
      const writing = failing.update(first, 1)
      await eventually(async () => (await other.get(record.id))?.version === 2)
      for (let count = 0; count < others; count++) await addOne(other, record.id)
      expect(await writing).toBe('ok')
      expect((await other.get(record.id))?.data).toEqual({ count: 1 + others })
      // What was never done is still a conflict.
      expect(await failing.update(first, 1)).toBe('conflict')
      for (const { close } of opens) close()
    })

    test('an insert that was changed in between is done, and the change stays', async () => {
      const { failing, other } = await twoNodes()
      const record = makeRecord()
      proxy.loseNextAnswer()
      const inserting = failing.insert(record)
      await eventually(async () => (await other.get(record.id)) !== undefined)
      expect(await other.update({ ...record, version: 2, data: { seen: true } }, 1)).toBe('ok')
      await inserting
      expect((await other.get(record.id))?.data).toEqual({ seen: true })
    })
  },
)

needs('redis-server')('with the option wait, a login and a logout', () => {
  let primary: RedisServer
  let replica: RedisServer
  beforeAll(async () => {
    ;({ primary, replica } = await startReplicated())
  })
  afterAll(() => Promise.all([primary.remove(), replica.remove()]))
  afterEach(() => replica.resume())

  describe.each(fewKinds)('through %s', (name, open) => {
    test('are acknowledged when the replica has them, and fail when it has not', async () => {
      const client = await opened(open, primary.url)
      const prefix = freshPrefix()
      const patient = redisStore(client, { prefix, wait: { replicas: 1, timeout: 5_000 } })
      const hasty = redisStore(client, { prefix, wait: { replicas: 1, timeout: 50 } })
      const [kept, refused] = [makeRecord(), makeRecord()]
      await patient.insert(kept)
      replica.pause()
      const failure = { code: 'STORE_FAILED', message: expect.stringContaining('0 of 1 replicas') }
      await expect(hasty.insert(refused)).rejects.toMatchObject(failure)
      await expect(hasty.delete(kept.id)).rejects.toMatchObject(failure)
      // Not acknowledged, and yet it happened on the primary.
      expect(await hasty.get(kept.id)).toBeUndefined()
      replica.resume()
      const again = makeRecord()
      await patient.insert(again)
      expect(await patient.delete(again.id)).toBe(true)
    })

    if (name !== 'node-redis' && name !== 'ioredis') return
    test('keep the contract', async () => {
      const client = await opened(open, primary.url)
      const store = redisStore(client, { prefix: freshPrefix(), wait: { replicas: 1, timeout: 5_000 } })
      for (const { run } of storeContract(() => store)) await run()
    })
  })

  test('are refused when their answer was lost, since nothing proves then that a replica has them', async () => {
    const proxy = await RedisProxy.start(primary.port)
    const client = new Redis(proxy.url, { retryStrategy: () => 10 })
    client.on('error', () => undefined)
    const store = redisStore(client, { prefix: freshPrefix(), wait: { replicas: 1, timeout: 5_000 } })
    await client.ping()
    proxy.loseNextAnswer()
    const record = makeRecord({ userId: undefined, user: undefined })
    await expect(store.insert(record)).rejects.toThrow('already')
    client.disconnect()
    await proxy.close()
  })
})

needs('redis-server')('a full server', () => {
  test('that must not evict refuses all writes but logouts, and goes on with the sessions that it has', async () => {
    const server = await RedisServer.start(['--maxmemory', '3mb', '--maxmemory-policy', 'noeviction'])
    const client = await createClient({ url: server.url }).connect()
    const store = redisStore(client)
    const record = makeRecord()
    await store.insert(record)
    await server.ask('config', 'set', 'maxmemory', '1')
    await expect(store.insert(makeRecord())).rejects.toThrow('OOM')
    // A touch is a write too.
    await expect(store.update({ ...record, version: 2 }, 1)).rejects.toThrow('OOM')
    expect(await store.get(record.id)).toEqual(record)
    expect(await store.delete(record.id)).toBe(true)
    client.destroy()
    await server.remove()
  })
})

needs('redis-server')('a server of its own', () => {
  let server: RedisServer

  beforeAll(async () => {
    server = await RedisServer.start()
  })
  afterAll(() => server.remove())

  test('that is away is sent at most 1,000 entries of indexes, and the next write lists what was left out', async () => {
    const client = new Redis(server.url)
    const index = new UserIndex(connectionOf(client), 'sid:')
    const { userId } = makeRecord()
    const records = Array.from({ length: 1_500 }, () => makeRecord({ userId }))
    await client.ping()
    server.pause()
    for (const record of records) index.listAgain(record)
    server.resume()
    await eventually(async () => (await client.zcard(`sid:user:${userId}`)) === 1_000)
    await eventually(async () => {
      for (const record of records.slice(1_000)) index.listAgain(record)
      return (await client.zcard(`sid:user:${userId}`)) === 1_500
    })
    client.disconnect()
  })

  test('needs to allow no more commands than the page names', async () => {
    const [, rights] = /`(~sid:[^`]*)`/.exec(readText('docs/stores-redis.md'))!
    const rules = rights!.split(/\s+/).concat('+hello', '+info')
    await server.ask('acl', 'setuser', 'app', 'on', '>secret', ...rules)
    const url = server.url.replace('//', '//app:secret@')
    for (const open of [kinds['node-redis']!, kinds.ioredis!]) {
      const client = await opened(open, url)
      for (const wait of [undefined, { replicas: 1, timeout: 1 }]) {
        const store = redisStore(client, { wait })
        if (wait === undefined) for (const { run } of storeContract(() => store)) await run()
        else await expect(store.insert(makeRecord())).rejects.toThrow('0 of 1 replicas')
      }
    }
  })
})
