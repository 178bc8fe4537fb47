import { AsyncLocalStorage } from 'node:async_hooks'
import { Lookup } from '../../../src/core/records/lookup.js'
import { StoreCalls } from '../../../src/core/records/store-calls.js'
import { hashOf } from '../../../src/core/token.js'
import type { SessionError } from '../../../src/errors.js'
import type { SessionRecord } from '../../../src/record.js'
import type { SessionStore } from '../../../src/store.js'
import { memoryStore } from '../../../src/stores/memory/index.js'
import { makeRecord } from '../../../src/testing/records.js'
import { rejectionOf } from '../../support/core.js'
import { waysToFail } from '../../support/faulty-store.js'
import { asyncStore, batching, recording, replacing, turn, turns } from '../../support/stores.js'

function lookupOn(base: SessionStore, timeout = 2_000) {
  const { store, calls } = recording(base)
  const failures: SessionError[] = []
  const lookup = new Lookup(store, new StoreCalls(timeout, (_, error) => failures.push(error)))
  /** What the store was asked, each as `get id` or `getMany id,id`. */
  const asked = () => calls.map(({ operation, args }) => `${operation} ${String(args[0])}`)
  return { lookup, asked, failures }
}

function filled(count: number): { store: SessionStore; records: SessionRecord[] } {
  const store = memoryStore()
  const records = Array.from({ length: count }, () => makeRecord())
  for (const record of records) void store.insert(record)
  return { store, records }
}

// Jest fails the test in which a rejection goes unheard: this gives each one the time to show up.
afterEach(() => turns(3))

describe('with a store in the process that offers no getMany', () => {
  it('a record is there at once, with no promise', () => {
    const { store, records } = filled(1)
    const { lookup } = lookupOn(replacing(store, { getMany: undefined }))
    const found = lookup.find(records[0]!.id)
    expect(found).not.toHaveProperty('then')
    expect(found).toMatchObject({ id: records[0]!.id })
    expect(lookup.find('nobody')).toBeUndefined()
  })

  it.each([
    ['a text', 'text'],
    ['a number', 0],
    ['false', false],
    ['an empty object', {}],
    ['an array', []],
    ['a record without its hash', { ...makeRecord({ id: 'x' }), secretHash: undefined }],
    ['a record with text as a deadline', { ...makeRecord({ id: 'x' }), expiresAt: 'soon' }],
    ['a record with no absolute deadline', { ...makeRecord({ id: 'x' }), absoluteExpiresAt: null }],
    ['a record with a user that is no object', { ...makeRecord({ id: 'x' }), user: 'ann' }],
    ['a record with a number as user id', { ...makeRecord({ id: 'x' }), userId: 7 }],
    ["another session's record", makeRecord({ id: 'y' })],
  ])('%s instead of a record is RECORD_DAMAGED, with status 503', (_, answer) => {
    const { lookup } = lookupOn(replacing(memoryStore(), { getMany: undefined, get: () => answer as never }))
    expect(() => lookup.find('x')).toThrow(expect.objectContaining({ code: 'RECORD_DAMAGED', status: 503 }))
  })

  it('null, which many drivers return for a missing record, counts as missing', () => {
    const { lookup } = lookupOn(replacing(memoryStore(), { getMany: undefined, get: () => null as never }))
    expect(lookup.find('x')).toBeUndefined()
  })
})

