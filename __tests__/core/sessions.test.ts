import type { Started } from '../../src/core/beginning.js'
import type { Sessions } from '../../src/core/sessions.js'
import type { Settings } from '../../src/core/settings.js'
import type { SessionRecord } from '../../src/record.js'
import type { SessionStore } from '../../src/store.js'
import { memoryStore } from '../../src/stores/memory/index.js'
import { makeRecord } from '../../src/testing/records.js'
import {
  ann,
  bob,
  chrome,
  DAY,
  eventsOf,
  firefox,
  HOUR,
  makeCore,
  MINUTE,
  moveTheClock,
  rejectionOf,
  settingsWith,
  stopTheClock,
  tokenOf,
} from '../support/core.js'
import { unissuedId } from '../support/people.js'
import { asyncStore, batching, failing, hanging, recording, replacing, turns } from '../support/stores.js'

beforeEach(() => stopTheClock())
afterEach(async () => {
  await turns(3)
  jest.useRealTimers()
  jest.restoreAllMocks()
})

function manager(
  over: (store: SessionStore) => SessionStore = (store) => store,
  settings: Partial<Settings> = {},
) {
  const memory = memoryStore()
  const { store, calls } = recording(over(memory))
  const core = makeCore(settingsWith({ ...settings, store }))
  const { sessions } = core
  return {
    ...core,
    memory,
    calls,
    seen: eventsOf(sessions),
    operations: () => calls.map((one) => one.operation),
  }
}

const idsOf = (records: readonly { id: string }[]) => records.map(({ id }) => id).toSorted()
const listedFor = async (memory: SessionStore, userId = 'ann') => idsOf(await memory.listByUser!(userId))

/** Fails when any part of any credential is somewhere in what the value says of itself. */
function expectNoSecret(value: unknown, started: Started): void {
  const text = JSON.stringify(value)
  const { secret } = tokenOf(started)
  const { secretHash, seriesHash } = started.record
  for (const part of [secret, secret.slice(0, 22), secret.slice(22), secretHash, seriesHash]) {
    expect(text).not.toContain(part)
  }
}

