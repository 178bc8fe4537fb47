import { nearCache, type NearCache } from 'express-sid/near-cache'
import { makeRecord, storeContract } from 'express-sid/testing'
import { decodeRecord, encodeRecord, type SessionRecord } from '../../../src/record.js'
import type { EndsListener, OnRemoved, SessionStore } from '../../../src/store.js'
import { memoryStore } from '../../../src/stores/memory/index.js'

/** A store as on a network: every answer is a promise. `gate` holds answers back, after the store has acted. */
class SlowStore implements SessionStore {
  readonly texts = new Map<string, string>()
  /** What the store was asked, in order: `get a`, `getMany a,b`. */
  asked: string[] = []
  gate: Promise<unknown> = Promise.resolve()

  insert(record: SessionRecord): Promise<void> {
    if (this.texts.has(record.id)) return Promise.reject(new Error('taken'))
    this.texts.set(record.id, encodeRecord(record))
    return this.#later(`insert ${record.id}`, undefined)
  }

  get(id: string): Promise<SessionRecord | undefined> {
    return this.#later(`get ${id}`, this.#read(id))
  }

  getMany(ids: readonly string[]): Promise<(SessionRecord | undefined)[]> {
    const found = ids.map((id) => this.#read(id))
    return this.#later(`getMany ${ids.join()}`, found)
  }

  update(record: SessionRecord, ifVersion: number): Promise<'ok' | 'absent' | 'conflict'> {
    const asked = `update ${record.id}`
    const held = this.#read(record.id)
    if (held === undefined) return this.#later(asked, 'absent')
    if (held.version !== ifVersion) return this.#later(asked, 'conflict')
    this.texts.set(record.id, encodeRecord(record))
    return this.#later(asked, 'ok')
  }

  delete(id: string): Promise<boolean> {
    return this.#later(`delete ${id}`, this.texts.delete(id))
  }

  listByUser(userId: string): Promise<SessionRecord[]> {
    const all = [...this.texts].map(([id, text]) => decodeRecord(id, text))
    return this.#later(
      `listByUser ${userId}`,
      all.filter((record) => record.userId === userId),
    )
  }

  deleteExpired(now: number, limit: number, onRemoved?: OnRemoved): Promise<number> {
    const all = [...this.texts].map(([id, text]) => decodeRecord(id, text))
    const due = all.filter(({ expiresAt }) => expiresAt <= now).slice(0, limit)
    for (const { id } of due) this.texts.delete(id)
    onRemoved?.(due)
    return this.#later('deleteExpired', due.length)
  }

  #read(id: string): SessionRecord | undefined {
    const text = this.texts.get(id)
    return text === undefined ? undefined : decodeRecord(id, text)
  }

  async #later<T>(asked: string, answer: T): Promise<T> {
    this.asked.push(asked)
    await this.gate
    return answer
  }
}

/** Holds back every answer to what is asked from now on, until it is called. */
function hold(store: SlowStore): (failure?: Error) => void {
  let open!: (failure?: Error) => void
  store.gate = new Promise((resolve, reject) => {
    open = (failure) => (failure === undefined ? resolve(undefined) : reject(failure))
  })
  store.gate.catch(() => undefined)
  return open
}

function release(store: SlowStore): void {
  store.gate = Promise.resolve()
}

describe('the store contract', () => {
  for (const { name, run } of storeContract(() => nearCache(new SlowStore()))) test(name, run)
})

