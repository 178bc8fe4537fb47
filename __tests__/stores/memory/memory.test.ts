import { spawnSync } from 'node:child_process'
import * as fc from 'fast-check'
import type { JsonObject, SessionRecord } from '../../../src/record.js'
import { defaultMaxBytes, heapBytes } from '../../../src/stores/memory/heap-bytes.js'
import { memoryStore, type MemoryStoreOptions } from '../../../src/stores/memory/index.js'
import type { SessionStore } from '../../../src/store.js'
import { makeRecord, storeContract } from '../../../src/testing/store-contract.js'
import { CorrectStore } from '../../testing/broken-stores/correct-store.js'

const HOUR = 3_600_000
const start = Date.UTC(2030, 0, 1)

/** A login made at `start`, or the given number of milliseconds later, for an hour. */
function loginAt(ms: number, overrides: Partial<SessionRecord> = {}): SessionRecord {
  const now = start + ms
  const times = { createdAt: now, authenticatedAt: now, lastSeenAt: now, expiresAt: now + HOUR }
  return makeRecord({ ...times, absoluteExpiresAt: now + 24 * HOUR, ...overrides })
}

const guestAt = (ms: number): SessionRecord => loginAt(ms, { userId: undefined, user: undefined })

/** The same session, seen later. */
function touched(record: SessionRecord, ms: number): SessionRecord {
  const lastSeenAt = start + ms
  return { ...record, version: record.version + 1, lastSeenAt, expiresAt: lastSeenAt + HOUR }
}

/** A store that holds these, and no more. */
function fullOf(records: readonly SessionRecord[]): SessionStore {
  const store = memoryStore({ maxSessions: records.length })
  for (const record of records) void store.insert(record)
  return store
}

const kept = (store: SessionStore, records: readonly SessionRecord[]): boolean[] =>
  records.map(({ id }) => store.get(id) !== undefined)

describe('the store contract', () => {
  for (const { name, run } of storeContract(() => memoryStore())) test(name, run)

  test('holds for any sequence of operations, as in the simplest store', async () => {
    const at = fc.integer({ min: 0, max: 5 })
    const time = fc.integer({ min: 0, max: 20 })
    const operation = fc.tuple(fc.constantFrom('insert', 'update', 'delete', 'sweep'), at, time)
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 60 }), async (operations) => {
        const [store, model] = [memoryStore(), new CorrectStore()]
        for (const each of operations) expect(await operate(store, each)).toEqual(await operate(model, each))
        for (const id of '012345') expect(store.get(id)).toEqual(await model.get(id))
        for (const userId of ['even', 'odd']) {
          const ids = async (from: SessionStore) =>
            (await from.listByUser!(userId)).map((record) => record.id).sort()
          expect(await ids(store)).toEqual(await ids(model))
        }
      }),
      { numRuns: 500 },
    )
  })
})

/** One operation on one of six sessions: two guests, and two of each of two users. */
async function operate(store: SessionStore, [name, at, time]: [string, number, number]): Promise<unknown> {
  const userId = at < 2 ? undefined : at % 2 === 0 ? 'even' : 'odd'
  const id = String(at)
  const record: SessionRecord = { ...constant, id, userId, expiresAt: time }
  if (name === 'insert') return Promise.resolve(store.get(id)).then((old) => old ?? store.insert(record))
  if (name === 'delete') return store.delete(id)
  if (name === 'update') {
    const version = (await store.get(id))?.version ?? 1
    return store.update({ ...record, version: version + 1 }, version)
  }
  while ((await store.deleteExpired?.(time, 2)) === 2);
  return undefined
}

const constant = makeRecord({ user: undefined })

