import assert from 'node:assert/strict'
import type { SessionStore } from '../../store.js'
import {
  assertRecord,
  awkwardObject,
  fromTheFuture,
  guest,
  makeRecord,
  nextOf,
  rotated,
  spoil,
  strangeIds,
} from '../records.js'
import type { StoreCase } from './case.js'

/** `update`. */
export const updatingCases: readonly StoreCase[] = [
  {
    name: 'update: ok replaces the whole record, and the next read sees it',
    async run(store) {
      const first = makeRecord({ data: { gone: 1, kept: 1 } })
      await store.insert(first)
      const changes = { data: { kept: 2, ...awkwardObject() }, ip: '2001:db8::1', userAgent: 'é\0"' }
      const hashes = { secretHash: makeRecord().secretHash, expiresAt: first.expiresAt + 1 }
      const second = nextOf(first, { ...changes, ...hashes, user: { id: 'x', renamed: true } })
      // Read before as well, or a copy that lags would not be noticed.
      assertRecord(await store.get(first.id), first)
      assert.equal(await store.update(second, 1), 'ok')
      assertRecord(await store.get(first.id), second)
      if (store.getMany !== undefined) assertRecord((await store.getMany([first.id]))[0], second)
    },
  },
  {
    name: 'update: a guest is updated too',
    async run(store) {
      const first = makeRecord(guest)
      await store.insert(first)
      const second = nextOf(first, { data: { cart: ['a'] } })
      assert.equal(await store.update(second, 1), 'ok')
      assertRecord(await store.get(first.id), second)
    },
  },
  {
    name: 'update: conflict where the version is another one, and nothing is written',
    async run(store) {
      const first = makeRecord()
      await store.insert(first)
      const second = nextOf(first, { data: { second: true } })
      assert.equal(await store.update(second, 1), 'ok')
      assert.equal(await store.update(nextOf(first, { data: { late: true } }), 1), 'conflict')
      assertRecord(await store.get(first.id), second)
      assert.equal(await store.update({ ...second, version: 8, data: { early: true } }, 7), 'conflict')
      assertRecord(await store.get(first.id), second)
    },
  },
  {
    name: 'update: a version that was refused once is refused again',
    async run(store) {
      const first = makeRecord()
      await store.insert(first)
      assert.equal(await store.update(nextOf(first), 1), 'ok')
      for (let round = 0; round < 3; round++) {
        assert.equal(await store.update(nextOf(first, { data: { round } }), 1), 'conflict')
      }
    },
  },
  {
    name: 'update: absent where the record never was, and nothing is written',
    async run(store) {
      const record = makeRecord({ version: 2 })
      assert.equal(await store.update(record, 1), 'absent')
      assert.equal(await store.get(record.id), undefined)
    },
  },
  {
    name: 'update: absent where the record was deleted, and nothing brings it back',
    async run(store) {
      const record = makeRecord()
      await store.insert(record)
      assert.equal(await store.delete(record.id), true)
      assert.equal(await store.update(nextOf(record), 1), 'absent')
      assert.equal(await store.update({ ...record, version: 1 }, 0), 'absent')
      assert.equal(await store.get(record.id), undefined)
    },
  },
  {
    name: 'update: absent and conflict list nothing under the user',
    uses: ['listByUser'],
    async run(store) {
      const [never, ended, changed] = [makeRecord(), makeRecord(), makeRecord()]
      await store.insert(ended)
      await store.delete(ended.id)
      await store.insert(changed)
      for (const record of [never, ended]) {
        assert.equal(await store.update(nextOf(record), 1), 'absent')
        assert.deepEqual(await store.listByUser(record.userId ?? ''), [])
      }
      assert.equal(await store.update(nextOf(changed, { version: 9 }), 8), 'conflict')
      const [listed] = await store.listByUser(changed.userId ?? '')
      assertRecord(listed, changed)
    },
  },
  {
    name: 'update: a change of the given object changes nothing in the store',
    async run(store) {
      const first = makeRecord()
      await store.insert(first)
      const second = nextOf(first, { data: { list: [{ a: 1 }] } })
      const before = structuredClone(second)
      assert.equal(await store.update(second, 1), 'ok')
      spoil(second)
      assertRecord(await store.get(first.id), before)
    },
  },
  {
    name: 'update: of many at once with one version exactly one is ok',
    needs: ['concurrency'],
    async run(store) {
      const first = makeRecord()
      await store.insert(first)
      const writers = Array.from({ length: 20 }, (_, writer) => nextOf(first, { data: { writer } }))
      const results = await Promise.all(writers.map(async (record) => store.update(record, 1)))
      assert.equal(results.filter((result) => result === 'ok').length, 1)
      assert.equal(results.filter((result) => result === 'conflict').length, 19)
      assertRecord(await store.get(first.id), writers[results.indexOf('ok')] ?? first)
    },
  },
  {
    name: 'update: forty writers that read, add one and try again on conflict count to forty',
    needs: ['concurrency'],
    async run(store) {
      const first = makeRecord({ data: { count: 0 } })
      await store.insert(first)
      await Promise.all(Array.from({ length: 40 }, async () => addOne(store, first.id)))
      const last = await store.get(first.id)
      assert.equal(last?.data.count, 40)
      assert.equal(last?.version, 41)
    },
  },
  {
    name: 'update: no number of updates brings back a record that is deleted among them',
    needs: ['concurrency'],
    async run(store) {
      for (let round = 0; round < 20; round++) await deleteAmongUpdates(store, round)
    },
  },
  {
    name: 'update: an id that was never given out is absent, whatever its text, and nothing is written',
    needs: ['anyId'],
    async run(store) {
      const record = makeRecord()
      await store.insert(record)
      for (const id of strangeIds(record.id)) {
        assert.equal(await store.update(nextOf(record, { id }), 1), 'absent', JSON.stringify(id.slice(0, 50)))
      }
      assertRecord(await store.get(record.id), record)
    },
  },
  {
    name: 'update: fields of a later version of this package are kept, and fields can come and go',
    async run(store) {
      const first = makeRecord()
      await store.insert(first)
      const second = nextOf(first, { ...rotated(), ...fromTheFuture() })
      assert.equal(await store.update(second, 1), 'ok')
      const third = nextOf(second, { nextHash: undefined, priorHash: undefined, priorUntil: undefined })
      assert.equal(await store.update(third, 2), 'ok')
      assertRecord(await store.get(first.id), third)
    },
  },
]

async function addOne(store: SessionStore, id: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    const record = await store.get(id)
    assert.ok(record !== undefined, 'the record was lost')
    const count = Number(record.data.count) + 1
    if ((await store.update(nextOf(record, { data: { count } }), record.version)) === 'ok') return
  }
  assert.fail('200 attempts met a conflict each: does every update advance the version?')
}

/** Starts updates, then the deletion, then more updates, without waiting in between. */
async function deleteAmongUpdates(store: SessionStore, before: number): Promise<void> {
  const record = makeRecord()
  await store.insert(record)
  const write = async (_: unknown, at: number): Promise<void> => {
    for (let version = 1; version <= 5; version++) {
      await store.update({ ...record, version: version + 1, data: { at } }, version)
    }
  }
  const early = Array.from({ length: before }, write)
  const deleted = store.delete(record.id)
  const late = Array.from({ length: 20 - before }, write)
  assert.equal(await deleted, true)
  assert.equal(await store.get(record.id), undefined)
  await Promise.all([...early, ...late])
  assert.equal(await store.get(record.id), undefined)
}
