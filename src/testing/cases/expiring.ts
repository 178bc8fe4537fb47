import assert from 'node:assert/strict'
import type { SessionRecord } from '../../record.js'
import type { OnRemoved } from '../../store.js'
import { assertRecord, freshUserId, guest, makeRecord, nextOf } from '../records.js'
import type { StoreCase, TestedStore } from './case.js'

/**
 * The moment that these cases call now. It lies half a minute ahead, so that a store with an expiry of its own does
 * not interfere, and close enough to leave the records of other tests alone.
 */
const soon = (): number => Date.now() + 30_000

/** `deleteExpired`. */
export const expiringCases: readonly StoreCase[] = [
  {
    name: 'deleteExpired: removes what expires at or before now, and nothing else',
    uses: ['deleteExpired'],
    async run(store) {
      const now = soon()
      const due = [now - 1_000, now - 1, now].map((expiresAt) => makeRecord({ expiresAt }))
      const live = [now + 1, now + 1_000, now + 60_000].map((expiresAt) => makeRecord({ expiresAt }))
      due.push(makeRecord({ ...guest, expiresAt: now }))
      live.push(makeRecord({ ...guest, expiresAt: now + 1 }), makeRecord())
      for (const record of [...live, ...due]) await store.insert(record)
      await sweep(store, now, 100)
      for (const record of due) assert.equal(await store.get(record.id), undefined)
      for (const record of live) assertRecord(await store.get(record.id), record)
    },
  },
  {
    name: 'deleteExpired: works through at most limit records and returns how many',
    uses: ['deleteExpired'],
    async run(store) {
      const now = soon()
      await sweep(store, now, 100)
      const due = Array.from({ length: 10 }, () => makeRecord({ expiresAt: now }))
      for (const record of due) await store.insert(record)
      const result = await store.deleteExpired(now, 4)
      assert.equal(result, 4)
      assert.ok((await countFound(store, due)) >= 6, 'more than limit were removed')
    },
  },
  {
    name: 'deleteExpired: called until it returns fewer than limit, it leaves none',
    uses: ['deleteExpired'],
    async run(store) {
      const now = soon()
      const due = Array.from({ length: 25 }, (_, at) => makeRecord({ expiresAt: now - at * 997 }))
      for (const record of due) await store.insert(record)
      await sweep(store, now, 4)
      assert.equal(await countFound(store, due), 0)
      assert.equal(await store.deleteExpired(now, 4), 0)
    },
  },
  {
    name: 'deleteExpired: a deadline that update moved later is honoured',
    uses: ['deleteExpired'],
    async run(store) {
      const now = soon()
      const first = makeRecord({ expiresAt: now - 1 })
      const second = nextOf(first, { expiresAt: now + 1 })
      const third = nextOf(second, { expiresAt: now + 90_000 })
      await store.insert(first)
      await store.update(second, 1)
      await sweep(store, now, 100)
      assertRecord(await store.get(first.id), second)
      await store.update(third, 2)
      await sweep(store, now + 1, 100)
      assertRecord(await store.get(first.id), third)
      await sweep(store, now + 90_000, 100)
      assert.equal(await store.get(first.id), undefined)
    },
  },
  {
    name: 'deleteExpired: a deadline that update moved earlier is honoured',
    uses: ['deleteExpired'],
    async run(store) {
      const now = soon()
      const first = makeRecord()
      await store.insert(first)
      assert.equal(await store.update(nextOf(first, { expiresAt: now }), 1), 'ok')
      await sweep(store, now, 100)
      assert.equal(await store.get(first.id), undefined)
    },
  },
  {
    name: 'deleteExpired: what it removed is ended as by delete',
    uses: ['deleteExpired'],
    async run(store) {
      const now = soon()
      const record = makeRecord({ expiresAt: now })
      await store.insert(record)
      await sweep(store, now, 100)
      assert.equal(await store.update(nextOf(record, { expiresAt: now + 60_000 }), 1), 'absent')
      assert.equal(await store.delete(record.id), false)
      assert.equal(await store.get(record.id), undefined)
    },
  },
  {
    name: 'deleteExpired: what it removed is no longer listed under its user',
    uses: ['deleteExpired', 'listByUser'],
    async run(store) {
      const now = soon()
      const userId = freshUserId()
      const [due, live] = [makeRecord({ userId, expiresAt: now }), makeRecord({ userId })]
      await store.insert(due)
      await store.insert(live)
      await sweep(store, now, 100)
      const listed = await store.listByUser(userId)
      assert.deepEqual(
        listed.map(({ id }) => id),
        [live.id],
      )
    },
  },
  {
    name: 'deleteExpired: many sweeps at once remove the expired and only them',
    uses: ['deleteExpired'],
    needs: ['concurrency'],
    async run(store) {
      const now = soon()
      const due = Array.from({ length: 40 }, () => makeRecord({ expiresAt: now }))
      const live = Array.from({ length: 5 }, () => makeRecord())
      for (const record of [...due, ...live]) await store.insert(record)
      await Promise.all(Array.from({ length: 4 }, async () => sweep(store, now, 7)))
      await sweep(store, now, 7)
      assert.equal(await countFound(store, due), 0)
      assert.equal(await countFound(store, live), 5)
    },
  },
  {
    name: 'onRemoved: tells of the records that deleteExpired removed and of no others, where it tells at all',
    uses: ['deleteExpired'],
    async run(store) {
      const now = soon()
      await sweep(store, now, 100)
      const due = Array.from({ length: 9 }, () => makeRecord({ expiresAt: now }))
      const first = makeRecord({ expiresAt: now })
      const alive = nextOf(first, { expiresAt: now + 90_000 })
      for (const record of [...due, first]) await store.insert(record)
      await store.update(alive, 1)
      const told: SessionRecord[] = []
      await sweep(store, now, 4, (records) => told.push(...records))
      if (told.length === 0) return
      const byId = new Map(told.map((record) => [record.id, record]))
      assert.equal(byId.size, told.length, 'a record was told twice')
      assert.equal(told.length, due.length)
      for (const record of due) assertRecord(byId.get(record.id), record)
    },
  },
  {
    name: 'onRemoved: many sweeps at once tell of each record once, where they tell at all',
    uses: ['deleteExpired'],
    needs: ['concurrency'],
    async run(store) {
      const now = soon()
      await sweep(store, now, 100)
      const due = Array.from({ length: 40 }, () => makeRecord({ expiresAt: now }))
      for (const record of due) await store.insert(record)
      const told: string[] = []
      const tell: OnRemoved = (records) => told.push(...records.map(({ id }) => id))
      await Promise.all(Array.from({ length: 4 }, async () => sweep(store, now, 7, tell)))
      await sweep(store, now, 7, tell)
      if (told.length > 0) assert.deepEqual(told.toSorted(), due.map(({ id }) => id).toSorted())
    },
  },
]

/** Small steps until one returns fewer than its limit. */
async function sweep(store: TestedStore, now: number, limit: number, onRemoved?: OnRemoved): Promise<void> {
  for (let step = 0; step < 100_000; step++) {
    const count = await store.deleteExpired(now, limit, onRemoved)
    assert.ok(count <= limit, `worked through ${count} records, with a limit of ${limit}`)
    if (count < limit) return
  }
  assert.fail(
    '100,000 steps, and still as many as the limit each: does it find the same ones again and again?',
  )
}

async function countFound(store: TestedStore, records: readonly SessionRecord[]): Promise<number> {
  const found = await Promise.all(records.map(async ({ id }) => store.get(id)))
  return found.filter((record) => record !== undefined).length
}
