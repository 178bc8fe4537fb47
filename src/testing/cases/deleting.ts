import assert from 'node:assert/strict'
import { v7 } from 'uuid'
import { assertRecord, guest, makeRecord, strangeIds } from '../records.js'
import type { StoreCase } from './case.js'

/** `delete`. */
export const deletingCases: readonly StoreCase[] = [
  {
    name: 'delete: true when the record was there, and no read finds it from then on',
    async run(store) {
      const [record, other] = [makeRecord(), makeRecord()]
      await store.insert(record)
      await store.insert(other)
      assertRecord(await store.get(record.id), record)
      assert.equal(await store.delete(record.id), true)
      assert.equal(await store.get(record.id), undefined)
      if (store.getMany !== undefined) {
        const [gone, kept] = await store.getMany([record.id, other.id])
        assert.equal(gone, undefined)
        assertRecord(kept, other)
      }
      assertRecord(await store.get(other.id), other)
    },
  },
  {
    name: 'delete: true once, false ever after',
    async run(store) {
      for (const record of [makeRecord(), makeRecord(guest)]) {
        await store.insert(record)
        assert.equal(await store.delete(record.id), true)
        assert.equal(await store.delete(record.id), false)
        assert.equal(await store.delete(record.id), false)
      }
    },
  },
  {
    name: 'delete: an unknown id is false',
    async run(store) {
      assert.equal(await store.delete(v7()), false)
    },
  },
  {
    name: 'delete: an id that was never given out is false, whatever its text, and removes nothing',
    needs: ['anyId'],
    async run(store) {
      const record = makeRecord()
      await store.insert(record)
      for (const id of strangeIds(record.id)) {
        assert.equal(await store.delete(id), false, JSON.stringify(id.slice(0, 50)))
      }
      assertRecord(await store.get(record.id), record)
    },
  },
  {
    name: 'delete: of many at once exactly one is true',
    needs: ['concurrency'],
    async run(store) {
      const record = makeRecord()
      await store.insert(record)
      const results = await Promise.all(Array.from({ length: 20 }, async () => store.delete(record.id)))
      assert.equal(results.filter((result) => result).length, 1)
      assert.equal(await store.get(record.id), undefined)
    },
  },
]