describe('a login', () => {
  it('is in the store before it is acknowledged, and its token opens it', async () => {
    const { engine, use, memory } = manager(asyncStore)
    const started = await engine.login(ann, chrome, [])
    expect(memory.get(started.record.id)).toEqual(started.record)
    expect(await use(started)).toEqual(started.record)
  })

  it('stores the user, the client and the times, and of the secret its hashes alone', async () => {
    const { engine, calls } = manager()
    const started = await engine.login(ann, chrome, [])
    const now = Date.now()
    expect(started.record).toEqual({
      id: tokenOf(started).id,
      version: 1,
      secretHash: expect.stringMatching(/^[\w-]{43}$/) as unknown,
      seriesHash: expect.stringMatching(/^[\w-]{43}$/) as unknown,
      userId: 'ann',
      user: ann,
      data: {},
      ...chrome,
      createdAt: now,
      authenticatedAt: now,
      lastSeenAt: now,
      expiresAt: now + 7 * DAY,
      absoluteExpiresAt: now + 30 * DAY,
    })
    const { secret } = tokenOf(started)
    for (const part of [secret, secret.slice(0, 22), secret.slice(22)]) {
      expect(JSON.stringify(calls)).not.toContain(part)
    }
  })

  it('ends what the browser held, after the new session is stored, and says both', async () => {
    const { engine, memory, seen, operations } = manager()
    const old = await engine.login(bob, chrome, [])
    const next = await engine.login(ann, chrome, [old.record])
    expect(memory.get(old.record.id)).toBeUndefined()
    expect(next.record.id).not.toBe(old.record.id)
    expect(operations()).toEqual(['insert', 'insert', 'delete'])
    expect(seen.slice(1)).toMatchObject([
      { name: 'logout', event: { sessionId: old.record.id, userId: 'bob', replaced: true } },
      { name: 'login', event: { sessionId: next.record.id, userId: 'ann', client: chrome } },
    ])
  })

  it('makes a new session for the same user too, whose old token is dead', async () => {
    const { engine, use } = manager()
    const old = await engine.login(ann, chrome, [])
    const next = await engine.login(ann, chrome, [old.record])
    expect(await use(old)).toBeUndefined()
    expect(await use(next)).toBeDefined()
  })

  it.each([
    [
      'throws',
      (store: SessionStore, held: string) =>
        replacing(store, {
          delete: (id) => {
            if (id === held) throw new Error('down')
            return store.delete(id)
          },
        }),
      'STORE_FAILED',
    ],
    [
      'rejects',
      (store: SessionStore, held: string) =>
        replacing(store, {
          delete: (id) => (id === held ? Promise.reject(new Error('down')) : store.delete(id)),
        }),
      'STORE_FAILED',
    ],
    [
      'hangs',
      (store: SessionStore, held: string) =>
        replacing(store, { delete: (id) => (id === held ? new Promise(() => undefined) : store.delete(id)) }),
      'STORE_TIMEOUT',
    ],
  ])(
    'has failed with 503 where ending the old session %s: the new one is taken back',
    async (_, over, code) => {
      const memory = memoryStore()
      const old = await makeCore(settingsWith({ store: memory })).engine.login(ann, chrome, [])
      const { engine, sessions } = makeCore(
        settingsWith({ store: over(memory, old.record.id), storeTimeout: 5 }),
      )
      const seen = eventsOf(sessions)
      expect(await rejectionOf(engine.login(ann, chrome, [old.record]))).toMatchObject({
        code,
        status: 503,
      })
      await turns()
      expect(await listedFor(memory)).toEqual([old.record.id])
      expect(seen.map(({ name }) => name)).toEqual(['storeError'])
    },
  )

  it('that can be neither finished nor taken back has failed all the same, and goes unheard nowhere', async () => {
    const { engine } = manager((store) => failing(store, 'delete', () => Promise.reject(new Error('down'))))
    const old = await engine.login(ann, chrome, [])
    expect(await rejectionOf(engine.login(ann, chrome, [old.record]))).toMatchObject({
      code: 'STORE_FAILED',
    })
    await turns()
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('down')
      },
      'STORE_FAILED',
    ],
    ['rejects', () => Promise.reject(new Error('down')), 'STORE_FAILED'],
  ])('has failed where the insert %s, and the held session lives on', async (_, fail, code) => {
    const { engine, memory, seen } = manager((store) => failing(store, 'insert', fail))
    const held = makeRecord({ userId: 'ann' })
    void memory.insert(held)
    expect(await rejectionOf(engine.login(ann, chrome, [held]))).toMatchObject({ code, status: 503 })
    expect(await listedFor(memory)).toEqual([held.id])
    expect(seen.map(({ name }) => name)).toEqual(['storeError'])
  })

  it('that times out is taken back, since the store may have kept it without saying so', async () => {
    const { engine, memory } = manager(
      (store) =>
        replacing(store, { insert: (record) => (void store.insert(record), new Promise(() => undefined)) }),
      { storeTimeout: 5 },
    )
    expect(await rejectionOf(engine.login(ann, chrome, []))).toMatchObject({ code: 'STORE_TIMEOUT' })
    await turns()
    expect(await listedFor(memory)).toEqual([])
  })

  it('of what is no user fails before the store is called', async () => {
    const { engine, calls } = manager()
    expect(await rejectionOf(engine.login({ name: 'nobody' }, chrome, []))).toMatchObject({
      code: 'USER_INVALID',
    })
    expect(calls).toEqual([])
  })

  it('keeps what it knows of the user apart from what the application changes later', async () => {
    const { engine, memory } = manager()
    const user = { id: 'ann', roles: ['admin'] }
    const { record } = await engine.login(user, chrome, [])
    user.roles.push('root')
    expect((memory.get(record.id) as SessionRecord).user).toEqual({ id: 'ann', roles: ['admin'] })
  })
})

