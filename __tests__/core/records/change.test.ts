import { change as changeRecord } from '../../../src/core/records/change.js'
import { isExpired } from '../../../src/core/lifetime.js'
import { Records } from '../../../src/core/records/records.js'
import type { SessionRecord } from '../../../src/record.js'
import type { SessionStore } from '../../../src/store.js'
import { memoryStore } from '../../../src/stores/memory/index.js'
import { makeRecord, nextOf } from '../../../src/testing/records.js'
import { DAY, moveTheClock, rejectionOf, stopTheClock } from '../../support/core.js'
import { asyncStore, batching, failing, recording, replacing, turns } from '../../support/stores.js'

const recordsOn = (store: SessionStore, timeout = 2_000) => new Records(store, timeout, () => undefined)

/** A change, by a core that ends what has expired. */
const change = (records: Records, record: SessionRecord, edit: (record: SessionRecord) => SessionRecord) =>
  changeRecord(records, record, edit, async (found) => {
    if (!isExpired(found, Date.now())) return found
    await records.delete(found.id)
    return undefined
  })

const countOf = (record: SessionRecord | undefined) => Number(record?.data.count ?? 0)
const increment = (record: SessionRecord): SessionRecord => ({
  ...record,
  data: { count: countOf(record) + 1 },
})

/** A store with one record, and what it holds of it now. */
function holding(record = makeRecord()) {
  const store = memoryStore()
  void store.insert(record)
  return { store, record, now: () => store.get(record.id) as SessionRecord | undefined }
}

afterEach(() => {
  jest.useRealTimers()
  return turns(3)
})

describe('a change', () => {
  it('writes the edited record as the next version, and returns it', async () => {
    const { store, record, now } = holding()
    const written = await change(recordsOn(store), record, increment)
    expect(written).toMatchObject({ id: record.id, version: 2, data: { count: 1 } })
    expect(now()).toEqual(written)
  })

  it('is one call to the store when nobody else writes', async () => {
    const { store, record } = holding()
    const { store: spied, calls } = recording(store)
    await change(recordsOn(spied), record, increment)
    expect(calls.map(({ operation }) => operation)).toEqual(['update'])
  })

  it('that changes nothing writes nothing', async () => {
    const { store, record } = holding()
    const { store: spied, calls } = recording(store)
    expect(await change(recordsOn(spied), record, (current) => current)).toEqual(record)
    expect(calls.map(({ operation }) => operation)).toEqual(['get'])
  })

  it('that finds nothing to change at first is tried on what others wrote meanwhile', async () => {
    const { store, record, now } = holding()
    void store.update(nextOf(record, { data: { secret: 1 } }), 1)
    const withoutSecret = (current: SessionRecord) =>
      'secret' in current.data ? { ...current, data: {} } : current
    expect(await change(recordsOn(store), record, withoutSecret)).toMatchObject({ version: 3, data: {} })
    expect(now()?.data).toEqual({})
  })

  it('is made on a session that others kept alive past the deadline on the record at hand', async () => {
    stopTheClock()
    const { store, record, now } = holding()
    moveTheClock(7 * DAY)
    void store.update(nextOf(record, { expiresAt: Date.now() + DAY }), 1)
    expect(await change(recordsOn(store), record, increment)).toMatchObject({ version: 3 })
    expect(countOf(now())).toBe(1)
  })

  it('is made again on the fresh record when somebody else wrote meanwhile', async () => {
    const { store, record, now } = holding()
    void store.update(nextOf(record, { data: { count: 10, other: true } }), 1)
    const seen: unknown[] = []
    const written = await change(recordsOn(store), record, (current) => {
      seen.push(current.data)
      return { ...current, data: { ...current.data, count: countOf(current) + 1 } }
    })
    expect(seen).toEqual([{}, { count: 10, other: true }])
    expect(written).toMatchObject({ version: 3, data: { count: 11, other: true } })
    expect(now()).toEqual(written)
  })

  it('that has nothing to change on the fresh record returns that one, and writes nothing', async () => {
    const { store, record, now } = holding()
    void store.update(nextOf(record, { data: { taken: true } }), 1)
    const before = now()
    const take = (current: SessionRecord) => (current.data.taken === true ? current : increment(current))
    expect(await change(recordsOn(store), record, take)).toEqual(before)
    expect(now()).toEqual(before)
  })

  it.each([
    ['', asyncStore],
    [' that gathers its lookups', (store: SessionStore) => asyncStore(batching(store))],
    [' in the process', (store: SessionStore) => store],
  ])(
    'loses none of forty at once, on a store%s',
    async (_, over) => {
      const { store, record, now } = holding()
      const records = recordsOn(over(store), 20_000)
      const written = await Promise.all(Array.from({ length: 40 }, () => change(records, record, increment)))
      expect(countOf(now())).toBe(40)
      expect(now()?.version).toBe(41)
      // Each of them was told a count of its own: none took another's write for its own.
      expect(new Set(written.map(countOf)).size).toBe(40)
    },
    30_000,
  )
})

