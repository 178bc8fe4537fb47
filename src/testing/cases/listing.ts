import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import type { SessionRecord } from '../../record.js'
import { assertRecord, awkwardTexts, freshUserId, guest, makeRecord, nextOf, spoil } from '../records.js'
import type { StoreCase, TestedStore } from './case.js'

/** `listByUser`. */
export const listingCases: readonly StoreCase[] = [
  {
    name: 'listByUser: all records of the user, and only those',
    uses: ['listByUser'],
    async run(store) {
      const [ann, bob] = [freshUserId(), freshUserId()]
      const hers = Array.from({ length: 30 }, (_, at) => makeRecord({ userId: ann, data: { at } }))
      const his = makeRecord({ userId: bob })
      for (const record of [...hers, his]) await store.insert(record)
      await assertList(store, ann, hers)
      await assertList(store, bob, [his])
    },
  },
  {
    name: 'listByUser: a user without sessions has an empty list',
    uses: ['listByUser'],
    async run(store) {
      await store.insert(makeRecord())
      await assertList(store, freshUserId(), [])
    },
  },
  {
    name: 'listByUser: a record is listed once it is inserted, and no longer once it is deleted',
    uses: ['listByUser'],
    async run(store) {
      const userId = freshUserId()
      const [first, second] = [makeRecord({ userId }), makeRecord({ userId })]
      await store.insert(first)
      await assertList(store, userId, [first])
      await store.insert(second)
      await assertList(store, userId, [first, second])
      await store.delete(first.id)
      await assertList(store, userId, [second])
      await store.delete(second.id)
      await assertList(store, userId, [])
    },
  },
  {
    name: 'listByUser: a record that can be found is listed, even while it is being inserted',
    uses: ['listByUser'],
    needs: ['concurrency'],
    async run(store) {
      for (let round = 0; round < 20; round++) await insertAndWatch(store)
    },
  },
  {
    name: 'listByUser: lists what update wrote',
    uses: ['listByUser'],
    async run(store) {
      const first = makeRecord()
      await store.insert(first)
      const second = nextOf(first, { data: { list: [1] }, expiresAt: first.expiresAt + 60_000 })
      await store.update(second, 1)
      await assertList(store, first.userId ?? '', [second])
    },
  },
  {
    name: 'listByUser: a refused insert lists nothing',
    uses: ['listByUser'],
    async run(store) {
      const first = makeRecord()
      const second = makeRecord({ id: first.id })
      await store.insert(first)
      await assert.rejects(async () => store.insert(second))
      await assertList(store, first.userId ?? '', [first])
      await assertList(store, second.userId ?? '', [])
    },
  },
  {
    name: 'listByUser: any string is a user id, and similar ones are different users',
    uses: ['listByUser'],
    async run(store) {
      const tag = freshUserId()
      const userIds = similarUserIds(tag)
      const records = userIds.map((userId) => makeRecord({ userId, user: { id: tag } }))
      for (const record of records) await store.insert(record)
      for (const [at, userId] of userIds.entries()) {
        const record = records[at]
        await assertList(store, userId, record === undefined ? [] : [record])
      }
    },
  },
  {
    name: 'listByUser: the shortest and oddest user ids are users like any other',
    uses: ['listByUser'],
    async run(store) {
      // Without a random part, so records of other runs may be listed too: all, but not exactly these.
      for (const userId of [...awkwardTexts, '*', '%', ':', '{}', '__proto__', 'constructor', '0']) {
        const record = makeRecord({ userId, user: { id: 'x' } })
        await store.insert(record)
        const listed = await store.listByUser(userId)
        const what = JSON.stringify(userId)
        assert.ok(
          listed.some(({ id }) => id === record.id),
          `${what} does not list its session`,
        )
        assert.ok(
          listed.every((other) => other.userId === userId),
          `${what} lists other users' sessions`,
        )
        await store.delete(record.id)
      }
    },
  },
  {
    name: 'listByUser: guests are listed under no user',
    uses: ['listByUser'],
    async run(store) {
      const record = makeRecord(guest)
      await store.insert(record)
      for (const userId of ['', 'undefined', 'null', 'guest', '*', record.id]) {
        const listed = await store.listByUser(userId)
        assert.ok(!listed.some(({ id }) => id === record.id), `listed under ${JSON.stringify(userId)}`)
      }
    },
  },
  {
    name: 'listByUser: a result belongs to the caller: its change changes nothing in the store',
    uses: ['listByUser'],
    async run(store) {
      const record = makeRecord({ data: { list: [{ a: 1 }] } })
      await store.insert(record)
      const listed = await store.listByUser(record.userId ?? '')
      for (const result of listed) spoil(result)
      listed.length = 0
      await assertList(store, record.userId ?? '', [record])
      assertRecord(await store.get(record.id), record)
    },
  },
]

/** User ids that a store could confuse: by patterns, separators, collations, normal forms, or by cutting text. */
function similarUserIds(tag: string): string[] {
  const ends = ['', ' ', ':', ':1', '*', '?', '%', '_', '{', '{}', "'", '"', '\\', '\0', '\0x', '\n', '[a]']
  const letters = ['a', 'A', 'á', 'a\u0301', 'ａ', 'ß', 'ss', '\uD800', '\uD801', '\uFFFD', '🙂', '🙃']
  const long = ['x', 'y'].map((last) => tag + '_'.repeat(999 - tag.length) + last)
  const starts = [' ', '*', '%', '{', '__proto__', '0', "'", '\0'].map((start) => start + tag)
  return [...[...ends, ...letters].map((end) => tag + end), ...starts, ...long, tag.slice(0, -1)]
}

async function assertList(store: TestedStore, userId: string, expected: SessionRecord[]): Promise<void> {
  const listed = new Map<string, SessionRecord>()
  const result = await store.listByUser(userId)
  for (const record of result) listed.set(record.id, record)
  const ids = (records: Iterable<SessionRecord>) => [...records].map(({ id }) => id).sort()
  const what = `the sessions of ${JSON.stringify(userId.slice(0, 60))}`
  assert.deepEqual(ids(result), ids(expected), what)
  for (const record of expected) assertRecord(listed.get(record.id), record)
}

async function insertAndWatch(store: TestedStore): Promise<void> {
  const record = makeRecord()
  const insertion = { done: false }
  const inserting = Promise.resolve(store.insert(record)).finally(() => (insertion.done = true))
  while (!insertion.done) {
    if ((await store.get(record.id)) !== undefined) {
      await assertList(store, record.userId ?? '', [record])
      break
    }
    // Without a pause, a store that returns `get` from memory would never let the insertion go on.
    await setImmediate()
  }
  await inserting
}