describe('what a login keeps', () => {
  const cart = { cart: ['book'], coupon: 'x' }

  it('has every guest write that was acknowledged, also one that falls between reading and ending the guest', async () => {
    const late: string[] = []
    let guest: Started | undefined
    const { engine, changeData, memory } = manager((store) => ({
      ...asyncStore(batching(store)),
      // The guest writes while the login is being stored, and after that.
      insert: async (record) => {
        await turns(2)
        if (record.userId !== undefined) {
          await changeData(guest!.record, (data) => ({ ...data, cart: ['book', 'pen'] }), chrome)
        }
        return store.insert(record)
      },
    }))
    guest = await engine.startGuest(cart, chrome)
    const { record } = await engine.login(ann, chrome, [guest.record], { keep: ['cart'] })
    expect(record.data).toEqual({ cart: ['book', 'pen'] })
    expect(((await memory.get(record.id)) as SessionRecord).data).toEqual({ cart: ['book', 'pen'] })
    expect(await changeData(guest.record, () => ({ cart: late }), chrome)).toBeUndefined()
    expect(await memory.get(guest.record.id)).toBeUndefined()
  })

  it('is lost by no write that was acknowledged, in 60 rounds with a slow store', async () => {
    for (let round = 0; round < 60; round += 1) {
      const { engine, changeData } = manager((store) => asyncStore(batching(store)))
      const guest = await engine.startGuest({ count: 0 }, chrome)
      let acknowledged = 0
      const writing = (async () => {
        for (;;) {
          const written = await changeData(
            guest.record,
            ({ count }) => ({ count: Number(count) + 1 }),
            chrome,
          )
          if (written === undefined) return
          acknowledged = Number(written.data.count)
        }
      })()
      await turns(round % 12)
      const { record } = await engine.login(ann, chrome, [guest.record], { keep: ['count'] })
      await writing
      expect(record.data.count).toBe(acknowledged)
    }
  })

  it("is a guest's data, by name", async () => {
    const { sessions, engine } = manager()
    const guest = await engine.startGuest(cart, chrome)
    const { record } = await engine.login(ann, chrome, [guest.record], { keep: ['cart', 'absent'] })
    expect(record.data).toEqual({ cart: ['book'] })
    expect(await sessions.find(guest.record.id)).toBeUndefined()
  })

  it('is nothing unless it is named', async () => {
    const { engine, operations } = manager()
    const guest = await engine.startGuest(cart, chrome)
    expect((await engine.login(ann, chrome, [guest.record])).record.data).toEqual({})
    expect(operations()).not.toContain('get')
  })

  it('is never from another login', async () => {
    const { engine, changeData } = manager()
    const { record } = await engine.login(bob, chrome, [])
    await changeData(record, () => cart, chrome)
    expect((await engine.login(ann, chrome, [record], { keep: ['cart'] })).record.data).toEqual({})
    const again = await engine.login(ann, chrome, [])
    await changeData(again.record, () => cart, chrome)
    expect((await engine.login(ann, chrome, [again.record], { keep: ['cart'] })).record.data).toEqual({})
  })

  it('is nothing when the browser held two sessions: which of them is meant can not be known', async () => {
    const { engine, memory } = manager()
    const guest = await engine.startGuest(cart, chrome)
    const planted = await engine.startGuest({ cart: ['planted'] }, chrome)
    const { record } = await engine.login(ann, chrome, [guest.record, planted.record], { keep: ['cart'] })
    expect(record.data).toEqual({})
    expect([memory.get(guest.record.id), memory.get(planted.record.id)]).toEqual([undefined, undefined])
  })

  it('is read anew, since the guest may have written meanwhile', async () => {
    const { engine, changeData } = manager()
    const guest = await engine.startGuest({ cart: [] }, chrome)
    await changeData(guest.record, () => cart, chrome)
    expect((await engine.login(ann, chrome, [guest.record], { keep: ['cart'] })).record.data).toEqual({
      cart: ['book'],
    })
  })

  it('is nothing of a guest that has ended', async () => {
    const { sessions, engine } = manager()
    const guest = await engine.startGuest(cart, chrome)
    await sessions.revoke(guest.record.id)
    expect((await engine.login(ann, chrome, [guest.record], { keep: ['cart'] })).record.data).toEqual({})
  })

  it('is what is there by that very name: nothing of what all objects have', async () => {
    const { engine } = manager()
    const guest = await engine.startGuest(JSON.parse('{"__proto__":{"a":1}}') as {}, chrome)
    const keep = ['__proto__', 'constructor', 'toString']
    const { record } = await engine.login(ann, chrome, [guest.record], { keep })
    expect(Object.keys(record.data)).toEqual(['__proto__'])
    expect(JSON.stringify(record.data)).toBe('{"__proto__":{"a":1}}')
    expect(Object.getPrototypeOf(record.data)).toBe(Object.prototype)
  })
})

describe('a guest', () => {
  it('has a session without a user, of which nobody is told', async () => {
    const { engine, seen } = manager()
    const { record } = await engine.startGuest({ cart: [] }, chrome)
    expect(record).toMatchObject({ userId: undefined, user: undefined, data: { cart: [] } })
    expect(record.expiresAt).toBe(Date.now() + HOUR)
    expect(engine.userOf(record)).toBeUndefined()
    await engine.end([record])
    expect(seen).toEqual([])
  })
})