describe('a change of a session that has ended', () => {
  it('returns undefined and writes nothing', async () => {
    const { store, record, now } = holding()
    void store.delete(record.id)
    const { store: spied, calls } = recording(store)
    expect(await change(recordsOn(spied), record, increment)).toBeUndefined()
    expect(now()).toBeUndefined()
    // An ended session stays ended, so there is nothing more to ask.
    expect(calls.map(({ operation }) => operation)).toEqual(['update'])
  })

  it('returns undefined when it ends between a conflict and the next try', async () => {
    const { store, record, now } = holding()
    void store.update(nextOf(record), 1)
    const ended = replacing(store, {
      get: (id) => {
        void store.delete(id)
        return store.get(id)
      },
    })
    expect(await change(recordsOn(ended), record, increment)).toBeUndefined()
    expect(now()).toBeUndefined()
  })

  it('that changes nothing returns undefined as well', async () => {
    const { store, record } = holding()
    void store.delete(record.id)
    expect(await change(recordsOn(store), record, (current) => current)).toBeUndefined()
  })

  it('returns undefined when a deadline passed during the request, and ends the session', async () => {
    stopTheClock()
    const { store, record, now } = holding()
    const edit = jest.fn((current: SessionRecord) => ({ ...increment(current), expiresAt: Date.now() + DAY }))
    moveTheClock(7 * DAY)
    expect(await change(recordsOn(store), record, edit)).toBeUndefined()
    expect(edit).not.toHaveBeenCalled()
    expect(now()).toBeUndefined()
  })

  it('returns undefined when the fresh record has expired', async () => {
    const { store, record, now } = holding()
    void store.update(nextOf(record, { expiresAt: Date.now() - 1 }), 1)
    expect(await change(recordsOn(store), record, increment)).toBeUndefined()
    expect(now()).toBeUndefined()
  })
})

describe('a change that can not be made', () => {
  it('is CONFLICT once others have won until the deadline, and nothing was written', async () => {
    const { store, record, now } = holding()
    const tries = jest.fn(() => 'conflict' as const)
    const busy = replacing(store, { update: tries })
    const began = performance.now()
    const error = await rejectionOf(change(recordsOn(busy, 50), record, increment))
    expect(error).toMatchObject({ name: 'SessionError', code: 'CONFLICT', status: 503 })
    expect(performance.now() - began).toBeGreaterThanOrEqual(50)
    expect(tries.mock.calls.length).toBeGreaterThan(3)
    expect(now()).toEqual(record)
  })

  it.each(['update', 'get'] as const)('rejects when the store fails at %s', async (operation) => {
    const { store, record } = holding()
    void store.update(nextOf(record), 1)
    await expect(change(recordsOn(failing(store, operation)), record, increment)).rejects.toMatchObject({
      code: 'STORE_FAILED',
    })
  })

  it("rejects with the edit's own error, and nothing was written", async () => {
    const { store, record, now } = holding()
    const error = new Error('not this value')
    const edit = () => {
      throw error
    }
    expect(await rejectionOf(change(recordsOn(store), record, edit))).toBe(error)
    expect(now()).toEqual(record)
  })
})
