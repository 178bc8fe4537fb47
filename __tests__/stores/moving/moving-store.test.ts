import { randomBytes } from 'node:crypto'
import { memoryStore, type SessionStore } from 'express-sid'
import { fromExpressSession } from 'express-sid/express-session-store'
import { encrypted } from 'express-sid/encrypted'
import { copySessions, movingStore } from 'express-sid/moving-store'
import { nearCache } from 'express-sid/near-cache'
import { MemoryStore } from 'express-session'
import { makeRecord, storeContract } from 'express-sid/testing'
import { rejectionOf } from '../../support/core.js'
import { copyOf } from '../../../src/stores/moving/copied.js'
import { asyncStore, wrapped } from '../../support/stores.js'

const pair = () => ({ from: memoryStore(), to: memoryStore() })

/** A store whose sessions begin in `from`, so that the contract is kept by what has not moved. */
function beginningInFrom(
  between: (stores: { from: SessionStore; to: SessionStore }) => unknown,
): SessionStore {
  const stores = pair()
  const moving = movingStore(stores)
  return Object.assign(moving, {
    async insert(record: Parameters<SessionStore['insert']>[0]) {
      if ((await moving.get(record.id)) !== undefined) throw new Error('the id is taken')
      await stores.from.insert(record)
      await between(stores)
    },
  })
}

describe('the contract of stores is kept', () => {
  describe('where all sessions have begun in `to`', () => {
    for (const { name, run } of storeContract(() => movingStore(pair()))) test(name, run)
  })
  describe('where all sessions are in `from`', () => {
    for (const { name, run } of storeContract(() => beginningInFrom(() => undefined))) test(name, run)
  })
  describe('where all sessions have been copied', () => {
    for (const { name, run } of storeContract(() => beginningInFrom(copySessions))) test(name, run)
  })
  describe('where all sessions have been moved', () => {
    const open = () => beginningInFrom((stores) => copySessions({ ...stores, finish: true }))
    for (const { name, run } of storeContract(open)) test(name, run)
  })
})

test('a session moves when it is first written, as it is', async () => {
  const { from, to } = pair()
  const record = makeRecord()
  await from.insert(record)
  const store = movingStore({ from, to })
  expect(await store.get(record.id)).toEqual(record)
  expect(await to.get(record.id)).toBeUndefined()
  const next = { ...record, version: 2, data: { a: 1 } }
  expect(await store.update(next, 1)).toBe('ok')
  expect([await from.get(record.id), await to.get(record.id)]).toEqual([undefined, next])
})

test('a session in both is ended in both', async () => {
  const { from, to } = pair()
  const record = makeRecord()
  await from.insert(record)
  await copySessions({ from, to })
  expect(await movingStore({ from, to }).delete(record.id)).toBe(true)
  expect([await from.get(record.id), await to.get(record.id)]).toEqual([undefined, undefined])
})

/** A store that does something of the test's choosing right before, or after, the next call of an operation. */
function hooked(store: SessionStore, operation: 'insert' | 'update' | 'delete', at: 'before' | 'after') {
  const hook: { run: (() => unknown) | undefined } = { run: undefined }
  const run = async () => {
    const { run: once } = hook
    hook.run = undefined
    await once?.()
  }
  const wrap = wrapped(store, (name, method) => async (...args) => {
    if (name === operation && at === 'before') await run()
    const result = await method(...args)
    if (name === operation && at === 'after') await run()
    return result
  })
  return { store: wrap, hook }
}

describe('a session that ends in the middle of a move stays ended', () => {
  const start = async (
    operation: 'insert' | 'update' | 'delete',
    side: 'from' | 'to',
    at: 'before' | 'after',
  ) => {
    const stores = pair()
    const record = makeRecord()
    await stores.from.insert(record)
    const { store, hook } = hooked(stores[side], operation, at)
    const moving = movingStore({ ...stores, [side]: store })
    const plain = movingStore(stores)
    const write = () => moving.update({ ...record, version: 2 }, 1)
    const expectEnded = async () => {
      expect(await plain.get(record.id)).toBeUndefined()
      expect(await plain.listByUser!(record.userId!)).toEqual([])
      await copySessions({ ...stores, finish: true })
      expect([stores.from.count(0), stores.to.count(0)]).toEqual([0, 0])
    }
    return { stores, record, hook, moving, plain, write, expectEnded }
  }

  test('while its record is brought to the new store', async () => {
    const { record, hook, plain, write, expectEnded } = await start('insert', 'to', 'before')
    hook.run = () => plain.delete(record.id)
    expect(await write()).toBe('absent')
    await expectEnded()
  })

  test('between the two halves of a logout', async () => {
    const { record, hook, moving, plain, expectEnded } = await start('delete', 'from', 'after')
    hook.run = async () => {
      expect(await plain.update({ ...record, version: 2 }, 1)).toBe('absent')
    }
    expect(await moving.delete(record.id)).toBe(true)
    await expectEnded()
  })

  test('between the two halves of a logout that begins with the other store', async () => {
    const { record, hook, moving, plain, expectEnded } = await start('delete', 'to', 'after')
    hook.run = () => plain.update({ ...record, version: 2 }, 1)
    await moving.delete(record.id)
    await expectEnded()
  })

  test('where a slow process copies it after its end, right before a write takes the first copy over', async () => {
    const { stores, record, hook, plain, write, expectEnded } = await start('update', 'to', 'before')
    await copySessions(stores)
    const copyLate = async () => {
      await plain.delete(record.id)
      await stores.to.insert(copyOf(record))
    }
    // The first update is the try whether the session has moved, the second takes the copy over.
    hook.run = () => void (hook.run = copyLate)
    expect(await write()).toBe('conflict')
    expect(stores.to.count(0)).toBe(1)
    await expectEnded()
  })

  test('where it ends while it is copied: the copy is gone before the next page', async () => {
    const { stores, record, hook, plain, moving, expectEnded } = await start('insert', 'to', 'before')
    const to = (moving as unknown as { to: SessionStore }).to
    hook.run = () => plain.delete(record.id)
    const counts: number[] = []
    const onProgress = () => void counts.push(Number(stores.to.count(0)))
    const report = await copySessions({ from: stores.from, to, onProgress })
    expect(report).toMatchObject({ copied: 1, ended: 1, complete: true })
    expect(counts.every((count) => count === 0)).toBe(true)
    await expectEnded()
  })

  test('where a copy was killed between its write and its second look', async () => {
    const { stores, record, plain, expectEnded } = await start('insert', 'to', 'before')
    await stores.to.insert(copyOf(record))
    await plain.delete(record.id)
    await stores.to.insert(copyOf(record))
    expect(await plain.get(record.id)).toBeUndefined()
    expect(await copySessions(stores)).toMatchObject({ ended: 1, complete: true })
    expect(stores.to.count(0)).toBe(0)
    await expectEnded()
  })
})