describe('a logout', () => {
  it('ends the session for good, and says so once', async () => {
    const { engine, use, seen } = manager(asyncStore)
    const started = await engine.login(ann, chrome, [])
    expect(await engine.end([started.record])).toBe(true)
    expect(await engine.end([started.record])).toBe(false)
    expect(await use(started)).toBeUndefined()
    const event = { sessionId: started.record.id, userId: 'ann', replaced: false }
    expect(seen.slice(1)).toMatchObject([{ name: 'logout', event }])
  })

  it('ends every session that the browser held; of none it is false', async () => {
    const { engine, memory } = manager()
    const held = await Promise.all([ann, bob].map((user) => engine.login(user, chrome, [])))
    expect(await engine.end(held.map(({ record }) => record))).toBe(true)
    expect(held.map(({ record }) => memory.get(record.id))).toEqual([undefined, undefined])
    expect(await engine.end([])).toBe(false)
  })

  it('is not undone by a slow request: its touch and its write find nothing to write to', async () => {
    const ended: string[] = []
    const { engine, use, changeData, memory } = manager((store) => ({
      ...asyncStore(batching(store)),
      // What was looked up before the logout is written after it.
      update: async (record, ifVersion) => {
        await engine.end([record])
        ended.push(record.id)
        return store.update(record, ifVersion)
      },
    }))
    const [first, second] = [await engine.login(ann, chrome, []), await engine.login(ann, chrome, [])]
    moveTheClock(HOUR)
    expect(await use(first)).toBeUndefined()
    expect(await changeData(second.record, () => ({ late: true }), chrome)).toBeUndefined()
    expect(ended).toEqual([first.record.id, second.record.id])
    for (const { record } of [first, second]) expect(memory.get(record.id)).toBeUndefined()
    expect(await listedFor(memory)).toEqual([])
  })

  it('rejects where the store fails, with nothing said', async () => {
    const { engine, seen } = manager((store) => failing(store, 'delete'))
    const { record } = await engine.login(ann, chrome, [])
    expect(await rejectionOf(engine.end([record]))).toMatchObject({ code: 'STORE_FAILED', status: 503 })
    expect(seen.map(({ name }) => name)).toEqual(['login', 'storeError'])
  })
})

