import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { redisStore, type RedisClient } from '../../src/stores/redis/index.js'
import { makeRecord, storeContract } from '../../src/testing/store-contract.js'
import { needs } from '../support/needs.js'
import { freshPrefix, kinds, type OpenClient, type OpenRedis } from '../support/redis-clients.js'
import { RedisProxy } from '../support/redis-proxy.js'
import { RedisServer, startReplicated } from '../support/redis-servers.js'

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

  test.each(Object.entries(kinds))(
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

  test.each(Object.entries(kinds))(
    '%s: a server that forgot its scripts is served like any other',
    async (_, open) => {
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
    },
  )
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

needs('redis-server')('with the option wait, a login and a logout', () => {
  let primary: RedisServer
  let replica: RedisServer
  beforeAll(async () => {
    ;({ primary, replica } = await startReplicated())
  })
  afterAll(() => Promise.all([primary.remove(), replica.remove()]))
  afterEach(() => replica.resume())

  describe.each(Object.entries(kinds))('through %s', (name, open) => {
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
  test('that must not evict refuses logins and goes on with the sessions that it has', async () => {
    const server = await RedisServer.start(['--maxmemory', '3mb', '--maxmemory-policy', 'noeviction'])
    const client = await createClient({ url: server.url }).connect()
    const store = redisStore(client)
    const record = makeRecord()
    await store.insert(record)
    await server.ask('config', 'set', 'maxmemory', '1')
    await expect(store.insert(makeRecord())).rejects.toThrow('OOM')
    expect(await store.get(record.id)).toEqual(record)
    expect(await store.delete(record.id)).toBe(true)
    client.destroy()
    await server.remove()
  })
})
