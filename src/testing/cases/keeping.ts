import assert from 'node:assert/strict'
import { v7 } from 'uuid'
import {
  assertRecord,
  awkwardObject,
  awkwardTexts,
  fromTheFuture,
  guest,
  makeRecord,
  rotated,
  spoil,
  strangeIds,
} from '../records.js'
import type { StoreCase } from './case.js'

/** `insert`, `get` and `getMany`. */
export const keepingCases: readonly StoreCase[] = [
  {
    name: 'insert: get returns every field as it was inserted',
    async run(store) {
      // No two fields alike, so that none can stand in for another.
      const now = Date.now()
      const times = { createdAt: now - 3, authenticatedAt: now - 2, lastSeenAt: now - 1 }
      const record = makeRecord({ version: 3, data: { cart: ['a', 'b'], count: 2 }, ...times })
      await store.insert(record)
      assertRecord(await store.get(record.id), record)
    },
  },
  {
    name: 'insert: awkward text, numbers and keys in user and data come back exactly',
    async run(store) {
      const record = makeRecord({ user: { id: 'x', ...awkwardObject() }, data: awkwardObject() })
      await store.insert(record)
      assertRecord(await store.get(record.id), record)
    },
  },
  {
    name: 'insert: awkward text in userId, userAgent and ip comes back exactly',
    async run(store) {
      for (const text of awkwardTexts) {
        const record = makeRecord({ userId: text, userAgent: text, ip: text })
        await store.insert(record)
        assertRecord(await store.get(record.id), record)
      }
    },
  },
  {
    name: 'insert: a user and data of 100 kB come back exactly',
    async run(store) {
      const list = Array.from({ length: 2_000 }, (_, at) => ({ at, text: `Größe "${at}" 🙂 \\ `.repeat(2) }))
      const record = makeRecord({ user: { id: 'x', list }, data: { list } })
      await store.insert(record)
      assertRecord(await store.get(record.id), record)
    },
  },
  {
    name: 'insert: versions and times are kept to the millisecond',
    async run(store) {
      const times = { createdAt: 1, authenticatedAt: 0, lastSeenAt: Date.now() + 1 }
      const far = { expiresAt: 2 ** 52 + 1, absoluteExpiresAt: 2 ** 53 - 1 }
      const record = makeRecord({ version: 2 ** 31 - 1, ...times, ...far })
      await store.insert(record)
      assertRecord(await store.get(record.id), record)
    },
  },
  {
    name: 'insert: a guest without userId and user is kept',
    async run(store) {
      const record = makeRecord({ ...guest, data: { cart: [1] } })
      await store.insert(record)
      const found = await store.get(record.id)
      assertRecord(found, record)
      assert.equal(found?.userId, undefined)
      assert.equal(found?.user, undefined)
    },
  },
  {
    name: 'insert: never overwrites, it throws and the first record stays',
    async run(store) {
      const first = makeRecord({ data: { first: true } })
      const second = makeRecord({ id: first.id, data: { second: true } })
      await store.insert(first)
      await assert.rejects(async () => store.insert(second), 'insert of a taken id must throw')
      assertRecord(await store.get(first.id), first)
    },
  },
  {
    name: 'insert: of many at once with one id exactly one is kept',
    needs: ['concurrency'],
    async run(store) {
      const id = v7()
      const records = Array.from({ length: 10 }, (_, at) => makeRecord({ id, data: { at } }))
      const results = await Promise.allSettled(records.map(async (record) => store.insert(record)))
      const kept = records.filter((_, at) => results[at]?.status === 'fulfilled')
      assert.equal(kept.length, 1)
      assertRecord(await store.get(id), kept[0] ?? makeRecord())
    },
  },
  {
    name: 'insert: a change of the inserted object changes nothing in the store',
    async run(store) {
      const record = makeRecord({ data: { list: [{ a: 1 }] } })
      const before = structuredClone(record)
      await store.insert(record)
      spoil(record)
      assertRecord(await store.get(before.id), before)
    },
  },
  {
    name: 'get: a result belongs to the caller: its change changes nothing in the store',
    async run(store) {
      const record = makeRecord({ data: { list: [{ a: 1 }] } })
      await store.insert(record)
      for (let round = 0; round < 2; round++) {
        const result = await store.get(record.id)
        assertRecord(result, record)
        if (result !== undefined) spoil(result)
      }
    },
  },
  {
    name: 'get: an unknown id is undefined',
    async run(store) {
      assert.equal(await store.get(v7()), undefined)
    },
  },
  {
    name: 'get: an id that was never given out is undefined, whatever its text',
    needs: ['anyId'],
    async run(store) {
      const record = makeRecord()
      await store.insert(record)
      for (const id of strangeIds(record.id)) {
        assert.equal(await store.get(id), undefined, JSON.stringify(id.slice(0, 50)))
      }
    },
  },
  {
    name: 'getMany: returns records in the order of the ids, undefined for each that is absent',
    uses: ['getMany'],
    async run(store) {
      const [a, b, c] = [makeRecord(), makeRecord(), makeRecord(guest)]
      for (const record of [a, b, c]) await store.insert(record)
      const results = await store.getMany([c.id, v7(), a.id, v7(), b.id])
      assert.deepEqual(
        results.map((result) => result?.id),
        [c.id, undefined, a.id, undefined, b.id],
      )
      for (const [at, record] of [[0, c] as const, [2, a] as const, [4, b] as const]) {
        assertRecord(results[at], record)
      }
    },
  },
  {
    name: 'getMany: an id given twice is returned twice, and no ids return nothing',
    uses: ['getMany'],
    async run(store) {
      const record = makeRecord()
      await store.insert(record)
      const absent = v7()
      const results = await store.getMany([record.id, absent, record.id, absent])
      assert.deepEqual(
        results.map((result) => result?.id),
        [record.id, undefined, record.id, undefined],
      )
      assert.deepEqual(await store.getMany([]), [])
    },
  },
  {
    name: 'getMany: a thousand ids are each returned in their place',
    uses: ['getMany'],
    async run(store) {
      const records = Array.from({ length: 20 }, () => makeRecord())
      await Promise.all(records.map(async (record) => store.insert(record)))
      const ids = Array.from({ length: 1_000 }, (_, at) =>
        at % 50 === 7 ? records[(at - 7) / 50]?.id : v7(),
      )
      const results = await store.getMany(ids.map((id) => id ?? ''))
      const expected = ids.map((id, at) => (at % 50 === 7 ? id : undefined))
      assert.deepEqual(
        results.map((result) => result?.id),
        expected,
      )
    },
  },
  {
    name: 'getMany: a result belongs to the caller: its change changes nothing in the store',
    uses: ['getMany'],
    async run(store) {
      const record = makeRecord({ data: { list: [{ a: 1 }] } })
      await store.insert(record)
      for (let round = 0; round < 2; round++) {
        const [result] = await store.getMany([record.id])
        assertRecord(result, record)
        if (result !== undefined) spoil(result)
      }
    },
  },
  {
    name: 'getMany: ids that were never given out are absent, whatever their text',
    uses: ['getMany'],
    needs: ['anyId'],
    async run(store) {
      const record = makeRecord()
      await store.insert(record)
      const strange = strangeIds(record.id)
      const results = await store.getMany([...strange, record.id])
      assert.deepEqual(
        results.map((result) => result?.id),
        [...strange.map(() => undefined), record.id],
      )
    },
  },
  {
    name: 'insert: fields of a later version of this package come back exactly, and absent ones stay absent',
    async run(store) {
      // While a new version is deployed, a node of the version before reads and writes its records.
      const record = makeRecord({ ...rotated(), ...fromTheFuture() })
      const old = makeRecord()
      await store.insert(record)
      await store.insert(old)
      assertRecord(await store.get(record.id), record)
      assertRecord(await store.get(old.id), old)
    },
  },
]
