import { blankLedger, ledgerIdOf } from '../../../src/core/ledger/ledger.js'
import type { Settings } from '../../../src/core/settings.js'
import type { SessionRecord } from '../../../src/record.js'
import type { SessionStore } from '../../../src/store.js'
import { memoryStore } from '../../../src/stores/memory/index.js'
import {
  ann,
  bob,
  chrome,
  DAY,
  eventsOf,
  forged,
  makeCore,
  MINUTE,
  moveTheClock,
  rejectionOf,
  settingsWith,
  stopTheClock,
} from '../../support/core.js'
import { asyncStore, batching, recording, replacing, turns, wrapped } from '../../support/stores.js'

beforeEach(() => stopTheClock())
afterEach(() => jest.useRealTimers())

/** So many managers on one store, as on so many nodes. */
function nodes(count: number, settings: Partial<Settings>, over = (store: SessionStore) => store) {
  const memory = memoryStore()
  const store = over(memory)
  const cores = Array.from({ length: count }, () => makeCore(settingsWith({ store, ...settings })))
  const live = async (userId = 'ann') => (await cores[0]!.sessions.list(userId)).map(({ id }) => id)
  return { memory, cores, live }
}

describe.each([
  ['at once', (store: SessionStore) => store],
  ['later', asyncStore],
  ['later, many at a time', (store: SessionStore) => batching(asyncStore(store))],
])('a hundred simultaneous logins on two nodes, on a store that responds %s', (_, over) => {
  it('leave exactly so many live, and all are acknowledged: the oldest end', async () => {
    const { cores, live } = nodes(2, { maxSessions: 3 }, over)
    const seen = cores.flatMap(({ sessions }) => [eventsOf(sessions)])
    const started = await Promise.all(
      Array.from({ length: 100 }, (__, at) => cores[at % 2]!.engine.login(ann, chrome, [])),
    )
    const left = await live()
    expect(left).toHaveLength(3)
    const names = seen.flat().map(({ name }) => name)
    expect(names.filter((name) => name === 'login')).toHaveLength(100)
    expect(names.filter((name) => name === 'revoke')).toHaveLength(97)
    for (const one of started) {
      const used = await cores[0]!.use(one)
      expect(used !== undefined).toBe(left.includes(one.record.id))
    }
  })

  it('leave exactly so many live, and only those are acknowledged: the others are refused', async () => {
    const { cores, live } = nodes(2, { maxSessions: 3, whenFull: 'refuse' }, over)
    const seen = cores.map(({ sessions }) => eventsOf(sessions))
    const results = await Promise.allSettled(
      Array.from({ length: 100 }, (__, at) => cores[at % 2]!.engine.login(ann, chrome, [])),
    )
    const ids = results.flatMap((one) => (one.status === 'fulfilled' ? [one.value.record.id] : []))
    expect(ids).toHaveLength(3)
    expect((await live()).toSorted()).toEqual(ids.toSorted())
    const refused = results.flatMap((one) => (one.status === 'rejected' ? [one.reason as object] : []))
    for (const error of refused) expect(error).toMatchObject({ code: 'SESSIONS_FULL', status: 403 })
    const told = seen.flat().filter(({ name }) => name === 'loginRefused')
    expect(told).toHaveLength(97)
    expect(told[0]!.event).toMatchObject({ reason: 'SESSIONS_FULL', userId: 'ann', client: chrome })
  })
})