describe('what is shown of sessions', () => {
  it('is everything but credentials and data, last used first, and outside of a request none is current', async () => {
    const { sessions, engine } = manager()
    const first = await engine.login(ann, chrome, [])
    moveTheClock(HOUR)
    const second = await engine.login(ann, firefox, [])
    await engine.login(bob, chrome, [])
    const list = await sessions.list('ann')
    const { secretHash: _hash, seriesHash: _series, data: _data, version: _version, ...shown } = second.record
    expect(list).toEqual([
      { ...shown, methods: [], label: 'Firefox on Linux', via: 'cookie', isBound: false, current: false },
      expect.objectContaining({ id: first.record.id, label: 'Chrome on Linux', current: false }),
    ])
    expect(await sessions.find(second.record.id)).toEqual(list[0])
  })

  it.each([
    ['list', (sessions: Sessions) => sessions.list('ann')],
    ['find', (sessions: Sessions, { record }: Started) => sessions.find(record.id)],
  ])('by %s holds no secret, no hash and no data, however deep one looks', async (_, show) => {
    const { sessions, engine, changeData } = manager()
    const started = await engine.login(ann, chrome, [])
    await changeData(started.record, () => ({ diary: 'dear diary' }), chrome)
    const shown = await show(sessions, started)
    expect(JSON.stringify(shown)).toContain('Chrome on Linux')
    expectNoSecret(shown, started)
    expect(JSON.stringify(shown)).not.toContain('dear diary')
  })

  it('can be changed without changing what is stored', async () => {
    const { sessions, engine } = manager()
    const { record } = await engine.login({ id: 'ann', roles: ['admin'] }, chrome, [])
    const info = (await sessions.find(record.id)) as unknown as { user: { roles: string[] } }
    info.user.roles.push('root')
    expect((await sessions.find(record.id))?.user).toEqual({ id: 'ann', roles: ['admin'] })
  })

  it('is only what lives: the expired ones are gone, and said', async () => {
    const { sessions, engine, seen, memory } = manager(asyncStore)
    const old = await engine.login(ann, chrome, [])
    moveTheClock(4 * DAY)
    const young = await engine.login(ann, chrome, [])
    moveTheClock(4 * DAY)
    expect(await sessions.find(old.record.id)).toBeUndefined()
    const another = makeRecord({ userId: 'ann', expiresAt: Date.now() })
    void memory.insert(another)
    expect((await sessions.list('ann')).map(({ id }) => id)).toEqual([young.record.id])
    expect(await listedFor(memory)).toEqual([young.record.id])
    expect(seen.slice(2).map(({ name, event }) => [name, event])).toMatchObject([
      ['expire', { sessionId: old.record.id, userId: 'ann' }],
      ['expire', { sessionId: another.id, userId: 'ann' }],
    ])
  })

  it('takes a number as the user id that it was logged in with', async () => {
    const { sessions, engine } = manager()
    await engine.login({ id: 7 }, chrome, [])
    expect(await sessions.list(7)).toHaveLength(1)
    expect(await sessions.list('7')).toHaveLength(1)
    expect(await sessions.list('ann')).toEqual([])
  })

  it("finds none of '', which is nobody's id: a form may send it", async () => {
    const { sessions, engine, calls } = manager()
    await engine.login(ann, chrome, [])
    calls.length = 0
    expect(await sessions.list('')).toEqual([])
    expect(await sessions.revokeAll('')).toBe(0)
    expect(calls).toEqual([])
  })

  it.each([[undefined], [null], [1.5], [{}], [{ id: 'ann' }]])(
    'refuses %p as a user id, before the store is called',
    async (id) => {
      const { sessions, calls } = manager()
      expect(await rejectionOf(sessions.list(id as string))).toMatchObject({ code: 'USER_INVALID' })
      expect(await rejectionOf(sessions.revokeAll(id as string))).toMatchObject({ code: 'USER_INVALID' })
      expect(calls).toEqual([])
    },
  )

  it('leaves out a damaged record', async () => {
    const { sessions, engine } = manager((store) =>
      replacing(store, {
        listByUser: (id) => [{ id: 'x' } as SessionRecord, ...(store.listByUser!(id) as SessionRecord[])],
      }),
    )
    const { record } = await engine.login(ann, chrome, [])
    expect((await sessions.list('ann')).map(({ id }) => id)).toEqual([record.id])
  })

  it.each([[undefined], [null], ['text'], [{}], [[null]], [[undefined]], [['id']], [[{}]]])(
    'rejects with a code where the store lists %p',
    async (answer) => {
      const { sessions } = manager((store) => replacing(store, { listByUser: () => answer as never }))
      const failed = { code: 'RECORD_DAMAGED', status: 503 }
      expect(await rejectionOf(sessions.list('ann'))).toMatchObject(failed)
      expect(await rejectionOf(sessions.revokeAll('ann'))).toMatchObject(failed)
    },
  )

  it('rejects once, with nothing left unheard, when every call for the expired ones fails', async () => {
    let count = 0
    const { sessions, memory } = manager((store) =>
      failing(store, 'delete', () => {
        count += 1
        if (count > 1) throw new Error('down at once')
        return Promise.reject(new Error('down later'))
      }),
    )
    for (let i = 0; i < 3; i += 1) void memory.insert(makeRecord({ userId: 'ann', expiresAt: Date.now() }))
    expect(await rejectionOf(sessions.list('ann'))).toMatchObject({ code: 'STORE_FAILED' })
    await turns()
  })
})

