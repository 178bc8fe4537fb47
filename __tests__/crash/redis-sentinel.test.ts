import type { SessionRecord } from '../../src/record.js'
import { redisStore } from '../../src/stores/redis/index.js'
import { makeRecord, storeContract } from '../../src/testing/store-contract.js'
import { hearingContract } from '../support/hearing.js'
import { needs } from '../support/needs.js'
import { freshPrefix, sentinelKinds, type OpenClient } from '../support/redis-clients.js'
import { eventually, startReplicated, startSentinels, type RedisServer } from '../support/redis-servers.js'
import { widely } from '../support/wide.js'

needs('redis-server')('the Redis store behind Sentinel', () => {
  let primary: RedisServer
  let replica: RedisServer
  let sentinels: RedisServer[]
  let opened: OpenClient[]

  const open = widely(Object.entries(sentinelKinds), ([name]) => name === 'ioredis')
  const prefix = freshPrefix()
  const storeOf = (at: number, options = {}) => redisStore(opened[at]!.client, { prefix, ...options })

  beforeAll(async () => {
    ;({ primary, replica } = await startReplicated())
    sentinels = await startSentinels(primary, 3)
    opened = await Promise.all(open.map(async ([, connect]) => connect(sentinels[0]!.url)))
  }, 20_000)
  afterAll(async () => {
    for (const { close } of opened) close()
    await Promise.all([...sentinels, primary, replica].map((server) => server.remove()))
  })

  describe.each(open.map(([name], at) => [name, at] as const))('through %s', (_, at) => {
    for (const { name, run } of storeContract(() => storeOf(at))) test(name, run)

    describe('with heardEverywhere', () => {
      const hearing = () => storeOf(at, { heardEverywhere: true })
      for (const { name, run } of hearingContract(hearing)) test(name, run)
    })
  })

  test('a login that a replica has outlives the primary, and so does a logout', async () => {
    const wait = { replicas: 1, timeout: 2_000 }
    const [kept, ended]: SessionRecord[][] = [[], []]
    for (const at of opened.keys()) {
      const store = storeOf(at, { wait })
      const [stays, goes] = [makeRecord(), makeRecord()]
      await store.insert(stays)
      await store.insert(goes)
      await store.delete(goes.id)
      kept!.push(stays)
      ended!.push(goes)
    }
    await primary.kill()
    for (const at of opened.keys()) {
      const store = storeOf(at)
      await eventually(async () => (await answerOf(store.insert(makeRecord()))) === 'stored')
      expect(await store.get(kept![at]!.id)).toEqual(kept![at])
      expect(await store.listByUser(kept![at]!.userId!)).toEqual([kept![at]])
      expect(await store.get(ended![at]!.id)).toBeUndefined()
    }
  }, 20_000)
})

/** As the core does: what is not answered in time is given up. */
async function answerOf(insertion: unknown): Promise<unknown> {
  const late = new Promise((_, reject) => setTimeout(reject, 1_000).unref())
  return Promise.race([Promise.resolve(insertion).then(() => 'stored'), late])
}
