import assert from 'node:assert/strict'
import { assertRecord, makeRecord, nextOf } from '../records.js'
import type { StoreCase } from './case.js'

/** `updateMany`. */
export const updatingManyCases: readonly StoreCase[] = [
  {
    name: 'updateMany: one result for each, in their order: ok, conflict and absent side by side',
    uses: ['updateMany'],
    async run(store) {
      const [fine, stale, gone] = [makeRecord(), makeRecord(), makeRecord()]
      await store.insert(fine)
      await store.insert(stale)
      const changed = nextOf(stale, { data: { changed: true } })
      assert.equal(await store.update(changed, 1), 'ok')
      const updates = [stale, gone, fine].map((record) => ({
        record: nextOf(record, { data: { many: true } }),
        ifVersion: 1,
      }))
      assert.deepEqual(await store.updateMany(updates), ['conflict', 'absent', 'ok'])
      assertRecord(await store.get(fine.id), updates[2]!.record)
      assertRecord(await store.get(stale.id), changed)
      assert.equal(await store.get(gone.id), undefined)
    },
  },
  {
    name: 'updateMany: of two updates of one version the first is ok, and the second a conflict',
    uses: ['updateMany'],
    async run(store) {
      const record = makeRecord()
      await store.insert(record)
      const [first, second] = [1, 2].map((which) => nextOf(record, { data: { which } }))
      const updates = [first!, second!].map((one) => ({ record: one, ifVersion: 1 }))
      assert.deepEqual(await store.updateMany(updates), ['ok', 'conflict'])
      assertRecord(await store.get(record.id), first!)
    },
  },
  {
    name: 'updateMany: no updates return nothing',
    uses: ['updateMany'],
    async run(store) {
      assert.deepEqual(await store.updateMany([]), [])
    },
  },
]