describe('a revocation', () => {
  it('ends one session, at once, and says so', async () => {
    const { sessions, engine, use, seen } = manager(asyncStore)
    const started = await engine.login(ann, chrome, [])
    expect(await sessions.revoke(started.record.id)).toBe(true)
    expect(await use(started)).toBeUndefined()
    expect(await sessions.revoke(started.record.id)).toBe(false)
    expect(seen.slice(1)).toMatchObject([
      { name: 'revoke', event: { sessionId: started.record.id, userId: 'ann' } },
    ])
  })

  it.each([
    ['rubbish', { id: 'x' }],
    ['a text', 'text'],
  ])('ends a session whose record is damaged (%s): it must not protect itself', async (_, answer) => {
    const { sessions, engine, memory } = manager((store) => replacing(store, { get: () => answer as never }))
    const { record } = await engine.login(ann, chrome, [])
    expect(await sessions.revoke(record.id)).toBe(true)
    expect(memory.get(record.id)).toBeUndefined()
  })

  it('of all ends every session of that user and of nobody else, and counts them', async () => {
    const { sessions, engine, memory, seen } = manager(asyncStore)
    const anns = await Promise.all([1, 2, 3].map(() => engine.login(ann, chrome, [])))
    const other = await engine.login(bob, chrome, [])
    expect(await sessions.revokeAll('ann')).toBe(3)
    expect(await listedFor(memory)).toEqual([])
    expect(await listedFor(memory, 'bob')).toEqual([other.record.id])
    const said = seen
      .filter(({ name }) => name === 'revoke')
      .map(({ event }) => event as { sessionId: string })
    expect(said.map(({ sessionId }) => sessionId).toSorted()).toEqual(idsOf(anns.map(({ record }) => record)))
    expect(await sessions.revokeAll('ann')).toBe(0)
  })

  it('of all but one leaves that one', async () => {
    const { sessions, engine, memory } = manager()
    const [first] = await Promise.all([1, 2, 3].map(() => engine.login(ann, chrome, [])))
    expect(await sessions.revokeAll('ann', { except: first!.record.id })).toBe(2)
    expect(await listedFor(memory)).toEqual([first!.record.id])
  })

  it.each([
    [{ expect: 'a' }, 'Did you mean except?'],
    [{ except: { id: 'a' } }, '{ except: session.id }'],
    [{ except: null }, '{ except: session.id }'],
    [{ except: 'a' }, '{ except: session.id }'],
    [{ except: [unissuedId] }, '{ except: session.id }'],
    [null, '{ except: session.id }'],
    [7, '{ except: session.id }'],
    ['019a0000-0000-7000-8000-000000000000', 'except'],
  ])('of all but %j ends none, and says the fix', async (options, fix) => {
    const { sessions, engine, memory } = manager()
    const { record } = await engine.login(ann, chrome, [])
    expect(await rejectionOf(sessions.revokeAll('ann', options as never))).toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining(fix),
    })
    expect(await listedFor(memory)).toEqual([record.id])
  })

  it('of all but undefined ends all', async () => {
    const { sessions, engine } = manager()
    await engine.login(ann, chrome, [])
    expect(await sessions.revokeAll('ann', { except: undefined })).toBe(1)
  })

  it('of all counts those that lived, and clears away the expired', async () => {
    const { sessions, engine, memory, seen } = manager()
    const expired = makeRecord({ userId: 'ann', expiresAt: Date.now() })
    void memory.insert(expired)
    await engine.login(ann, chrome, [])
    expect(await sessions.revokeAll('ann')).toBe(1)
    expect(await listedFor(memory)).toEqual([])
    expect(seen.map(({ name }) => name).toSorted()).toEqual(['expire', 'login', 'revoke'])
  })

  it('of all neither counts nor says those that somebody else ended meanwhile', async () => {
    const { sessions, engine, seen } = manager((store) => replacing(store, { delete: () => false }))
    await engine.login(ann, chrome, [])
    expect(await sessions.revokeAll('ann')).toBe(0)
    expect(seen.map(({ name }) => name)).toEqual(['login'])
  })

  it('of all ends damaged records too', async () => {
    const { sessions, engine, memory } = manager((store) =>
      replacing(store, {
        listByUser: (id) =>
          (store.listByUser!(id) as SessionRecord[]).map((one) => ({ id: one.id }) as SessionRecord),
      }),
    )
    await engine.login(ann, chrome, [])
    expect(await sessions.revokeAll('ann')).toBe(1)
    expect(await listedFor(memory)).toEqual([])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('down')
      },
    ],
    ['rejects', () => Promise.reject(new Error('down'))],
  ])('of all tries every one before it rejects, when one %s', async (_, fail) => {
    let stuck = ''
    const { sessions, engine, memory } = manager((store) =>
      replacing(store, { delete: (id) => (id === stuck ? fail() : store.delete(id)) }),
    )
    const all = await Promise.all([1, 2, 3, 4].map(() => engine.login(ann, chrome, [])))
    stuck = all[1]!.record.id
    const error = await rejectionOf(sessions.revokeAll('ann', { except: all[0]!.record.id }))
    expect(error).toMatchObject({ code: 'STORE_FAILED', status: 503 })
    expect(await listedFor(memory)).toEqual(idsOf([all[0]!.record, all[1]!.record]))
  })

  it('rejects when the session can not be read, and is not taken for done', async () => {
    const { sessions, engine, memory } = manager((store) => failing(store, 'get'))
    const { record } = await engine.login(ann, chrome, [])
    expect(await rejectionOf(sessions.revoke(record.id))).toMatchObject({ code: 'STORE_FAILED' })
    expect(memory.get(record.id)).toBeDefined()
  })
})