describe('answers', () => {
  test('are given at once, without a promise', () => {
    const store = memoryStore()
    const record = loginAt(0)
    expect(store.insert(record)).toBeUndefined()
    expect(store.get(record.id)).toMatchObject({ id: record.id })
    expect(store.update(touched(record, 1), 1)).toBe('ok')
    expect(store.listByUser(record.userId ?? '')).toHaveLength(1)
    expect(store.deleteExpired?.(start, 10)).toBe(0)
    expect(store.delete(record.id)).toBe(true)
  })

  test('are frozen inside and out, and what was given is not', () => {
    const store = memoryStore()
    const record = loginAt(0, { data: { list: [{ a: 1 }] } })
    void store.insert(record)
    void store.update(touched(record, 1), 1)
    const found = store.get(record.id) as SessionRecord
    const list = found.data.list as readonly object[]
    for (const part of [found, found.user, found.data, list, list[0]])
      expect(Object.isFrozen(part)).toBe(true)
    for (const part of [record, record.user, record.data]) expect(Object.isFrozen(part)).toBe(false)
  })

  test('share user and data with the answer before, when a touch hands them back', () => {
    const store = memoryStore()
    const record = loginAt(0, { data: { list: [1] } })
    void store.insert(record)
    const first = store.get(record.id) as SessionRecord
    void store.update(touched(first, 1), 1)
    const second = store.get(record.id) as SessionRecord
    expect(second.lastSeenAt).toBe(start + 1)
    expect(second.user).toBe(first.user)
    expect(second.data).toBe(first.data)
  })
})

describe('a full store', () => {
  test('holds maxSessions, and refuses the next login with STORE_FULL and status 503', () => {
    const logins = [loginAt(0), loginAt(1), loginAt(2)]
    const store = fullOf(logins)
    const next = loginAt(3)
    expect(() => store.insert(next)).toThrow(
      expect.objectContaining({
        code: 'STORE_FULL',
        status: 503,
        message: expect.stringContaining('3 logins'),
      }),
    )
    expect(store.get(next.id)).toBeUndefined()
    expect(store.listByUser!(next.userId ?? '')).toEqual([])
    expect(kept(store, logins)).toEqual([true, true, true])
  })

  test('holds 100,000 sessions by default', () => {
    const store = memoryStore()
    for (let at = 0; at < 100_000; at++) void store.insert({ ...constant, id: String(at) })
    expect(() => store.insert({ ...constant, id: '100000' })).toThrow(
      expect.objectContaining({ code: 'STORE_FULL' }),
    )
  })

  test('has room again after a delete', () => {
    const logins = [loginAt(0), loginAt(1)]
    const store = fullOf(logins)
    void store.delete(logins[0]?.id ?? '')
    const next = loginAt(2)
    void store.insert(next)
    expect(kept(store, [...logins, next])).toEqual([false, true, true])
  })

  test('forgets what has expired first, and only as much as it must', () => {
    const records = [guestAt(0), loginAt(10), loginAt(20), guestAt(30)]
    const store = fullOf(records)
    void store.insert(loginAt(HOUR + 20))
    expect(kept(store, records)).toEqual([false, true, true, true])
    void store.insert(loginAt(HOUR + 20))
    expect(kept(store, records)).toEqual([false, false, true, true])
  })

  test('finds what has expired behind sessions that were touched', () => {
    const [first, second, last] = [loginAt(0), loginAt(1), loginAt(2)]
    const store = fullOf([first, second, last])
    void store.update(touched(first, HOUR - 1), 1)
    void store.update(touched(second, HOUR - 1), 1)
    void store.insert(loginAt(HOUR + 2))
    expect(kept(store, [first, second, last])).toEqual([true, true, false])
  })

  test('then drops the guest that was seen longest ago, whoever comes', () => {
    const records = [loginAt(0), guestAt(1), guestAt(2), guestAt(3)]
    const store = fullOf(records)
    void store.update(touched(records[1] as SessionRecord, 10), 1)
    void store.insert(loginAt(11))
    expect(kept(store, records)).toEqual([true, true, false, true])
    void store.insert(guestAt(12))
    expect(kept(store, records)).toEqual([true, true, false, false])
  })

  test('never drops a live login for a guest', () => {
    const logins = [loginAt(0), loginAt(1)]
    const store = fullOf(logins)
    expect(() => store.insert(guestAt(2))).toThrow(expect.objectContaining({ code: 'STORE_FULL' }))
    expect(kept(store, logins)).toEqual([true, true])
  })

  test('drops nobody for an id that is taken, or for data that is not JSON', () => {
    const guests = [guestAt(0), guestAt(1)]
    const store = fullOf(guests)
    expect(() => store.insert(guests[1] as SessionRecord)).toThrow(
      expect.objectContaining({ code: 'STORE_FAILED' }),
    )
    const notJson = { big: 1n } as unknown as SessionRecord['data']
    expect(() => store.insert(loginAt(2, { data: notJson }))).toThrow(TypeError)
    expect(kept(store, guests)).toEqual([true, true])
  })

  test('updates what it holds', () => {
    const login = loginAt(0)
    const store = fullOf([login])
    expect(store.update(touched(login, 1), 1)).toBe('ok')
  })
})