describe('copySessions', () => {
  test('brings every session, can be run again, brings what changed since, and removes what has ended', async () => {
    const { from, to } = pair()
    const records = Array.from({ length: 25 }, () => makeRecord())
    for (const record of records) await from.insert(record)
    const run = () => copySessions({ from, to, pageSize: 7 })
    expect(await run()).toMatchObject({ copied: 25, present: 0, complete: true })
    expect(await run()).toMatchObject({ copied: 0, present: 25, complete: true })

    const changed = { ...records[0]!, version: 2, data: { cart: ['tea'] } }
    await from.update(changed, 1)
    await from.delete(records[1]!.id)
    expect(await run()).toMatchObject({ copied: 0, renewed: 1, ended: 1, present: 23, complete: true })
    expect(await to.get(records[1]!.id)).toBeUndefined()

    expect(await copySessions({ from, to, finish: true })).toMatchObject({ moved: 24, complete: true })
    expect([from.count(0), to.count(0)]).toEqual([0, 24])
    expect(await to.get(changed.id)).toEqual(changed)
    for (const record of records.slice(2)) expect(await to.get(record.id)).toEqual(record)
  })

  test('leaves behind what has expired and what is no record, and says how many', async () => {
    const { from, to } = pair()
    await from.insert(makeRecord({ expiresAt: Date.now() - 1 }))
    await from.insert({ id: makeRecord().id } as never)
    await from.insert(makeRecord())
    expect(await copySessions({ from, to })).toMatchObject({ copied: 1, expired: 1, damaged: 1 })
  })

  test('leaves alone what is older in `to`: that was not empty', async () => {
    const { from, to } = pair()
    const record = makeRecord({ version: 5 })
    await from.insert(record)
    await to.insert({ ...record, version: 3 })
    expect(await copySessions({ from, to, finish: true })).toMatchObject({ older: 1, moved: 0 })
    expect(await from.get(record.id)).toEqual(record)
  })

  test('refuses a store that can not be gone through', async () => {
    const from = fromExpressSession(new MemoryStore())
    const error = await rejectionOf(copySessions({ from, to: memoryStore() }))
    expect(error).toMatchObject({ code: 'UNSUPPORTED' })
    expect(String(error)).toContain('Mount movingStore({ from, to })')
  })

  test('moves encrypted sessions as they are: the encryption stands outside', async () => {
    const { from, to } = pair()
    const keys = [randomBytes(32)]
    const record = makeRecord({ data: { cart: ['tea'] } })
    await encrypted(from, { keys }).insert(record)
    const store = encrypted(movingStore({ from, to }), { keys })
    await copySessions({ from, to })
    expect(await store.get(record.id)).toEqual(record)
    await copySessions({ from, to, finish: true })
    expect(await store.get(record.id)).toEqual(record)
    expect(await encrypted(to, { keys }).get(record.id)).toEqual(record)
    expect(from.count(0)).toBe(0)
  })
})

describe('what it is made of', () => {
  const store = memoryStore()

  test.each([
    [{ from: store }, '"to"'],
    [{ from: store, to: 'redis://localhost' }, 'a store'],
    [{ from: store, to: store }, 'the same store'],
    [{ from: store, to: fromExpressSession(new MemoryStore()) }, 'no atomic updates'],
    [{ from: store, to: memoryStore(), into: store }, 'into'],
  ])('%#: is refused with the fix', (options, words) => {
    expect(() => movingStore(options as never)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(words) as unknown }),
    )
  })

  test('can do what both can', () => {
    const adapted = movingStore({ from: fromExpressSession(new MemoryStore()), to: memoryStore() })
    expect(adapted).not.toHaveProperty('listByUser')
    expect(adapted).not.toHaveProperty('getFresh')
    expect(movingStore({ from: nearCache(memoryStore()), to: memoryStore() })).toHaveProperty('getFresh')
    expect(movingStore({ from: asyncStore(memoryStore()), to: memoryStore() })).toHaveProperty('pageByUser')
  })
})