describe('a data write', () => {
  it('is stored before it is acknowledged, and moves the idle deadline as well', async () => {
    const { engine, changeData, memory } = manager(asyncStore)
    const { record } = await engine.login(ann, chrome, [])
    moveTheClock(HOUR)
    const written = await changeData(record, (data) => ({ ...data, cart: 1 }), chrome)
    expect(written).toMatchObject({
      data: { cart: 1 },
      version: 2,
      lastSeenAt: Date.now(),
      expiresAt: Date.now() + 7 * DAY,
    })
    expect(memory.get(record.id)).toEqual(written)
  })

  it('moves no deadline back when the clock was set back', async () => {
    const { engine, changeData } = manager()
    const { record } = await engine.login(ann, chrome, [])
    moveTheClock(-HOUR)
    const written = await changeData(record, () => ({ cart: 1 }), chrome)
    expect(written).toMatchObject({ lastSeenAt: record.lastSeenAt, expiresAt: record.expiresAt })
  })

  it('that changes nothing is no write', async () => {
    const { engine, changeData, operations } = manager()
    const { record } = await engine.login(ann, chrome, [])
    expect(await changeData(record, (data) => data, chrome)).toEqual(record)
    expect(operations()).toEqual(['insert', 'get'])
  })

  it('to a session that ended or expired is undefined', async () => {
    const { engine, changeData, memory } = manager()
    const ended = await engine.login(ann, chrome, [])
    await engine.end([ended.record])
    expect(await changeData(ended.record, () => ({ late: 1 }), chrome)).toBeUndefined()
    const expired = await engine.login(ann, chrome, [])
    moveTheClock(7 * DAY)
    expect(await changeData(expired.record, () => ({ late: 1 }), chrome)).toBeUndefined()
    expect(memory.get(expired.record.id)).toBeUndefined()
  })
})

describe('events', () => {
  it('hold no secret, whatever happens to a session', async () => {
    const { sessions, engine, use, seen } = manager()
    const started = await engine.login(ann, chrome, [])
    await use(started, firefox)
    moveTheClock(7 * DAY)
    await use(started)
    const second = await engine.login(ann, chrome, [])
    await sessions.revoke(second.record.id)
    const third = await engine.login(ann, chrome, [])
    await engine.end([third.record])
    expect(seen.map(({ name }) => name)).toEqual([
      'login',
      'clientChange',
      'expire',
      'login',
      'revoke',
      'login',
      'logout',
    ])
    for (const one of [started, second, third]) expectNoSecret(seen, one)
  })

  it.each([
    [
      'throw',
      () => {
        throw new Error('audit log is full')
      },
    ],
    ['reject', () => Promise.reject(new Error('audit log is full'))],
  ])('harm nothing when their listeners %s', async (_, listener) => {
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const { sessions, engine, use } = manager()
    for (const name of ['login', 'logout', 'revoke', 'expire', 'clientChange', 'storeError'] as const) {
      sessions.on(name, listener)
    }
    const started = await engine.login(ann, chrome, [])
    expect(await use(started, firefox)).toBe('refused')
    expect(await engine.end([started.record])).toBe(true)
    await turns(3)
    expect(warned).toHaveBeenCalledTimes(3)
  })

  it('go no more to a listener that was taken off', async () => {
    const { sessions, engine } = manager()
    const listener = jest.fn()
    sessions.on('login', listener).off('login', listener)
    await engine.login(ann, chrome, [])
    expect(listener).not.toHaveBeenCalled()
  })
})

describe('a closed manager', () => {
  it('rejects or throws CLOSED for everything, and sends nothing to the store', async () => {
    const { sessions, engine, use, changeData, calls } = manager()
    const started = await engine.login(ann, chrome, [])
    await sessions.close()
    calls.length = 0
    const closed = expect.objectContaining({ code: 'CLOSED', status: 503 }) as Error
    const asked = [
      engine.login(ann, chrome, [started.record]),
      engine.startGuest({}, chrome),
      engine.end([started.record]),
      sessions.find(started.record.id),
      sessions.list('ann'),
      sessions.revoke(started.record.id),
      sessions.revokeAll('ann'),
      changeData(started.record, () => ({ a: 1 }), chrome),
    ]
    expect(await Promise.all(asked.map((one) => rejectionOf(one)))).toEqual(asked.map(() => closed))
    expect(await rejectionOf(use(started))).toEqual(closed)
    expect(calls).toEqual([])
  })

  it('may be closed again, and never closes the store', async () => {
    const close = jest.fn()
    const store = Object.assign(replacing(memoryStore(), {}), { close })
    const { sessions } = makeCore(settingsWith({ store }))
    await sessions.close()
    await sessions.close()
    expect(close).not.toHaveBeenCalled()
  })
})