describe('a store that is full by bytes', () => {
  const KB = 1_000
  const sized = (record: SessionRecord, kb: number) => ({ ...record, data: { text: 'x'.repeat(kb * KB) } })
  const full = expect.objectContaining({ code: 'STORE_FULL', status: 503 }) as Error

  /** A store of so many kilobytes that holds these. */
  function holding(kb: number, records: readonly SessionRecord[]): SessionStore {
    const store = memoryStore({ maxBytes: kb * KB })
    for (const record of records) void store.insert(record)
    return store
  }

  test('guests with large data take their room from each other, the one seen longest ago first', () => {
    const records = [loginAt(0), ...[1, 2, 3].map((at) => sized(guestAt(at), 30))]
    const store = holding(100, records)
    void store.insert(sized(guestAt(4), 30))
    expect(kept(store, records)).toEqual([true, false, true, true])
    void store.insert(sized(loginAt(5), 60))
    expect(kept(store, records)).toEqual([true, false, false, false])
  })

  test('a login that would take more than guests can give is refused, and no guest is dropped for it', () => {
    const records = [sized(loginAt(0), 60), sized(guestAt(1), 20)]
    const store = holding(100, records)
    expect(() => store.insert(sized(loginAt(2), 50))).toThrow(full)
    expect(() => store.insert(sized(guestAt(2), 50))).toThrow('maxBytes')
    expect(kept(store, records)).toEqual([true, true])
  })

  test('data that grows takes room from other guests, and never from its own session', () => {
    const [old, young] = [sized(guestAt(0), 30), sized(guestAt(1), 30)]
    const store = holding(100, [old, young])
    expect(store.update(sized(touched(old, 2), 60), 1)).toBe('ok')
    expect(kept(store, [old, young])).toEqual([true, true])
    expect(store.update(sized(touched(touched(old, 2), 3), 80), 2)).toBe('ok')
    expect(kept(store, [old, young])).toEqual([true, false])
  })

  test('data that finds no room is refused: the session stays as it was, and can be used and ended', () => {
    for (const record of [sized(loginAt(0), 30), sized(guestAt(0), 30)]) {
      const store = holding(100, [record, sized(loginAt(0), 50)])
      expect(() => store.update(sized(touched(record, 1), 60), 1)).toThrow(full)
      expect(store.get(record.id)).toEqual(record)
      const used = touched(store.get(record.id) as SessionRecord, 2)
      expect(store.update(used, 1)).toBe('ok')
      expect(store.deleteExpired?.(used.expiresAt, 10)).toBe(2)
      expect(store.get(record.id)).toBeUndefined()
    }
  })

  test('what has expired makes room, for data too, and so does what has ended or shrunk', () => {
    const [first, second] = [sized(loginAt(0), 40), sized(loginAt(10), 40)]
    const store = holding(100, [first, second])
    expect(store.update(sized(touched(second, HOUR + 1), 80), 1)).toBe('ok')
    expect(kept(store, [first, second])).toEqual([false, true])
    expect(store.update(sized({ ...second, version: 3 }, 10), 2)).toBe('ok')
    const third = sized(loginAt(20), 70)
    void store.insert(third)
    void store.delete(third.id)
    expect(() => store.insert(sized(loginAt(30), 70))).not.toThrow()
  })

  test('a touch is never refused, and never moves the estimate', () => {
    const record = sized(loginAt(0), 40)
    const store = holding(80, [record])
    for (let at = 1; at < 100; at++) {
      const current = store.get(record.id) as SessionRecord
      expect(store.update(touched(current, at), at)).toBe('ok')
    }
    expect(() => store.insert(sized(loginAt(0), 30))).not.toThrow()
  })

  test('what is kept beside the data counts as well, and a change of browser or address is never refused', () => {
    const record = sized(loginAt(0), 40)
    const store = holding(80, [record])
    void store.insert(sized(loginAt(0), 36))
    const large = { ...touched(record, 1), cookie: { path: `/${'x'.repeat(9 * KB)}` } }
    expect(() => store.update(large, 1)).toThrow(full)
    const moved = { ...touched(record, 1), userAgent: 'x'.repeat(3 * KB), ip: '2001:db8::1' }
    expect(store.update(moved, 1)).toBe('ok')
  })

  test('by default, guests can not fill the heap with gigabytes', () => {
    const store = memoryStore()
    const ids: string[] = []
    for (let at = 0; at < 5_000; at++) {
      const record = sized(guestAt(at), 64)
      void store.insert(record)
      ids.push(record.id)
    }
    const count = ids.filter((id) => store.get(id) !== undefined).length
    expect(count).toBeGreaterThan(3_500)
    expect(count).toBeLessThan(4_000)
  })

  test('the default grows with maxSessions', () => {
    expect([1, 100_000, 200_000].map(defaultMaxBytes)).toEqual([256e6, 256e6, 512e6])
  })
})