describe('with a store that offers getMany', () => {
  it('the lookups of one turn are sent as one batch, and return in order', async () => {
    const { store, records } = filled(3)
    const { lookup, asked } = lookupOn(asyncStore(batching(store)))
    const ids = [records[2]!.id, 'nobody', records[0]!.id]
    const found = await Promise.all(ids.map(async (id) => lookup.find(id)))
    expect(found.map((record) => record?.id)).toEqual([records[2]!.id, undefined, records[0]!.id])
    expect(asked()).toEqual([`getMany ${ids.join(',')}`])
  })

  it('a lone lookup is a plain get', async () => {
    const { store, records } = filled(1)
    const { lookup, asked } = lookupOn(asyncStore(batching(store)))
    await expect(lookup.find(records[0]!.id)).resolves.toMatchObject({ id: records[0]!.id })
    expect(asked()).toEqual([`get ${records[0]!.id}`])
  })

  it('the same id twice in one turn is looked up once', async () => {
    const { store, records } = filled(2)
    const [a, b] = records.map(({ id }) => id) as [string, string]
    const { lookup, asked } = lookupOn(asyncStore(batching(store)))
    const found = await Promise.all([lookup.find(a), lookup.find(b), lookup.find(a)])
    expect(found.map((record) => record?.id)).toEqual([a, b, a])
    expect(asked()).toEqual([`getMany ${a},${b}`])
    await Promise.all([lookup.find(a), lookup.find(a)])
    expect(asked().slice(1)).toEqual([`get ${a}`])
  })

  it('lookups of two turns are two calls', async () => {
    const { store, records } = filled(2)
    const [a, b] = records.map(({ id }) => id) as [string, string]
    const { lookup, asked } = lookupOn(asyncStore(batching(store)))
    const first = lookup.find(a)
    await turn()
    await Promise.all([first, lookup.find(b)])
    expect(asked()).toEqual([`get ${a}`, `get ${b}`])
  })

  it.each([1, 2])(
    'a lookup never joins one that was sent before it began (%d ids in the first)',
    async (count) => {
      const { store, records } = filled(count)
      const [{ id }] = records as [SessionRecord]
      const history: string[] = []
      const slow = replacing(batching(store), {
        // Reads at once and answers much later, as a slow network does.
        get: async (asked) => slowly(await store.get(asked), 'get'),
        getMany: async (ids) => slowly(await Promise.all(ids.map(async (one) => store.get(one))), 'getMany'),
      })
      async function slowly<T>(answer: T, name: string): Promise<T> {
        history.push(`${name} read`)
        await turns(5)
        history.push(`${name} answered`)
        return answer
      }
      const { lookup } = lookupOn(slow)
      const before = Promise.all(records.map(async (record) => lookup.find(record.id)))
      await turns(2)
      await store.delete(id)
      history.push('logout acknowledged')
      const after = lookup.find(id)
      expect((await before)[0]).toMatchObject({ id })
      expect(await after).toBeUndefined()
      const name = count === 1 ? 'get' : 'getMany'
      expect(history).toEqual([
        `${name} read`,
        'logout acknowledged',
        'get read',
        `${name} answered`,
        'get answered',
      ])
    },
  )

  it('a lookup that begins while the store is being asked waits for the next batch', async () => {
    const { store, records } = filled(3)
    const [a, b, c] = records.map(({ id }) => id) as [string, string, string]
    let inner: unknown
    const { lookup, asked } = lookupOn(
      replacing(store, {
        getMany: (ids) => {
          inner ??= lookup.find(c)
          return Promise.all(ids.map(async (id) => store.get(id)))
        },
      }),
    )
    await Promise.all([lookup.find(a), lookup.find(b)])
    await expect(inner).resolves.toMatchObject({ id: c })
    expect(asked()).toEqual([`getMany ${a},${b}`, `get ${c}`])
  })

  it('more than 1,000 ids are several batches, of 1,000 at most', async () => {
    const { store, records } = filled(2_500)
    const { lookup, asked } = lookupOn(asyncStore(batching(store)))
    const found = await Promise.all(records.map(async ({ id }) => lookup.find(id)))
    expect(found.map((record) => record?.id)).toEqual(records.map(({ id }) => id))
    expect(asked().map((one) => one.split(',').length)).toEqual([1_000, 1_000, 500])
  })

  it('one damaged record fails only its own request', async () => {
    const { store, records } = filled(3)
    const [a, b, c] = records.map(({ id }) => id) as [string, string, string]
    const { lookup, failures } = lookupOn(
      replacing(store, {
        getMany: (ids) =>
          ids.map((id) => (id === b ? ({ id } as SessionRecord) : (store.get(id) as SessionRecord))),
      }),
    )
    const found = await Promise.allSettled([a, b, c].map(async (id) => lookup.find(id)))
    expect(found).toEqual([
      { status: 'fulfilled', value: expect.objectContaining({ id: a }) as unknown },
      { status: 'rejected', reason: expect.objectContaining({ code: 'RECORD_DAMAGED' }) as unknown },
      { status: 'fulfilled', value: expect.objectContaining({ id: c }) as unknown },
    ])
    expect(failures).toEqual([expect.objectContaining({ code: 'RECORD_DAMAGED' })])
  })

  it('a damaged record that is alone in its turn is reported once, as a failure of get', async () => {
    const failed: string[] = []
    const calls = new StoreCalls(2_000, (operation, { code }) => failed.push(`${operation} ${code}`))
    const damaged = replacing(batching(memoryStore()), { get: (id) => ({ id }) as SessionRecord })
    const lookup = new Lookup(damaged, calls)
    expect(await rejectionOf((async () => lookup.find('x'))())).toMatchObject({ code: 'RECORD_DAMAGED' })
    expect(failed).toEqual(['get RECORD_DAMAGED'])
  })

  it('records in another order than asked for are never taken for one another', async () => {
    const { store, records } = filled(2)
    const { lookup } = lookupOn(
      replacing(batching(store), {
        getMany: (ids) => ids.map((id) => store.get(id) as SessionRecord).toReversed(),
      }),
    )
    const found = await Promise.allSettled(records.map(async ({ id }) => lookup.find(id)))
    expect(found.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  })

  it.each([
    ['nothing', () => undefined],
    ['null', () => null],
    ['a text as long as the ids are many', () => 'ab'],
    ['an object', () => ({ 0: undefined, 1: undefined, length: 2 })],
    ['too few', () => [makeRecord()]],
    ['too many', () => [undefined, undefined, undefined]],
    ['a promise of too few', async () => []],
  ])('%s returned by getMany fails the whole batch with a code, and is reported', async (_, getMany) => {
    const { lookup, failures } = lookupOn(replacing(memoryStore(), { getMany: getMany as never }))
    const found = await Promise.allSettled([lookup.find('a'), lookup.find('b')])
    const reason = expect.objectContaining({ code: 'RECORD_DAMAGED', status: 503 }) as unknown
    expect(found).toEqual([
      { status: 'rejected', reason },
      { status: 'rejected', reason },
    ])
    expect(failures).toEqual([reason])
  })

  it.each(waysToFail)('a store that %s fails its batch and not the next one', async (_, fail) => {
    const { store, records } = filled(2)
    let isDown = true
    const { lookup, failures } = lookupOn(
      replacing(batching(store), {
        getMany: (ids) => (isDown ? fail() : Promise.all(ids.map(async (id) => store.get(id)))),
      }),
    )
    const both = () => Promise.allSettled(records.map(async ({ id }) => lookup.find(id)))
    expect(await both()).toEqual([
      { status: 'rejected', reason: expect.objectContaining({ code: 'STORE_FAILED' }) as unknown },
      { status: 'rejected', reason: expect.objectContaining({ code: 'STORE_FAILED' }) as unknown },
    ])
    expect(failures).toHaveLength(1)
    isDown = false
    expect((await both()).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled'])
  })

  it('a store that hangs fails its batch at the deadline', async () => {
    const { lookup, failures } = lookupOn(
      replacing(memoryStore(), { getMany: () => new Promise(() => undefined) }),
      5,
    )
    const found = await Promise.all(['a', 'b'].map((id) => rejectionOf(Promise.resolve(lookup.find(id)))))
    expect(found).toEqual([failures[0], failures[0]])
    expect(failures).toEqual([expect.objectContaining({ code: 'STORE_TIMEOUT' })])
  })

  it('a lone get that throws or returns rubbish fails with a code', async () => {
    const answers: (() => never)[] = [
      () => {
        throw new Error('down')
      },
      () => 'rubbish' as never,
    ]
    const { lookup } = lookupOn(replacing(batching(memoryStore()), { get: () => answers.shift()!() }))
    await expect(lookup.find('a')).rejects.toMatchObject({ code: 'STORE_FAILED' })
    await expect(lookup.find('a')).rejects.toMatchObject({ code: 'RECORD_DAMAGED' })
  })
})

describe('the lookup for a token', () => {
  interface Seen {
    readonly record: SessionRecord | undefined
    readonly hash: string
    readonly failure: unknown
  }
  const lookFor = (lookup: Lookup, id: string, secret = 'secret') =>
    new Promise<Seen>((resolve) =>
      lookup.findFor(id, secret, (record, hash, failure) => resolve({ record, hash, failure })),
    )

  describe.each([
    ['in the process', (store: SessionStore) => store],
    ['on the network', asyncStore],
  ])('with a store %s', (_, over) => {
    it('is one question for all requests of a turn, and hashes the secret of each that has a record', async () => {
      const { store, records } = filled(3)
      const { lookup, asked } = lookupOn(over(store))
      const ids = [...records.map(({ id }) => id), 'nobody', records[0]!.id]
      const seen = await Promise.all(ids.map((id, at) => lookFor(lookup, id, `secret ${at}`)))
      expect(seen.map(({ record }) => record?.id)).toEqual([...ids.slice(0, 3), undefined, ids[0]])
      const hashes = ids.map((_id, at) => (at === 3 ? '' : hashOf(`secret ${at}`)))
      expect(seen.map(({ hash }) => hash)).toEqual(hashes)
      expect(asked()).toEqual([`getMany ${ids.slice(0, 4).join(',')}`])
    })

    it('runs on in the asynchronous context of its own request', async () => {
      const { store, records } = filled(3)
      const { lookup } = lookupOn(over(store))
      const context = new AsyncLocalStorage<number>()
      const contexts = await Promise.all(
        records.map(({ id }, at) =>
          context.run(at, () => lookFor(lookup, id).then(() => context.getStore())),
        ),
      )
      const called: unknown[] = []
      for (const [at, { id }] of records.entries()) {
        context.run(at, () => lookup.findFor(id, '', () => called.push(context.getStore())))
      }
      await turns(5)
      expect([contexts, called]).toEqual([
        [0, 1, 2],
        [0, 1, 2],
      ])
    })

    it('that comes alone again and again does not wait for others, and looks for company now and then', async () => {
      const { store, records } = filled(2)
      const [a, b] = records.map(({ id }) => id) as [string, string]
      const { lookup, asked } = lookupOn(over(store))
      const sentAtOnce: boolean[] = []
      for (let count = 0; count < 8 + 2 * 16; count += 1) {
        const before = asked().length
        const found = lookFor(lookup, a)
        sentAtOnce.push(asked().length > before)
        await found
      }
      const alone = Array.from({ length: 16 }, (_one, at) => at < 15)
      expect(sentAtOnce).toEqual([...Array<boolean>(8).fill(false), ...alone, ...alone])
      // The next one in company that is put off shows that there is company, and the others are put off again.
      const many = Array.from({ length: 16 }, () => lookFor(lookup, a))
      await Promise.all([...many, lookFor(lookup, b)])
      const before = asked().length
      await Promise.all([lookFor(lookup, a), lookFor(lookup, b)])
      expect(asked().slice(before)).toEqual([`getMany ${a},${b}`])
    })
  })

  it('is asked for again by a request that begins after the question was sent', async () => {
    const { store, records } = filled(2)
    const { lookup, asked } = lookupOn(store)
    const [a, b] = records.map(({ id }) => id) as [string, string]
    const found: unknown[] = []
    lookup.findFor(a, '', (record) => {
      found.push(record?.id)
      void store.delete(b)
      lookup.findFor(b, '', (later) => found.push(later?.id))
    })
    lookup.findFor(b, '', (record) => found.push(record?.id))
    await turns(3)
    expect(found).toEqual([a, b, undefined])
    expect(asked()).toEqual([`getMany ${a},${b}`, `get ${b}`])
  })
})
