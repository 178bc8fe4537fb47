import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import type { SessionRecord } from '../../record.js'
import { assertRecord, awkwardTexts, freshUserId, guest, makeRecord, nextOf } from '../records.js'
import type { StoreCase, TestedStore } from './case.js'

/** `scan` and `count`. The store may hold the records of other cases too. */
export const scanningCases: readonly StoreCase[] = [
  {
    name: 'scan: the pages together have every record, of users and guests, as it is',
    uses: ['scan'],
    async run(store) {
      const records = [...awkwardTexts, ...awkwardTexts].map((text) =>
        makeRecord({ userId: freshUserId() + text }),
      )
      records.push(makeRecord({ ...guest, data: { cart: ['tea'] } }))
      for (const record of records) await store.insert(record)
      const changed = nextOf(records[0]!, { data: { changed: true } })
      assert.equal(await store.update(changed, 1), 'ok')
      for (const limit of [3, 1_000]) assertHas(await walk(store, limit), [changed, ...records.slice(1)])
    },
  },
  {
    name: 'scan: what has ended is on no page',
    uses: ['scan'],
    async run(store) {
      const records = await insertMany(store, 12)
      for (const { id } of records) assert.equal(await store.delete(id), true)
      const seen = new Set((await walk(store, 5)).map(({ id }) => id))
      for (const { id } of records) assert.ok(!seen.has(id), 'a record that has ended was returned')
    },
  },
  {
    name: 'scan: no record is missed where others are inserted, changed and ended meanwhile',
    uses: ['scan'],
    async run(store) {
      const records = await insertMany(store, 16)
      const [touched, ended] = [records.slice(0, 4), records.slice(4, 8)]
      let round = 0
      const seen = await walk(store, 3, async () => {
        const [touch, end] = [touched[round], ended[round]]
        round += 1
        if (end === undefined || touch === undefined) return
        await store.insert(makeRecord())
        await store.delete(end.id)
        assert.equal(await store.update(nextOf(touch, { expiresAt: touch.expiresAt + 60_000 }), 1), 'ok')
      })
      const ids = new Set(seen.map(({ id }) => id))
      for (const { id } of [...touched, ...records.slice(8)]) assert.ok(ids.has(id), 'a record was missed')
    },
  },
  {
    name: 'count: rises by what is inserted, and falls by what has ended',
    uses: ['count'],
    async run(store) {
      const before = await store.count(Date.now())
      const records = await insertMany(store, 7)
      await store.insert(makeRecord(guest))
      assert.equal(await store.count(Date.now()), before + 8)
      for (const { id } of records.slice(0, 3)) await store.delete(id)
      assert.equal(await store.count(Date.now()), before + 5)
    },
  },
  {
    name: 'count: a record whose deadline passed more than a minute ago is none',
    uses: ['count'],
    async run(store) {
      const before = await store.count(Date.now())
      const now = Date.now()
      await store.insert(makeRecord({ createdAt: now - 400_000, expiresAt: now - 200_000 }))
      // A store that forgets by itself may need a moment.
      await pause(5)
      assert.equal(await store.count(Date.now()), before)
    },
  },
]

async function insertMany(store: TestedStore, count: number): Promise<SessionRecord[]> {
  const records = Array.from({ length: count }, () => makeRecord())
  for (const record of records) await store.insert(record)
  return records
}

/** All pages, one after another. `between` runs before the next one is asked for. */
async function walk(
  store: TestedStore,
  limit: number,
  between?: () => Promise<void>,
): Promise<SessionRecord[]> {
  const found: SessionRecord[] = []
  let after: string | undefined
  let pages = 0
  do {
    const { records, next } = await store.scan(limit, after)
    found.push(...records)
    await between?.()
    after = next
    pages += 1
  } while (after !== undefined && pages < 10_000)
  assert.equal(after, undefined, 'there is no last page')
  return found
}

function assertHas(found: readonly SessionRecord[], expected: readonly SessionRecord[]): void {
  const byId = new Map(found.map((record) => [record.id, record]))
  for (const record of expected) assertRecord(byId.get(record.id), record)
}