describe.each<[string, JsonObject, number]>([
  ['texts', { text: 'x'.repeat(10_000) }, 10_000],
  ['wide texts', { text: '漢'.repeat(10_000) }, 20_000],
  ['empty arrays', { list: Array.from({ length: 1_000 }, () => []) }, 40_000],
  ['empty objects', { list: Array.from({ length: 1_000 }, () => ({})) }, 64_000],
  ['fractions', { list: Array.from({ length: 1_000 }, (_, at) => at + 0.5) }, 8_000],
])('the estimate of %s', (_, data, measured) => {
  // The figures were measured by `process.memoryUsage().heapUsed` over a thousand of each.
  test('is at least what V8 takes, and at most twice as much', () => {
    expect(heapBytes(data)).toBeGreaterThanOrEqual(measured)
    expect(heapBytes(data)).toBeLessThanOrEqual(2.1 * measured)
  })
})

describe('expiry', () => {
  test('looks at a touched session once when its old deadline has come, and counts it', () => {
    const store = memoryStore()
    const records = Array.from({ length: 10 }, (_, at) => loginAt(at))
    for (const record of records) void store.insert(record)
    for (const record of records) void store.update(touched(record, 1_000), 1)
    const steps = Array.from({ length: 4 }, () => store.deleteExpired?.(start + HOUR + 500, 4))
    expect(steps).toEqual([4, 4, 2, 0])
    expect(kept(store, records)).not.toContain(false)
    expect(store.deleteExpired?.(start + HOUR + 1_000, 100)).toBe(10)
    expect(kept(store, records)).not.toContain(true)
  })

  test('goes through guests and logins within one limit', () => {
    const store = memoryStore()
    for (let at = 0; at < 3; at++) {
      void store.insert(guestAt(at))
      void store.insert(loginAt(at))
    }
    const steps = Array.from({ length: 3 }, () => store.deleteExpired?.(start + HOUR + 10, 4))
    expect(steps).toEqual([4, 2, 0])
  })

  test('is told, and what was put off is not', () => {
    const store = memoryStore()
    const [guest, login, used] = [guestAt(0), loginAt(1), loginAt(2)]
    for (const record of [guest, login, used]) void store.insert(record)
    void store.update(touched(used, 1_000), 1)
    const told: string[] = []
    const tell = (records: readonly { id: string }[]) => told.push(...records.map(({ id }) => id))
    expect(store.deleteExpired?.(start + HOUR + 10, 10, tell)).toBe(3)
    expect(told).toEqual([guest.id, login.id])
  })

  test('takes a clock that jumps over years of scattered deadlines', () => {
    const store = memoryStore()
    const records = Array.from({ length: 1_000 }, (_, at) => loginAt(at * 24 * HOUR))
    for (const record of records) void store.insert(record)
    const now = start + 1_000 * 24 * HOUR
    const steps = Array.from({ length: 11 }, () => store.deleteExpired?.(now, 100))
    expect(steps).toEqual([...Array.from({ length: 10 }, () => 100), 0])
  })

  test('brings nothing back when the clock is set back', () => {
    const store = memoryStore()
    const record = loginAt(0)
    void store.insert(record)
    expect(store.deleteExpired?.(start + HOUR, 10)).toBe(1)
    expect(store.deleteExpired?.(start, 10)).toBe(0)
    expect(store.get(record.id)).toBeUndefined()
  })
})

