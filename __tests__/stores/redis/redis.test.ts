import { createClient, type RedisClientType } from 'redis'
import { v7 } from 'uuid'
import { isSessionRecord, type SessionRecord } from '../../../src/record.js'
import type { SessionStore } from '../../../src/store.js'
import { redisStore } from '../../../src/stores/redis/index.js'
import { makeRecord, storeContract } from '../../../src/testing/store-contract.js'
import { needs, urls } from '../../support/needs.js'
import { dropKeys, freshPrefix, kinds, type OpenClient } from '../../support/redis-clients.js'
import { widely } from '../../support/wide.js'
import { eventually } from '../../support/redis-servers.js'

const DAY = 86_400_000
const GRACE = 60_000

needs('redis')('the Redis store', () => {
  const prefix = freshPrefix()

  afterAll(() => dropKeys(urls.redis, prefix))

  const few = new Set(['node-redis', 'ioredis with keyPrefix and auto-pipelining'])
  describe.each(widely(Object.entries(kinds), ([name]) => few.has(name)))('through %s', (_, open) => {
    let opened: OpenClient
    let store: SessionStore

    beforeAll(async () => {
      opened = await open(urls.redis)
      store = redisStore(opened.client, { prefix })
    })
    afterAll(() => opened.close())

    for (const { name, run } of storeContract(() => store)) test(name, run)

    test('adds a listener for errors where node would end the process, and only there', () => {
      const { client } = opened as { client: { listenerCount?(event: string): number; call?: unknown } }
      redisStore(opened.client)
      expect(client.listenerCount?.('error')).toBe(client.call ? 0 : 1)
    })
  })

  describe('keeps its keys in order:', () => {
    let redis: RedisClientType
    let store: SessionStore

    beforeAll(async () => {
      redis = await createClient({ url: urls.redis }).connect()
      store = redisStore(redis, { prefix })
    })
    afterAll(() => redis.destroy())

    const keyOf = ({ id }: { id: string }) => `${prefix}session:${id}`
    const indexOf = ({ userId }: { userId?: string | undefined }) => `${prefix}user:${userId}`

    async function expectDeadline(key: string, deadline: number): Promise<void> {
      expect(Math.abs((await redis.pExpireTime(key)) - deadline)).toBeLessThan(1_000)
    }

    test('a record goes a minute after its deadline, and an update moves that', async () => {
      const record = makeRecord()
      await store.insert(record)
      await expectDeadline(keyOf(record), record.expiresAt + GRACE)
      const touched = { ...record, version: 2, expiresAt: record.expiresAt + DAY }
      await store.update(touched, 1)
      await expectDeadline(keyOf(record), touched.expiresAt + GRACE)
      const shorter = { ...record, version: 3, expiresAt: Date.now() + 5_000 }
      await store.update(shorter, 2)
      await expectDeadline(keyOf(record), shorter.expiresAt + GRACE)
    })

    test('an id that is there is refused, with a code and the fix', async () => {
      const record = makeRecord()
      await store.insert(record)
      await expect(store.insert(record)).rejects.toMatchObject({
        code: 'STORE_FAILED',
        message: expect.stringContaining(
          `There is a session ${record.id} already. Insert each id once.`,
        ) as unknown,
      })
    })

    test('a user index lives as long as the session that may live longest', async () => {
      const record = makeRecord()
      const longer = { ...makeRecord(record), id: v7(), absoluteExpiresAt: record.absoluteExpiresAt + DAY }
      const shorter = { ...longer, id: v7(), absoluteExpiresAt: record.absoluteExpiresAt - DAY }
      await store.insert(record)
      await expectDeadline(indexOf(record), record.absoluteExpiresAt + GRACE)
      for (const next of [longer, shorter]) {
        await store.insert(next)
        await expectDeadline(indexOf(record), longer.absoluteExpiresAt + GRACE)
      }
    })

    test('a login a day for a year leaves an index of one lifetime', async () => {
      const { userId } = makeRecord()
      for (let day = 365; day > 0; day--) {
        const createdAt = Date.now() - day * DAY
        const absoluteExpiresAt = createdAt + 30 * DAY
        await store.insert(makeRecord({ userId, createdAt, absoluteExpiresAt }))
      }
      expect(await redis.zCard(indexOf({ userId }))).toBeLessThanOrEqual(32)
    })

    describe('on a node whose clock is ahead', () => {
      const timers = ['nextTick', 'setImmediate', 'setTimeout', 'setInterval', 'queueMicrotask'] as const
      beforeEach(() => jest.useFakeTimers({ doNotFake: [...timers] }))
      afterEach(() => jest.useRealTimers())

      async function ahead(days: number, act: () => unknown): Promise<void> {
        const now = Date.now()
        jest.setSystemTime(now + days * DAY)
        await act()
        jest.setSystemTime(now)
      }

      test.each([
        ['a login', ({ userId }: SessionRecord) => store.insert(makeRecord({ userId }))],
        ['a list', ({ userId }: SessionRecord) => store.listByUser!(userId!)],
      ])('by 40 days, %s removes no live session from the index', async (_, act) => {
        const record = makeRecord()
        await store.insert(record)
        await ahead(40, () => act(record))
        // The next login removes what it takes for dead.
        await store.insert(makeRecord({ userId: record.userId }))
        const listed = await store.listByUser!(record.userId!)
        expect(listed.map(({ id }) => id)).toContain(record.id)
      })

      // A node that is further ahead takes the session for expired, and ends it.
      test('by 5 days, a touch leaves the session listed for as long as before', async () => {
        const record = makeRecord()
        await store.insert(record)
        const before = await redis.zScore(indexOf(record), record.id)
        const touch = () => store.update({ ...record, version: 2, expiresAt: Date.now() + 7 * DAY }, 1)
        await ahead(5, touch)
        expect(await redis.zScore(indexOf(record), record.id)).toBe(before)
        await expectDeadline(indexOf(record), record.absoluteExpiresAt + GRACE)
      })
    })

    test.each([
      ['touch', {}],
      ['change of data', { data: { cart: [1] } }],
    ])(
      'a session that its index has lost is listed again at the next %s, in the same step',
      async (_, changes) => {
        const record = makeRecord()
        await store.insert(record)
        await redis.del(indexOf(record))
        expect(await store.listByUser!(record.userId!)).toEqual([])
        const next = { ...record, version: 2, ...changes }
        expect(await store.update(next, 1)).toBe('ok')
        expect(await store.listByUser!(record.userId!)).toEqual([next])
        await expectDeadline(indexOf(record), record.absoluteExpiresAt + GRACE)
      },
    )

    test('what was not written is not listed', async () => {
      const record = makeRecord()
      await store.insert(record)
      await redis.del(indexOf(record))
      expect(await store.update({ ...record, version: 9 }, 8)).toBe('conflict')
      await store.delete(record.id)
      expect(await store.update({ ...record, version: 2 }, 1)).toBe('absent')
      await expect(store.insert(await taken())).rejects.toThrow('already')
      expect(await redis.exists(indexOf(record))).toBe(0)

      async function taken() {
        const other = makeRecord()
        await store.insert(other)
        return { ...other, userId: record.userId }
      }
    })

    test('the marks of the last minute are kept, 64 at most', async () => {
      const record = makeRecord()
      await store.insert(record)
      const update = (version: number) => store.update({ ...record, version: version + 1 }, version)
      const marks = async () =>
        /^\d+\.([\w,-]*)@\d+:\{/.exec((await redis.get(keyOf(record)))!)![1]!.split(',')
      for (let version = 1; version <= 100; version++) await update(version)
      expect(new Set((await marks()).filter(Boolean)).size).toBe(64)
      // As if the last write had been two minutes ago.
      const value = (await redis.get(keyOf(record)))!
      const earlier = value.replace(/@(\d+):/, (_, seconds) => `@${Number(seconds) - 120}:`)
      await redis.set(keyOf(record), earlier)
      expect(await update(101)).toBe('ok')
      expect((await marks()).filter(Boolean)).toHaveLength(1)
      expect(await store.get(record.id)).toEqual({ ...record, version: 102 })
    })

    test('a session stays listed however often its idle deadline moves', async () => {
      const record = makeRecord({ expiresAt: Date.now() + DAY })
      await store.insert(record)
      await store.update({ ...record, version: 2, expiresAt: Date.now() + 9 * DAY }, 1)
      const createdAt = Date.now() + 8 * DAY
      const later = { createdAt, expiresAt: createdAt + DAY, absoluteExpiresAt: createdAt + 30 * DAY }
      await store.insert(makeRecord({ userId: record.userId, ...later }))
      const listed = await store.listByUser!(record.userId!)
      expect(listed.map(({ id }) => id)).toContain(record.id)
    })

    test('a version is not taken for one that begins with it', async () => {
      const record = makeRecord({ version: 10 })
      await store.insert(record)
      expect(await store.update({ ...record, version: 2 }, 1)).toBe('conflict')
      expect(await store.update({ ...record, version: 11 }, 10)).toBe('ok')
    })

    test('a logout leaves nothing behind', async () => {
      const record = makeRecord()
      await store.insert(record)
      await store.delete(record.id)
      await eventually(async () => (await redis.exists([keyOf(record), indexOf(record)])) === 0)
    })

    test('a list forgets ids without a record, but not those of a login under way', async () => {
      const record = makeRecord()
      const [dead, new_] = [v7({ msecs: Date.now() - 2 * 3_600_000 }), v7()]
      await store.insert(record)
      await redis.zAdd(
        indexOf(record),
        [dead, new_].map((value) => ({ value, score: record.absoluteExpiresAt })),
      )
      expect(await store.listByUser!(record.userId!)).toEqual([record])
      await eventually(async () => (await redis.zScore(indexOf(record), dead)) === null)
      expect((await redis.zRange(indexOf(record), 0, -1)).toSorted()).toEqual([record.id, new_].toSorted())
    })

    test('stores of two prefixes do not meet, though one prefix begins with the other', async () => {
      const others = ['user:', 'session:', 'x'].map((end) => redisStore(redis, { prefix: prefix + end }))
      const record = makeRecord()
      await store.insert(record)
      for (const other of others) {
        expect(await other.get(record.id)).toBeUndefined()
        expect(await other.getMany!([record.id])).toEqual([undefined])
        expect(await other.listByUser(record.userId!)).toEqual([])
        expect(await other.delete(record.id)).toBe(false)
        await other.insert({ ...record, userId: record.id })
        expect(await store.listByUser!(record.id)).toEqual([])
      }
      expect(await store.get(record.id)).toEqual(record)
    })

    test('no user id breaks out of its place in a key', async () => {
      const own = freshPrefix()
      const hostile = redisStore(redis, { prefix: own })
      for (const userId of [
        '}x{',
        '{a}',
        '../..',
        'a:b',
        'x\r\nDEL y',
        '*',
        '\0',
        '%',
        '',
        'ž'.repeat(2_000),
      ]) {
        await hostile.insert(makeRecord({ userId }))
      }
      const keys = await redis.keys(`${own}*`)
      expect(keys).toHaveLength(20)
      for (const key of keys) expect(key.slice(own.length)).toMatch(/^(session|user):[\w%-]*$/)
      await dropKeys(urls.redis, own)
    })

    test.each(['', 'nonsense', '1.abc:', '1.abc:{"id":', '1.abc:[]', '1.abc:{"id":"another"}'])(
      'a damaged value (%j) spoils its own place only, and can be revoked',
      async (value) => {
        const [left, damaged, right] = [makeRecord(), makeRecord(), makeRecord()]
        for (const record of [left, damaged, right]) await store.insert(record)
        await redis.set(keyOf(damaged), value)
        const [first, second, third] = await store.getMany!([left.id, damaged.id, right.id])
        expect([first, third]).toEqual([left, right])
        expect(isSessionRecord(second)).toBe(false)
        expect(second?.id).toBe(damaged.id)
        expect((await store.listByUser!(damaged.userId!)).map(({ id }) => id)).toEqual([damaged.id])
        expect(await store.delete(damaged.id)).toBe(true)
        expect(await store.get(damaged.id)).toBeUndefined()
      },
    )
  })
})
