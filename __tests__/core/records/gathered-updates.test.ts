import { GatheredUpdates } from '../../../src/core/records/gathered-updates.js'
import { StoreCalls } from '../../../src/core/records/store-calls.js'
import type { SessionRecord } from '../../../src/record.js'
import type { SessionStore, UpdateResult } from '../../../src/store.js'
import { memoryStore } from '../../../src/stores/memory/index.js'
import { makeRecord, nextOf } from '../../../src/testing/records.js'
import { recording, replacing, turns } from '../../support/stores.js'

afterEach(() => turns(3))

function gathering(patch: Partial<SessionStore> = {}) {
  const memory = memoryStore()
  const records = Array.from({ length: 3 }, () => makeRecord())
  for (const record of records) void memory.insert(record)
  const updateMany: SessionStore['updateMany'] = (updates) =>
    updates.map(({ record, ifVersion }) => memory.update(record, ifVersion) as UpdateResult)
  const { store, calls } = recording({ ...replacing(memory, {}), updateMany, ...patch })
  const failures: unknown[] = []
  const gathered = new GatheredUpdates(store, new StoreCalls(50, (_, error) => failures.push(error)))
  const touch = async (record: SessionRecord) => gathered.update(nextOf(record), record.version)
  return { memory, records, calls, failures, touch }
}

describe('the touches of one turn', () => {
  it('are one call, and each is told its own result', async () => {
    const { memory, records, calls, touch } = gathering()
    void memory.delete(records[1]!.id)
    void memory.update(nextOf(records[2]!), 1)
    expect(await Promise.all(records.map(touch))).toEqual(['ok', 'absent', 'conflict'])
    expect(calls.map(({ operation }) => operation)).toEqual(['updateMany'])
  })

  it('of the next turn are another call', async () => {
    const { records, calls, touch } = gathering()
    await touch(records[0]!)
    await touch(records[1]!)
    expect(calls).toHaveLength(2)
  })

  it('are a call each, at once, with a store that has no updateMany', () => {
    const { records, calls, touch } = gathering({ updateMany: undefined })
    void touch(records[0]!)
    void touch(records[1]!)
    expect(calls.map(({ operation }) => operation)).toEqual(['update', 'update'])
  })

  it.each<[string, SessionStore['updateMany'], string]>([
    [
      'throws',
      () => {
        throw new Error('disk full')
      },
      'STORE_FAILED',
    ],
    ['rejects', () => Promise.reject(new Error('gone')), 'STORE_FAILED'],
    ['hangs', () => new Promise<never>(() => undefined), 'STORE_TIMEOUT'],
    ['returns too few results', () => ['ok'], 'STORE_FAILED'],
    ['returns nothing', () => undefined as never, 'STORE_FAILED'],
  ])('all fail with a code when the store %s, and that is reported once', async (_, updateMany, code) => {
    const { records, failures, touch } = gathering({ updateMany })
    const ends = await Promise.allSettled(records.map(touch))
    const reason = expect.objectContaining({ code }) as unknown
    expect(ends).toEqual(records.map(() => ({ status: 'rejected', reason })))
    expect(failures).toEqual([reason])
  })
})
