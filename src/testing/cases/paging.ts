import assert from 'node:assert/strict'
import type { SessionRecord } from '../../record.js'
import { assertRecord, awkwardTexts, freshUserId, makeRecord, nextOf } from '../records.js'
import type { StoreCase, TestedStore } from './case.js'

/** `pageByUser`. */
export const pagingCases: readonly StoreCase[] = [
  {
    name: 'pageByUser: the pages together are all records of the user, each once, and only those',
    uses: ['pageByUser'],
    async run(store) {
      const records = await insertMany(store, 25)
      await insertMany(store, 3)
      for (const limit of [1, 4, 5, 24, 25, 26, 1_000]) {
        const pages = await walk(store, records[0]!.userId!, limit)
        assert.ok(
          pages.every((page) => page.length <= limit),
          `a page of ${limit} has more`,
        )
        assertSame(pages.flat(), records)
      }
    },
  },
  {
    name: 'pageByUser: a user without sessions has one empty page',
    uses: ['pageByUser'],
    async run(store) {
      await insertMany(store, 1)
      for (const userId of [freshUserId(), `${freshUserId()}*`, '%', '__proto__']) {
        assert.deepEqual(await store.pageByUser(userId, 10), { records: [], next: undefined })
      }
    },
  },
  {
    name: 'pageByUser: any string is a user id',
    uses: ['pageByUser'],
    async run(store) {
      const tag = freshUserId()
      const records = awkwardTexts.map((text) => makeRecord({ userId: tag + text }))
      for (const record of records) await store.insert(record)
      for (const record of records) assertSame((await walk(store, record.userId!, 2)).flat(), [record])
    },
  },
  {
    name: 'pageByUser: sessions that were made at one moment are told apart',
    uses: ['pageByUser'],
    async run(store) {
      const first = makeRecord()
      const times = { createdAt: first.createdAt, absoluteExpiresAt: first.absoluteExpiresAt }
      const records = await insertMany(store, 12, times)
      assertSame((await walk(store, records[0]!.userId!, 5)).flat(), records)
    },
  },
  {
    name: 'pageByUser: ending each page before the next is asked for ends all',
    uses: ['pageByUser'],
    async run(store) {
      const records = await insertMany(store, 20)
      await insertMany(store, 1)
      const end = async (page: SessionRecord[]) => {
        for (const { id } of page) assert.equal(await store.delete(id), true)
      }
      assertSame((await walk(store, records[0]!.userId!, 3, end)).flat(), records)
      assert.deepEqual((await store.pageByUser(records[0]!.userId!, 3)).records, [])
    },
  },
  {
    name: 'pageByUser: no record is missed where others are inserted, changed and ended meanwhile',
    uses: ['pageByUser'],
    async run(store) {
      const records = await insertMany(store, 12)
      const userId = records[0]!.userId!
      const [touched, ended] = [records.slice(0, 4), records.slice(4, 8)]
      let round = 0
      const meddle = async () => {
        const [touch, end] = [touched[round], ended[round]]
        round += 1
        await store.insert(makeRecord({ userId }))
        if (end !== undefined) await store.delete(end.id)
        if (touch === undefined) return
        const later = { expiresAt: touch.expiresAt + 60_000, lastSeenAt: touch.lastSeenAt + 60_000 }
        assert.equal(await store.update(nextOf(touch, later), 1), 'ok')
      }
      const seen = new Set((await walk(store, userId, 3, meddle)).flat().map(({ id }) => id))
      for (const { id } of [...touched, ...records.slice(8)]) assert.ok(seen.has(id), 'a record was missed')
    },
  },
]

async function insertMany(
  store: TestedStore,
  count: number,
  overrides: Partial<SessionRecord> = {},
): Promise<SessionRecord[]> {
  const userId = freshUserId()
  const records = Array.from({ length: count }, () => makeRecord({ userId, ...overrides }))
  for (const record of records) await store.insert(record)
  return records
}

/** All pages, one after another. `between` runs before the next one is asked for. */
async function walk(
  store: TestedStore,
  userId: string,
  limit: number,
  between?: (page: SessionRecord[]) => Promise<void>,
): Promise<SessionRecord[][]> {
  const pages: SessionRecord[][] = []
  let after: string | undefined
  do {
    const { records, next } = await store.pageByUser(userId, limit, after)
    pages.push(records)
    await between?.(records)
    after = next
  } while (after !== undefined && pages.length < 1_000)
  assert.equal(after, undefined, 'there is no last page')
  return pages
}

function assertSame(found: readonly SessionRecord[], expected: readonly SessionRecord[]): void {
  const ids = (records: readonly SessionRecord[]) => records.map(({ id }) => id).sort()
  assert.deepEqual(ids(found), ids(expected))
  for (const record of expected) {
    assertRecord(
      found.find(({ id }) => id === record.id),
      record,
    )
  }
}
