import { AsyncLocalStorage } from 'node:async_hooks'
import { change } from '../../../src/core/records/change.js'
import { Changes, type Edit } from '../../../src/core/records/changes.js'
import { Records } from '../../../src/core/records/records.js'
import type { SessionRecord } from '../../../src/record.js'
import type { SessionStore } from '../../../src/store.js'
import { memoryStore } from '../../../src/stores/memory/index.js'
import { makeRecord } from '../../../src/testing/records.js'
import { asyncStore, batching, failing, recording, turns } from '../../support/stores.js'

afterEach(() => turns(3))

const countOf = ({ data }: SessionRecord) => Number(data.count ?? 0)
const increment: Edit = (record) => ({ ...record, data: { count: countOf(record) + 1 } })

function holding(over: (store: SessionStore) => SessionStore = (store) => asyncStore(batching(store))) {
  const memory = memoryStore()
  const record = makeRecord()
  void memory.insert(record)
  const { store, calls } = recording(over(memory))
  const records = new Records(store, 2_000, () => undefined)
  const changes = new Changes((one, edit) => change(records, one, edit, (found) => found))
  const now = () => memory.get(record.id) as SessionRecord | undefined
  return { memory, record, changes, calls, now }
}

describe('simultaneous changes of one session', () => {
  it('share a write: 1,000 of them are two, and none is lost', async () => {
    const { record, changes, calls, now } = holding()
    const written = await Promise.all(Array.from({ length: 1_000 }, () => changes.change(record, increment)))
    expect(countOf(now()!)).toBe(1_000)
    expect(calls.map(({ operation }) => operation)).toEqual(['update', 'update'])
    expect(written.map((one) => countOf(one!))).toEqual([1, ...Array<number>(999).fill(1_000)])
  })

  it('are each seen by the next: exactly one takes what only one may have', async () => {
    const { record, changes } = holding()
    const taken: number[] = []
    await changes.change(record, (one) => ({ ...one, data: { flash: 1 } }))
    await Promise.all(
      [1, 2, 3].map((who) => {
        let isMine = false
        return changes
          .change(record, (one) => {
            isMine = 'flash' in one.data
            return isMine ? { ...one, data: {} } : one
          })
          .then(() => isMine && taken.push(who))
      }),
    )
    expect(taken).toEqual([1])
  })

  it('that throw fail alone, and the others are written', async () => {
    const { record, changes, now } = holding()
    const bad: Edit = () => {
      throw new RangeError('no')
    }
    const ends = await Promise.allSettled(
      [increment, bad, increment, bad].map((one) => changes.change(record, one)),
    )
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected'])
    expect(countOf(now()!)).toBe(2)
    await expect(changes.change(record, bad)).rejects.toThrow(RangeError)
    expect(countOf((await changes.change(record, increment))!)).toBe(3)
  })

  it('all fail where the store does, and those that come after it are written', async () => {
    let isDown = true
    const { record, changes, now } = holding((store) => {
      const broken = failing(store, 'update')
      return { ...store, ...batching(store), update: (...args) => (isDown ? broken : store).update(...args) }
    })
    const ends = await Promise.allSettled([1, 2, 3].map(() => changes.change(record, increment)))
    expect(ends.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected'])
    isDown = false
    await changes.change(record, increment)
    expect(countOf(now()!)).toBe(1)
  })

  it('are undefined for all where the session has ended meanwhile', async () => {
    const { memory, record, changes } = holding()
    void memory.delete(record.id)
    expect(await Promise.all([1, 2].map(() => changes.change(record, increment)))).toEqual([
      undefined,
      undefined,
    ])
  })

  it('find no session when they come after one of them that has ended it', async () => {
    const { record, changes, now } = holding()
    const end: Edit = (one) => ({ ...one, endedBy: 'login' })
    const ends = await Promise.all(
      [increment, increment, end, increment].map((one) => changes.change(record, one)),
    )
    expect(ends.map((one) => one && countOf(one))).toEqual([1, 2, 2, undefined])
    expect(countOf(now()!)).toBe(2)
  })

  it('run each in the asynchronous context of its own request', async () => {
    const { record, changes } = holding()
    const context = new AsyncLocalStorage<number>()
    const seen: unknown[] = []
    const edit: Edit = (one) => {
      seen.push(context.getStore())
      return increment(one)
    }
    await Promise.all([0, 1, 2].map((who) => context.run(who, () => changes.change(record, edit))))
    expect(seen).toEqual([0, 1, 2])
  })
})