describe('expired records of a store without an expiry of its own', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask'] }))

  it('are swept, whoever started them', async () => {
    const { sessions, engine, memory } = manager(undefined, { guestIdleTimeout: 30_000 })
    const { record } = await engine.startGuest({}, chrome)
    await jest.advanceTimersByTimeAsync(MINUTE)
    expect(memory.get(record.id)).toBeUndefined()
    await sessions.close()
    expect(jest.getTimerCount()).toBe(0)
  })

  it('are swept on after the store failed, which is an event', async () => {
    const { sessions, engine, seen, operations } = manager((store) => failing(store, 'deleteExpired'))
    await engine.startGuest({}, chrome)
    await jest.advanceTimersByTimeAsync(2 * MINUTE)
    expect(operations().filter((operation) => operation === 'deleteExpired')).toHaveLength(2)
    expect(seen).toMatchObject([
      { name: 'storeError', event: { operation: 'deleteExpired' } },
      { name: 'storeError', event: { operation: 'deleteExpired' } },
    ])
    await sessions.close()
  })

  it('are left to a store that has one', async () => {
    const { engine } = manager((store) => replacing(store, { deleteExpired: undefined }))
    await engine.login(ann, chrome, [])
    expect(jest.getTimerCount()).toBe(0)
  })

  it('do not hold up closing for longer than storeTimeout', async () => {
    const { sessions, engine } = manager((store) => hanging(store, 'deleteExpired'))
    await engine.login(ann, chrome, [])
    await jest.advanceTimersByTimeAsync(MINUTE)
    const closed = sessions.close()
    await jest.advanceTimersByTimeAsync(2_000)
    await closed
  })
})

describe('a store that can not list', () => {
  const without = (store: SessionStore) => replacing(store, { listByUser: undefined })

  it('is known beforehand: can says so', () => {
    expect(manager().sessions.can).toEqual({ listByUser: true, atomicUpdates: true, heardEverywhere: false })
    expect(manager(without).sessions.can).toEqual({
      listByUser: false,
      atomicUpdates: true,
      heardEverywhere: false,
    })
    const weak = (store: SessionStore) => replacing(store, { atomicUpdates: false })
    expect(manager(weak).sessions.can).toEqual({
      listByUser: true,
      atomicUpdates: false,
      heardEverywhere: false,
    })
  })
})

describe('what is no session id', () => {
  const values: unknown[] = [
    undefined,
    null,
    7,
    true,
    [],
    {},
    '',
    '*',
    '../victim',
    `${unissuedId} `,
    [unissuedId],
  ]
  const styles = {
    sync: (store: SessionStore) => store,
    batching: (store: SessionStore) => batching(asyncStore(store)),
  }

  test.each(Object.keys(styles) as (keyof typeof styles)[])(
    'is not found, and no store is asked: %s',
    async (style) => {
      const { sessions, operations, seen } = manager(styles[style])
      for (const value of values as string[]) {
        expect(await sessions.find(value)).toBeUndefined()
        expect(await sessions.revoke(value)).toBe(false)
      }
      expect([operations(), seen]).toEqual([[], []])
    },
  )
})

describe('check', () => {
  it('is well where the store responds, and asks for a session that there is not', async () => {
    const { sessions, calls } = manager()
    expect(await sessions.check()).toEqual({
      ok: true,
      latencyMs: expect.any(Number) as unknown,
      error: undefined,
    })
    expect(calls).toHaveLength(1)
    expect(calls[0]!.operation).toMatch(/^get/)
  })

  it.each<[string, (store: SessionStore) => SessionStore, string]>([
    ['fails', (store) => failing(replacing(store, { getMany: undefined }), 'get'), 'STORE_FAILED'],
    ['never responds', (store) => hanging(replacing(store, { getMany: undefined }), 'get'), 'STORE_TIMEOUT'],
  ])('is not well where the store %s, and says so without rejecting', async (_, over, code) => {
    const { sessions } = manager(over, { storeTimeout: 1_000 })
    const checking = sessions.check()
    moveTheClock(1_000)
    expect(await checking).toMatchObject({ ok: false, error: { code } })
  })

  it('is not well once the manager is closed', async () => {
    const { sessions } = manager()
    await sessions.close()
    expect(await sessions.check()).toMatchObject({ ok: false, error: { code: 'CLOSED' } })
  })
})