describe('a near cache', () => {
  let store: SlowStore
  let near: NearCache
  const record = makeRecord({ id: 'a', data: { list: [1] } })

  /** What another node does: straight to the store, past the cache. */
  const logOutElsewhere = (id = 'a') => store.texts.delete(id)

  beforeEach(async () => {
    // The clocks alone: nothing here waits for a timer.
    const timers = ['nextTick', 'setImmediate', 'setTimeout', 'setInterval', 'queueMicrotask'] as const
    jest.useFakeTimers({ doNotFake: [...timers], now: 1_800_000_000_000 })
    store = new SlowStore()
    near = nearCache(store)
    await store.insert(record)
    store.asked = []
  })

  afterEach(() => jest.useRealTimers())

  test('answers the same question from the process, at once', async () => {
    await near.get('a')
    expect(near.get('a')).toEqual(record)
    expect(store.asked).toEqual(['get a'])
  })

  test('takes another node’s logout for live for less than a second, and no longer', async () => {
    await near.get('a')
    logOutElsewhere()
    jest.advanceTimersByTime(999)
    expect(await near.get('a')).toEqual(record)
    jest.advanceTimersByTime(1)
    expect(await near.get('a')).toBeUndefined()
  })

  test('knows what passes through it, not what another one of the same process ends', async () => {
    const other = nearCache(store)
    await near.get('a')
    await other.get('a')
    await other.delete('a')
    expect(await other.get('a')).toBeUndefined()
    expect(await near.get('a')).toEqual(record)
    jest.advanceTimersByTime(1_000)
    expect(await near.get('a')).toBeUndefined()
  })

  test('counts the age from the moment the question was sent, not from its answer', async () => {
    const answer = hold(store)
    const asking = near.get('a')
    logOutElsewhere()
    jest.advanceTimersByTime(600)
    answer()
    expect(await asking).toEqual(record)
    release(store)
    jest.advanceTimersByTime(399)
    expect(await near.get('a')).toEqual(record)
    jest.advanceTimersByTime(1)
    expect(await near.get('a')).toBeUndefined()
  })

  test('does not hold an answer that took longer than the bound', async () => {
    const answer = hold(store)
    const asking = near.get('a')
    jest.advanceTimersByTime(1_000)
    answer()
    await asking
    release(store)
    await near.get('a')
    expect(store.asked).toEqual(['get a', 'get a'])
  })

  test('using a record does not make it younger', async () => {
    await near.get('a')
    for (let second = 0; second < 4; second++) {
      jest.advanceTimersByTime(250)
      await near.get('a')
    }
    expect(store.asked).toEqual(['get a', 'get a'])
  })

  test('a wall clock that is set back or ahead holds nothing longer', async () => {
    for (const jump of [-3_600_000, -1, 1_000]) {
      await near.get('a')
      store.asked = []
      jest.setSystemTime(Date.now() + jump)
      await near.get('a')
      expect(store.asked).toEqual(['get a'])
    }
  })

  test('a steady clock counts where the wall clock was set back by just as much', async () => {
    await near.get('a')
    const wall = Date.now()
    jest.advanceTimersByTime(5_000)
    jest.setSystemTime(wall)
    logOutElsewhere()
    expect(await near.get('a')).toBeUndefined()
  })

  test('absence is not held: a login elsewhere is seen by the next request', async () => {
    const late = makeRecord({ id: 'b' })
    expect(await near.get('b')).toBeUndefined()
    await store.insert(late)
    expect(await near.get('b')).toEqual(late)
  })

  test('what is no record is not held', async () => {
    store.texts.set('a', 'not JSON')
    await near.get('a')
    store.texts.set('a', encodeRecord(record))
    expect(await near.get('a')).toEqual(record)
  })

  test('a held record can’t be changed by those who get it', async () => {
    const answer = await near.get('a')
    expect(() => Object.assign(answer!, { userId: 'other' })).toThrow(TypeError)
    expect(() => (answer!.data.list as number[]).push(2)).toThrow(TypeError)
    expect(near.get('a')).toEqual(record)
  })

  test('asks for the missing of many only, and puts each in its place', async () => {
    const [b, c] = [makeRecord({ id: 'b' }), makeRecord({ id: 'c' })]
    await store.insert(b)
    await store.insert(c)
    await near.get('b')
    store.asked = []
    expect(await near.getMany?.(['c', 'b', 'x', 'a', 'c'])).toEqual([c, b, undefined, record, c])
    expect(near.getMany?.(['a', 'c', 'b', 'a'])).toEqual([record, c, b, record])
    expect(store.asked).toEqual(['getMany c,x,a,c'])
  })

  test('an answer of another length than the question is a failure, not absence', async () => {
    store.getMany = () => Promise.resolve([])
    await expect(near.getMany?.(['a'])).rejects.toMatchObject({ code: 'STORE_FAILED' })
  })

  test('can list, and update atomically, where the store can, and only there', () => {
    expect(near).toHaveProperty('listByUser')
    expect(near.atomicUpdates).toBeUndefined()
    const weak = nearCache(Object.assign(new SlowStore(), { listByUser: undefined, atomicUpdates: false }))
    expect(weak).not.toHaveProperty('listByUser')
    expect(weak.atomicUpdates).toBe(false)
  })

  test('hands pages through, where the store has them', async () => {
    const behind = memoryStore()
    const mine = makeRecord()
    await behind.insert(mine)
    const page = await nearCache(behind).pageByUser!(mine.userId!, 1)
    expect(page).toEqual({ records: [behind.get(mine.id)], next: undefined })
    expect(near).not.toHaveProperty('pageByUser')
  })

  test('offers getMany and deleteExpired where the store does, and only there', () => {
    expect(near).toHaveProperty('getMany')
    expect(near).toHaveProperty('deleteExpired')
    const plain: SessionStore = Object.assign(new SlowStore(), {
      getMany: undefined,
      deleteExpired: undefined,
    })
    expect(nearCache(plain)).not.toHaveProperty('getMany')
    expect(nearCache(plain)).not.toHaveProperty('deleteExpired')
  })

  test('a store that answers at once is answered from at once', () => {
    const inProcess: SessionStore = Object.assign(new SlowStore(), { get: () => structuredClone(record) })
    expect(nearCache(inProcess).get('a')).toEqual(record)
  })

  test('a question does not wait for the answer to an earlier one', async () => {
    const answer = hold(store)
    const slow = near.get('a')
    release(store)
    expect(await near.get('a')).toEqual(record)
    answer()
    await slow
  })

  test('an answer is held though others have asked since: a hot session is not left out', async () => {
    const answerFirst = hold(store)
    const first = near.get('a')
    const answerSecond = hold(store)
    const second = near.get('a')
    answerFirst()
    await first
    expect(near.get('a')).toEqual(record)
    answerSecond()
    await second
  })

  test('a question that is never answered keeps no later answer from being held', async () => {
    hold(store)
    void near.get('a')
    release(store)
    jest.advanceTimersByTime(1_000)
    await near.get('a')
    expect(near.get('a')).toEqual(record)
  })

  describe('drops at once what this process writes', () => {
    test.each([
      ['delete', () => near.delete('a'), undefined],
      [
        'update',
        () => near.update({ ...record, version: 2, ip: '::1' }, 1),
        expect.objectContaining({ version: 2 }),
      ],
      ['a conflict', () => near.update({ ...record, version: 9 }, 8), record],
      ['an update of what is gone', () => (logOutElsewhere(), near.update(record, 1)), undefined],
    ])('%s', async (_, write, then) => {
      await near.get('a')
      await write()
      expect(await near.get('a')).toEqual(then)
      expect(store.asked.filter((asked) => asked === 'get a')).toHaveLength(2)
    })

    test('and leaves the other records', async () => {
      await near.get('a')
      await near.insert(makeRecord({ id: 'b' }))
      await near.delete('b')
      expect(near.get('a')).toEqual(record)
    })

    test('before the write is answered', async () => {
      await near.get('a')
      const answer = hold(store)
      const ending = near.delete('a')
      release(store)
      expect(await near.get('a')).toBeUndefined()
      answer()
      await ending
    })
  })

  describe('does not hold what was read around a write', () => {
    /** A deletion that has not reached the store yet: reads still find the record. */
    function sendDelete(): { ending: Promise<boolean>; arrive: () => void } {
      let arrive!: () => void
      const arrived = new Promise<void>((resolve) => (arrive = resolve))
      store.delete = async (id) => {
        await arrived
        return store.texts.delete(id)
      }
      return { ending: Promise.resolve(near.delete('a')), arrive }
    }

    test.each(['get', 'getMany'])('%s sent before it and answered while it is under way', async (by) => {
      const answer = hold(store)
      const reading = by === 'get' ? near.get('a') : near.getMany!(['a'])
      release(store)
      const { ending, arrive } = sendDelete()
      answer()
      await reading
      arrive()
      expect(await ending).toBe(true)
      expect(await near.get('a')).toBeUndefined()
    })

    test.each(['get', 'getMany'])('%s sent before it and answered after it', async (by) => {
      const answer = hold(store)
      const reading = by === 'get' ? near.get('a') : near.getMany!(['a'])
      release(store)
      await near.delete('a')
      answer()
      await reading
      expect(await near.get('a')).toBeUndefined()
    })

    test.each(['get', 'getMany'])('%s sent and answered while it is under way', async (by) => {
      const { ending, arrive } = sendDelete()
      await (by === 'get' ? near.get('a') : near.getMany!(['a']))
      arrive()
      await ending
      expect(await near.get('a')).toBeUndefined()
    })

    test.each(['get', 'getMany'])('%s sent while it is under way and answered after it', async (by) => {
      const { ending, arrive } = sendDelete()
      const answer = hold(store)
      const reading = by === 'get' ? near.get('a') : near.getMany!(['a'])
      release(store)
      arrive()
      await ending
      answer()
      await reading
      expect(await near.get('a')).toBeUndefined()
    })
  })

  describe('forgets everything when the connection is in doubt:', () => {
    const down = new Error('connection lost')
    const calls: [string, (cache: NearCache) => unknown][] = [
      ['get', (cache) => cache.get('b')],
      ['getMany', (cache) => cache.getMany?.(['b'])],
      ['insert', (cache) => cache.insert(makeRecord())],
      ['update', (cache) => cache.update(makeRecord({ id: 'b' }), 1)],
      ['delete', (cache) => cache.delete('b')],
      ['listByUser', (cache) => cache.listByUser!('u')],
      ['deleteExpired', (cache) => cache.deleteExpired?.(0, 1)],
    ]

    test.each(calls)('%s rejects', async (_, call) => {
      await near.get('a')
      hold(store)(down)
      await expect(call(near)).rejects.toBe(down)
      release(store)
      logOutElsewhere()
      expect(await near.get('a')).toBeUndefined()
    })

    test.each(calls)('%s throws', async (name, call) => {
      const throwing = Object.assign(store, {})
      await near.get('a')
      Reflect.set(throwing, name, () => {
        throw down
      })
      expect(() => call(near)).toThrow(down)
      Reflect.deleteProperty(throwing, name)
      logOutElsewhere()
      expect(await near.get('a')).toBeUndefined()
    })

    test('an answer that was on its way meanwhile is not held', async () => {
      const answer = hold(store)
      const reading = near.get('a')
      hold(store)(down)
      await expect(near.get('b')).rejects.toBe(down)
      release(store)
      answer()
      await reading
      logOutElsewhere()
      expect(await near.get('a')).toBeUndefined()
    })
  })

  describe('what deleteExpired removed is gone', () => {
    test('where it was held', async () => {
      const live = makeRecord({ id: 'b', expiresAt: record.expiresAt + 1 })
      await store.insert(live)
      await near.get('a')
      await near.get('b')
      await near.deleteExpired?.(record.expiresAt, 10)
      expect(await near.get('a')).toBeUndefined()
      expect(near.get('b')).toEqual(live)
    })

    test('and told, where the store tells it', async () => {
      const told: SessionRecord[] = []
      await near.deleteExpired?.(record.expiresAt, 10, (records) => told.push(...records))
      expect(told).toEqual([record])
    })

    test('where it was being read', async () => {
      const answer = hold(store)
      const reading = near.get('a')
      release(store)
      await near.deleteExpired?.(record.expiresAt, 10)
      answer()
      await reading
      expect(await near.get('a')).toBeUndefined()
    })
  })

  test('what another process ends is gone once it is heard, and heard by others', async () => {
    let listener: EndsListener | undefined
    const hearEnds = (given: EndsListener) => {
      listener = given
      return { beat: () => undefined, close: () => undefined }
    }
    const hearing = nearCache(Object.assign(store, { hearEnds }))
    const heard = { ended: jest.fn(), alive: jest.fn(), lost: jest.fn() }
    hearing.hearEnds!(heard)
    await hearing.get('a')
    store.texts.delete('a')
    expect(await hearing.get('a')).toBeDefined()
    listener!.ended('a')
    expect(await hearing.get('a')).toBeUndefined()
    listener!.alive()
    listener!.lost()
    expect([heard.ended.mock.calls, heard.alive.mock.calls, heard.lost.mock.calls]).toEqual([
      [['a']],
      [[]],
      [[]],
    ])
    expect(near).not.toHaveProperty('hearEnds')
  })

  test('clear() forgets everything, and what is on its way', async () => {
    await near.get('a')
    const b = makeRecord({ id: 'b' })
    await store.insert(b)
    const answer = hold(store)
    const reading = near.get('b')
    near.clear()
    release(store)
    answer()
    await reading
    logOutElsewhere('a')
    logOutElsewhere('b')
    expect(await near.get('a')).toBeUndefined()
    expect(await near.get('b')).toBeUndefined()
  })

  test('holds at most maxEntries records, and lets the oldest go', async () => {
    const small = nearCache(store, { maxEntries: 2 })
    for (const id of ['b', 'c']) await store.insert(makeRecord({ id }))
    for (const id of ['a', 'b', 'c']) await small.get(id)
    store.asked = []
    for (const id of ['b', 'c', 'a']) await small.get(id)
    expect(store.asked).toEqual(['get a'])
  })

  test('what is absent takes no room', async () => {
    const small = nearCache(store, { maxEntries: 2 })
    await small.get('a')
    for (const id of ['x', 'y', 'z']) await small.get(id)
    expect(small.get('a')).toEqual(record)
  })

  test('a bound of nothing holds nothing', async () => {
    const none = nearCache(store, { maxStaleness: 0 })
    await none.get('a')
    await none.get('a')
    expect(store.asked).toEqual(['get a', 'get a'])
  })

  test('takes another bound as milliseconds or as text', async () => {
    for (const maxStaleness of [50, '50ms']) {
      const brief = nearCache(store, { maxStaleness })
      store.asked = []
      await brief.get('a')
      jest.advanceTimersByTime(49)
      await brief.get('a')
      expect(store.asked).toEqual(['get a'])
      jest.advanceTimersByTime(1)
      await brief.get('a')
      expect(store.asked).toEqual(['get a', 'get a'])
    }
  })

  test.each([
    [{ maxStaleness: 'soon' }, /maxStaleness/],
    [{ maxStaleness: -1 }, /maxStaleness/],
    [{ maxEntries: 0 }, /maxEntries/],
    [{ maxEntries: 1.5 }, /maxEntries/],
    [{ maxEntries: '10' as never }, /maxEntries/],
    [{ maxStalness: '100ms' } as never, /maxStalness.*Did you mean maxStaleness\?/],
    [{ maxStaleness: null } as never, /maxStaleness/],
    [{ maxEntries: null } as never, /maxEntries/],
    ['100ms' as never, /must be an object/],
    [null as never, /must be an object/],
  ])('refuses the options %j', (options, message) => {
    expect(() => nearCache(store, options)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringMatching(message) as unknown }),
    )
  })
})