describe('a limit', () => {
  it('ends the session whose login was longest ago, however lately it was used', async () => {
    const { cores, live } = nodes(1, { maxSessions: 2 })
    const [{ engine, use, sessions }] = cores as [(typeof cores)[0]]
    const events = eventsOf(sessions)
    const [first, second] = [await engine.login(ann, chrome, []), await engine.login(ann, chrome, [])]
    moveTheClock(5 * MINUTE)
    await use(first)
    const third = await engine.login(ann, chrome, [])
    expect((await live()).toSorted()).toEqual([second.record.id, third.record.id].toSorted())
    expect(events.filter(({ name }) => name === 'revoke').map(({ event }) => event)).toMatchObject([
      { sessionId: first.record.id, userId: 'ann' },
    ])
  })

  it('is for each user, may depend on the user, and is not for guests', async () => {
    const { cores, live } = nodes(1, {
      maxSessions: (user) => ((user as { id: string }).id === 'ann' ? 2 : 1),
    })
    const [{ engine }] = cores as [(typeof cores)[0]]
    for (let at = 0; at < 3; at += 1) {
      await engine.login(ann, chrome, [])
      await engine.login(bob, chrome, [])
      await engine.startGuest({ at }, chrome)
    }
    expect([(await live('ann')).length, (await live('bob')).length]).toEqual([2, 1])
  })

  it.each([0, 1.5, 1_001, Infinity, NaN, '3', undefined, null])(
    'of %p for a user is refused',
    async (max) => {
      const { cores } = nodes(1, { maxSessions: () => max })
      expect(await rejectionOf(cores[0]!.engine.login(ann, chrome, []))).toMatchObject({
        code: 'OPTION_INVALID',
      })
    },
  )

  it.each(['logout', 'revocation', 'expiry'])('has room again at once after a %s', async (end) => {
    const { cores } = nodes(1, { maxSessions: 1, whenFull: 'refuse' })
    const [{ engine, sessions }] = cores as [(typeof cores)[0]]
    const { record } = await engine.login(ann, chrome, [])
    expect(await rejectionOf(engine.login(ann, chrome, []))).toMatchObject({ code: 'SESSIONS_FULL' })
    if (end === 'logout') await engine.end([record])
    if (end === 'revocation') await sessions.revoke(record.id)
    if (end === 'expiry') moveTheClock(7 * DAY)
    await engine.login(ann, chrome, [])
  })

  it('does not stand in the way of the browser that holds the session', async () => {
    const { cores, live } = nodes(1, { maxSessions: 1, whenFull: 'refuse' })
    const [{ engine }] = cores as [(typeof cores)[0]]
    const first = await engine.login(ann, chrome, [])
    const next = await engine.login(ann, chrome, [first.record])
    expect(await live()).toEqual([next.record.id])
  })

  it('counts the sessions that were there before it', async () => {
    const { memory, cores, live } = nodes(1, {})
    for (let at = 0; at < 3; at += 1) {
      await cores[0]!.engine.login(ann, chrome, [])
      moveTheClock(1)
    }
    const [oldest] = (await live()).toReversed()
    const limited = makeCore(settingsWith({ store: memory, maxSessions: 3 }))
    await limited.engine.login(ann, chrome, [])
    expect(await live()).toHaveLength(3)
    expect(await live()).not.toContain(oldest)
    const lower = makeCore(settingsWith({ store: memory, maxSessions: 1 }))
    const last = await lower.engine.login(ann, chrome, [])
    expect(await live()).toEqual([last.record.id])
  })
})

describe('the ledger of a user', () => {
  it('is no session: nobody finds, lists, counts, changes or revokes it, and no token opens it', async () => {
    const { cores, memory } = nodes(1, { maxSessions: 2 })
    const [{ engine, sessions, use, identify }] = cores as [(typeof cores)[0]]
    const started = await engine.login(ann, chrome, [])
    const id = ledgerIdOf('ann')
    const ledger = (await memory.get(id))!
    expect(ledger).toMatchObject({
      secretHash: '',
      seriesHash: '',
      data: { seats: [{ id: started.record.id }] },
    })
    expect(ledger).not.toHaveProperty('userId', 'ann')
    expect(await sessions.find(id)).toBeUndefined()
    expect(await sessions.revoke(id)).toBe(false)
    expect((await sessions.list('ann')).map((one) => one.id)).toEqual([started.record.id])
    for (const token of [`${id}.${'A'.repeat(65)}`, forged({ ...started, record: ledger }).token]) {
      expect(await use({ token })).toBeUndefined()
      expect((await identify([token])).wasLookedUp).toBe(false)
    }
    expect(await sessions.revokeAll('ann')).toBe(1)
    expect(memory.get(id)).toBeDefined()
  })

  it('lives longer than every session that it tells of', async () => {
    const { cores, memory } = nodes(1, { maxSessions: 2 })
    const [{ engine, sessions, use }] = cores as [(typeof cores)[0]]
    const started = await engine.login(ann, chrome, [])
    for (let day = 0; day < 29; day += 1) {
      moveTheClock(DAY)
      await use(started)
      await memory.deleteExpired!(Date.now(), 100)
    }
    expect(await sessions.list('ann')).toHaveLength(1)
    expect(memory.get(ledgerIdOf('ann'))).toBeDefined()
    moveTheClock(2 * DAY)
    await memory.deleteExpired!(Date.now(), 100)
    expect(memory.get(ledgerIdOf('ann'))).toBeUndefined()
  })

  it('that is lost or damaged is made again from the sessions that are there', async () => {
    for (const damage of [undefined, { id: 'x' }, 'rubbish']) {
      const broken = { isBroken: false }
      const { cores, memory, live } = nodes(1, { maxSessions: 2 }, (store) => {
        const get = (id: string) =>
          broken.isBroken && id === ledgerIdOf('ann') ? (damage as never) : store.get(id)
        const remove = (id: string) => {
          broken.isBroken &&= id !== ledgerIdOf('ann')
          return store.delete(id)
        }
        return replacing(store, { get, getMany: undefined, delete: remove })
      })
      await cores[0]!.engine.login(ann, chrome, [])
      await cores[0]!.engine.login(ann, chrome, [])
      broken.isBroken = damage !== undefined
      if (damage === undefined) await memory.delete(ledgerIdOf('ann'))
      await cores[0]!.engine.login(ann, chrome, [])
      expect(await live()).toHaveLength(2)
    }
  })

  it('is never dropped by a full memory store', async () => {
    const store = memoryStore({ maxSessions: 2 })
    await store.insert({ ...blankLedger('ann', Date.now()), version: 1, expiresAt: Date.now() + DAY })
    const { engine } = makeCore(settingsWith({ store }))
    await engine.login(bob, chrome, [])
    expect(await rejectionOf(engine.login(bob, chrome, []))).toMatchObject({ code: 'STORE_FULL' })
    expect(store.get(ledgerIdOf('ann'))).toBeDefined()
  })
})