describe('options', () => {
  test.each([0, -1, 1.5, NaN, Infinity, '100', null, 16_000_001])('refuses maxSessions %p', (value) => {
    const options = { maxSessions: value } as unknown as MemoryStoreOptions
    expect(() => memoryStore(options)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining('maxSessions') }),
    )
  })

  test.each([0, -1, 1.5, NaN, '256MB', null])('refuses maxBytes %p', (value) => {
    const options = { maxBytes: value } as unknown as MemoryStoreOptions
    expect(() => memoryStore(options)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining('maxBytes') }),
    )
  })

  test('refuses a name that it does not know, and says which one was meant', () => {
    const options = { maxSession: 5 } as MemoryStoreOptions
    expect(() => memoryStore(options)).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: expect.stringContaining('no option "maxSession". Did you mean maxSessions?') as unknown,
      }),
    )
  })

  test('takes undefined for the default', () => {
    expect(() => memoryStore({ maxSessions: undefined })).not.toThrow()
  })
})

describe('in a process of its own', () => {
  /** Makes two stores with a session each, and nothing else; ends by itself or is stopped. */
  function runIn(environment: string) {
    const program = `
      import { memoryStore } from './src/stores/memory/index.ts'
      import { makeRecord } from './src/testing/store-contract.ts'
      for (const store of [memoryStore(), memoryStore()]) store.insert(makeRecord())
      console.log(process.getActiveResourcesInfo().filter((name) => /Timeout|Immediate/.test(name)).length)`
    const args = ['--import', 'tsx', '--input-type=module', '--eval', program]
    const env = { ...process.env, NODE_ENV: environment, NODE_OPTIONS: '' }
    return spawnSync(process.execPath, args, { env, encoding: 'utf8', timeout: 20_000 })
  }

  test('warns once in production, and names the stores to use', () => {
    const { stderr, status } = runIn('production')
    expect(stderr.match(/\[SID_MEMORY_STORE\] ExpressSidWarning/g)).toHaveLength(1)
    expect(stderr).toMatch(/restart logs everybody out.*express-sid\/sqlite.*express-sid\/redis/)
    expect(status).toBe(0)
  })

  test('says nothing elsewhere, has no timer, and lets the process end', () => {
    const { stdout, stderr, status } = runIn('development')
    expect({ stdout, stderr, status }).toEqual({ stdout: '0\n', stderr: '', status: 0 })
  })
})
