import { createClient } from 'redis'
import { redisStore } from 'express-sid/redis'
import { makeRecord } from 'express-sid/testing'
import { hearingContract, twoNodes, watch } from '../../support/hearing.js'
import { needs, urls } from '../../support/needs.js'
import { dropKeys, freshPrefix, kinds, type OpenClient } from '../../support/redis-clients.js'
import { eventually } from '../../support/redis-servers.js'

needs('redis')('the Redis store with heardEverywhere', () => {
  const prefix = freshPrefix()
  const isPool = (name: string) => name.includes('pool')
  /** A pool can't listen, so it needs a function. */
  const heardEverywhere = (name: string) => (isPool(name) ? () => createClient({ url: urls.redis }) : true)

  afterAll(() => dropKeys(urls.redis, prefix))

  describe.each(Object.entries(kinds))('through %s', (name, open) => {
    let opened: OpenClient

    beforeAll(async () => {
      opened = await open(urls.redis)
    })
    afterAll(() => opened.close())

    const store = () => redisStore(opened.client, { prefix, heardEverywhere: heardEverywhere(name) })

    for (const { name: rule, run } of hearingContract(() => store())) test(rule, run)

    test('a session that another process ends is heard at once, and once', async () => {
      const [here, there] = twoNodes([store(), store()])
      const record = makeRecord()
      await store().insert(record)
      const socket = watch(here!, record.id)
      await eventually(async () => (await subscribers()) > 0)
      const began = performance.now()
      await there!.revoke(record.id)
      expect((await socket.ended) - began).toBeLessThan(2_000)
      expect(socket.calls()).toBe(1)
      await here!.close()
      await there!.close()
      await eventually(async () => (await subscribers()) === 0)
    })
  })

  const control = createClient({ url: urls.redis })
  beforeAll(() => control.connect())
  afterAll(() => control.destroy())
  const subscribers = async () => {
    const channel = `${prefix}ended`
    return Number((await control.pubSubNumSub(channel))[channel])
  }

  test('a client that can not listen is refused at the start, with the way out', async () => {
    const pool = await kinds['a pool of node-redis']!(urls.redis)
    expect(() => redisStore(pool.client, { heardEverywhere: true })).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: expect.stringContaining('() => createClient'),
      }),
    )
    pool.close()
  })

  test('without it, and by default, nothing is published, and nothing can be heard', async () => {
    const { client, close } = await kinds.ioredis!(urls.redis)
    const heard: string[] = []
    const listener = control.duplicate()
    await listener.connect()
    await listener.pSubscribe(`${prefix}*`, (message) => heard.push(message))
    for (const store of [
      redisStore(client, { prefix }),
      redisStore(client, { prefix, heardEverywhere: false }),
    ]) {
      expect(store).not.toHaveProperty('hearEnds')
      const record = makeRecord()
      await store.insert(record)
      await store.update({ ...record, version: 2, endedBy: 'reuse' }, 1)
      await store.delete(record.id)
    }
    const last = redisStore(client, { prefix, heardEverywhere: true })
    const record = makeRecord()
    await last.insert(record)
    await last.delete(record.id)
    await eventually(async () => heard.length > 0)
    expect(heard).toEqual([record.id])
    listener.destroy()
    close()
  })
})