describe('a login that fails', () => {
  it('gives its seat back, and what it would have ended lives on', async () => {
    const broken = { operation: '' }
    const { cores, live } = nodes(1, { maxSessions: 1 }, (store) =>
      replacing(store, {
        insert: (record) => {
          if (broken.operation === 'insert') throw new Error('no room')
          return store.insert(record)
        },
      }),
    )
    const [{ engine, use }] = cores as [(typeof cores)[0]]
    const first = await engine.login(ann, chrome, [])
    broken.operation = 'insert'
    expect(await rejectionOf(engine.login(ann, chrome, []))).toMatchObject({ code: 'STORE_FAILED' })
    expect(await use(first)).toBeDefined()
    broken.operation = ''
    const next = await engine.login(ann, chrome, [])
    expect(await live()).toEqual([next.record.id])
  })

  it('because its process has died is given up after a minute; its session never counts', async () => {
    for (const at of ['before its session is stored', 'after that']) {
      const memory = memoryStore()
      // From then on nothing of the process reaches the store any more.
      let hasDied = false
      const dying = wrapped(memory, (operation, method) => (...args) => {
        const isSession = operation === 'insert' && (args[0] as SessionRecord).userId !== undefined
        if (isSession && at.startsWith('before')) hasDied = true
        if (hasDied) throw new Error('dead')
        if (isSession) hasDied = true
        return method(...args)
      })
      const settings = { maxSessions: 1, whenFull: 'refuse' } as const
      const victim = makeCore(settingsWith({ store: dying, ...settings }))
      expect(await rejectionOf(victim.engine.login(ann, chrome, []))).toMatchObject({ code: 'STORE_FAILED' })
      const { engine, sessions } = makeCore(settingsWith({ store: memory, ...settings }))
      expect(await rejectionOf(engine.login(ann, chrome, []))).toMatchObject({ code: 'SESSIONS_FULL' })
      moveTheClock(MINUTE)
      const { record } = await engine.login(ann, chrome, [])
      expect((await sessions.list('ann')).map(({ id }) => id)).toEqual([record.id])
    }
  })

  it('fails with the store, whichever call fails, and once it works again so many live as may', async () => {
    for (let broken = 0; broken < 12; broken += 1) {
      const { store, calls } = recording(memoryStore())
      const world = { failsAt: Infinity }
      const counting = replacing(store, {})
      for (const operation of ['insert', 'get', 'getMany', 'update', 'delete'] as const) {
        const method = store[operation] as (...args: unknown[]) => unknown
        Object.assign(counting, {
          [operation]: (...args: unknown[]) => {
            if (calls.length === world.failsAt) {
              world.failsAt = Infinity
              throw new Error(`${operation} fails`)
            }
            return method(...args)
          },
        })
      }
      const { engine, sessions } = makeCore(settingsWith({ store: counting, maxSessions: 2 }))
      await engine.login(ann, chrome, [])
      await engine.login(ann, chrome, [])
      world.failsAt = calls.length + broken
      await engine.login(ann, chrome, []).catch(() => undefined)
      world.failsAt = Infinity
      expect((await sessions.list('ann')).length).toBeLessThanOrEqual(2)
      await engine.login(ann, chrome, [])
      expect(await sessions.list('ann')).toHaveLength(2)
    }
  })
})

test('without a limit a login is one call', async () => {
  const { store, calls } = recording(memoryStore())
  await makeCore(settingsWith({ store })).engine.login(ann, chrome, [])
  expect(calls.map(({ operation }) => operation)).toEqual(['insert'])
})

test('a session that a login pushes out gets no successor beside it', async () => {
  const memory = memoryStore()
  const held: (() => void)[] = []
  const world = { isHolding: false }
  const store = replacing(memory, {
    insert: async (record) => {
      if (world.isHolding && record.userId !== undefined) await new Promise<void>((go) => held.push(go))
      return memory.insert(record)
    },
  })
  const { engine, sessions } = makeCore(settingsWith({ store, maxSessions: 1 }))
  const { record } = await engine.login(ann, chrome, [])
  world.isHolding = true
  const other = engine.login(ann, chrome, [])
  while (held.length === 0) await turns(1)
  world.isHolding = false
  const own = { ...record, userId: 'ann' }
  const terms = { methods: undefined, lifetime: undefined, takesOffer: false }
  const again = rejectionOf(engine.reauthentication.perform(own, ann, chrome, terms))
  expect(await again).toMatchObject({ code: 'CONFLICT', status: 503 })
  expect(memory.get(record.id)).toBeDefined()
  held[0]!()
  const { id } = (await other).record
  expect((await sessions.list('ann')).map((one) => one.id)).toEqual([id])
})
