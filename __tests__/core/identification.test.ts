import { ClientPolicy } from '../../src/core/client/client-policy.js'
import type { Client } from '../../src/core/client/client.js'
import { Events } from '../../src/core/events/events.js'
import type { Settings } from '../../src/core/settings.js'
import type { SessionRecord } from '../../src/record.js'
import type { SessionStore } from '../../src/store.js'
import { memoryStore } from '../../src/stores/memory/index.js'
import { makeRecord, nextOf } from '../../src/testing/records.js'
import {
  ann,
  chrome,
  chromeElsewhere,
  DAY,
  eventsOf,
  firefox,
  forged,
  HOUR,
  makeCore,
  MINUTE,
  moveTheClock,
  newerChrome,
  rejectionOf,
  settingsWith,
  stopTheClock,
  tokenOf,
} from '../support/core.js'
import { asyncStore, batching, failing, hanging, recording, replacing, turns } from '../support/stores.js'

beforeEach(() => stopTheClock())
afterEach(async () => {
  await turns(3)
  jest.useRealTimers()
})

/** A session of Ann's (or a guest's) in a memory store, and a manager over whatever that store is made into. */
async function loggedIn(
  over: (store: SessionStore) => SessionStore = (store) => store,
  overrides: Partial<Settings> & { guest?: boolean } = {},
) {
  const memory = memoryStore()
  const { guest, ...settings } = overrides
  const first = makeCore(settingsWith({ ...settings, store: memory }))
  const started =
    guest === true ? await first.engine.startGuest({}, chrome) : await first.engine.login(ann, chrome, [])
  await first.sessions.close()
  const { store, calls } = recording(over(memory))
  const core = makeCore(settingsWith({ ...settings, store }))
  const seen = eventsOf(core.sessions)
  /** What a request with this token and client gets. */
  const use = (client: Client = chrome) => core.use(started, client)
  const operations = () => calls.map(({ operation }) => operation)
  const stored = () => memory.get(started.record.id) as SessionRecord | undefined
  return { ...core, useOf: core.use, started, memory, operations, seen, use, stored }
}

/** The store, in which somebody else does something after each read. */
function betweenReadAndWrite(store: SessionStore, act: (id: string) => unknown): SessionStore {
  return replacing(store, {
    get: (id) => {
      const found = store.get(id)
      void act(id)
      return found
    },
  })
}

describe('a token', () => {
  it('opens its session, and writes and says nothing by that', async () => {
    const { use, started, operations, seen } = await loggedIn()
    expect(await use()).toEqual(started.record)
    expect(operations()).toEqual(['get'])
    expect(seen).toEqual([])
  })

  const withoutGetMany = (store: SessionStore) => replacing(store, { getMany: undefined })

  it('is answered at once by a store in the process that takes one id at a time', async () => {
    const { engine, started } = await loggedIn(withoutGetMany)
    const settle = jest.fn()
    engine.identify([started.token], { client: () => chrome, takesToken: () => true }, settle)
    expect(settle).toHaveBeenCalledTimes(1)
    expect(settle).toHaveBeenCalledWith(expect.objectContaining({ record: started.record, user: ann }))
  })

  it('is answered at once by such a store even when it is expired or due for a touch', async () => {
    const { engine, started } = await loggedIn(withoutGetMany)
    const settle = jest.fn()
    moveTheClock(MINUTE)
    engine.identify([started.token], { client: () => chrome, takesToken: () => true }, settle)
    expect(settle).toHaveBeenLastCalledWith(
      expect.objectContaining({ record: expect.objectContaining({ version: 2 }) as unknown }),
    )
    moveTheClock(30 * DAY)
    engine.identify([started.token], { client: () => chrome, takesToken: () => true }, settle)
    expect(settle).toHaveBeenLastCalledWith(expect.objectContaining({ record: undefined, held: [] }))
    expect(settle).toHaveBeenCalledTimes(2)
  })

  it.each([
    ['a store in the process', (store: SessionStore) => store],
    ['a store on the network', (store: SessionStore) => asyncStore(batching(store))],
  ])('with a wrong secret opens nothing, writes nothing, says nothing: %s', async (_, over) => {
    const { useOf, started, operations, seen, stored } = await loggedIn(over)
    expect(await useOf(forged(started))).toBeUndefined()
    expect(operations()).toEqual(['get'])
    expect(seen).toEqual([])
    expect(stored()).toEqual(started.record)
  })

  it('with a wrong secret does not even delete an expired session: strangers cause no write and no event', async () => {
    const { useOf, started, operations, seen, stored } = await loggedIn()
    moveTheClock(8 * DAY)
    expect(await useOf(forged(started))).toBeUndefined()
    expect(operations()).toEqual(['get'])
    expect(seen).toEqual([])
    expect(stored()).toEqual(started.record)
  })

  it('of another session opens nothing with this id', async () => {
    const { engine, useOf, started } = await loggedIn()
    const other = await engine.login(ann, chrome, [])
    const mixed = { token: `${started.record.id}.${tokenOf(other).secret}` }
    expect(await useOf(mixed)).toBeUndefined()
  })

  it('of no session at all is one lookup and nothing else', async () => {
    const { useOf, operations, seen } = await loggedIn()
    const token = `0198f0a0-abcd-7def-8abc-0123456789ab.${'A'.repeat(65)}`
    expect(await useOf({ token })).toBeUndefined()
    expect(operations()).toEqual(['get'])
    expect(seen).toEqual([])
  })

  it('whose record is damaged fails with a code, at once or by promise: never a user', async () => {
    const damaged = { get: () => ({ id: 'x' }) as SessionRecord }
    const { use } = await loggedIn((store) => replacing(store, damaged))
    expect(await rejectionOf(use())).toMatchObject({ code: 'RECORD_DAMAGED', status: 503 })
  })

  it.each(['get', 'update', 'delete'] as const)(
    'needs the store: a %s that hangs never hangs the request',
    async (operation) => {
      const { use } = await loggedIn((store) => hanging(store, operation), { storeTimeout: 5 })
      moveTheClock(operation === 'delete' ? 8 * DAY : MINUTE)
      const outcome = await Promise.allSettled([use()])
      expect(outcome[0].status).toBe(operation === 'update' ? 'fulfilled' : 'rejected')
    },
  )
})

describe('an expired session', () => {
  it.each([
    ['idle', 7 * DAY, false],
    ["idle, a guest's", HOUR, true],
  ])('(%s) is nobody: deleted, at the very millisecond', async (_, ms, guest) => {
    const { use, stored, operations } = await loggedIn(undefined, { guest, touchInterval: 30 * DAY })
    moveTheClock(ms - 1)
    expect(await use()).toBeDefined()
    moveTheClock(1)
    expect(await use()).toBeUndefined()
    expect(stored()).toBeUndefined()
    expect(operations()).toEqual(['get', 'get', 'delete'])
  })

  it('is gone at its absolute deadline, however much it was used', async () => {
    const { use } = await loggedIn()
    for (let day = 1; day < 30; day += 1) {
      moveTheClock(DAY)
      expect(await use()).toBeDefined()
    }
    moveTheClock(DAY - 1)
    expect(await use()).toBeDefined()
    moveTheClock(1)
    expect(await use()).toBeUndefined()
  })

  it('is said once, with ids only', async () => {
    const { use, seen, started } = await loggedIn()
    moveTheClock(7 * DAY)
    await use()
    await use()
    expect(seen).toMatchObject([{ name: 'expire', event: { sessionId: started.record.id, userId: 'ann' } }])
  })

  it('is not said when a store or another node forgot it first', async () => {
    const { use, seen } = await loggedIn((store) =>
      replacing(store, {
        delete: (id) => {
          void store.delete(id)
          return false
        },
      }),
    )
    moveTheClock(7 * DAY)
    expect(await use()).toBeUndefined()
    expect(seen).toEqual([])
  })

  it("is not said of a guest's", async () => {
    const { use, seen } = await loggedIn(undefined, { guest: true })
    moveTheClock(HOUR)
    expect(await use()).toBeUndefined()
    expect(seen).toEqual([])
  })

  it('does not come back when the clock is set back', async () => {
    const { use } = await loggedIn()
    moveTheClock(7 * DAY)
    expect(await use()).toBeUndefined()
    moveTheClock(-7 * DAY)
    expect(await use()).toBeUndefined()
  })

  it('that can not be deleted is a failure, not a user', async () => {
    const { use } = await loggedIn((store) => failing(store, 'delete'))
    moveTheClock(7 * DAY)
    expect(await rejectionOf(use())).toMatchObject({ code: 'STORE_FAILED', status: 503 })
  })
})

describe('another client', () => {
  const engineIs = (policy: Settings['onClientChange']['engine']) => ({
    onClientChange: { engine: policy, network: 'ignore' as const },
  })
  const networkIs = (policy: Settings['onClientChange']['network']) => ({
    onClientChange: { engine: 'ignore' as const, network: policy },
  })

  it('of another engine is refused by default: nobody, cookie and session untouched, and said', async () => {
    const { use, started, seen, stored, operations } = await loggedIn()
    moveTheClock(HOUR)
    expect(await use(firefox)).toBe('refused')
    expect(stored()).toEqual(started.record)
    expect(operations()).toEqual(['get'])
    expect(seen).toMatchObject([
      {
        name: 'clientChange',
        event: {
          sessionId: started.record.id,
          userId: 'ann',
          changes: ['engine'],
          refused: true,
          recorded: chrome,
          seen: firefox,
        },
      },
    ])
    expect(await use(chrome)).toBeDefined()
  })

  it('of another engine is let in and said where the policy is report', async () => {
    const { use, seen } = await loggedIn(undefined, engineIs('report'))
    expect(await use(firefox)).toBeDefined()
    expect(seen).toMatchObject([{ name: 'clientChange', event: { changes: ['engine'], refused: false } }])
  })

  it('of another engine is let in without a word where the policy is ignore', async () => {
    const { use, seen } = await loggedIn(undefined, engineIs('ignore'))
    expect(await use(firefox)).toBeDefined()
    expect(seen).toEqual([])
  })

  it.each([
    ['report', true, 1],
    ['ignore', true, 0],
    ['refuse', false, 1],
  ] as const)(
    'in another network, where the policy is %s: let in %p, said %d times',
    async (policy, isIn, times) => {
      const { use, seen } = await loggedIn(undefined, networkIs(policy))
      expect((await use(chromeElsewhere)) !== 'refused').toBe(isIn)
      expect(seen).toHaveLength(times)
      for (const one of seen) expect(one.event).toMatchObject({ changes: ['network'], refused: !isIn })
    },
  )

  it('is refused where one change of two is, and what is ignored is not said', async () => {
    const { use, seen } = await loggedIn(undefined, engineIs('refuse'))
    expect(await use({ ...firefox, ip: chromeElsewhere.ip })).toBe('refused')
    expect(seen).toMatchObject([{ event: { changes: ['engine'], refused: true } }])
  })

  it('of a newer version is let in and said: browsers update themselves', async () => {
    const { use, seen } = await loggedIn()
    expect(await use(newerChrome)).toBeDefined()
    expect(seen).toMatchObject([{ name: 'clientChange', event: { changes: ['userAgent'], refused: false } }])
  })

  it('is said once a session in a touchInterval, and refused each time', async () => {
    const { use, seen } = await loggedIn()
    for (let second = 0; second < 60; second += 1) {
      expect(await use(firefox)).toBe('refused')
      moveTheClock(1_000)
    }
    expect(seen).toHaveLength(1)
    expect(await use(firefox)).toBe('refused')
    expect(seen).toHaveLength(2)
  })

  it('is said of each session for itself', async () => {
    const { engine, useOf, use, seen } = await loggedIn()
    const other = await engine.login({ id: 'bob' }, chrome, [])
    await use(firefox)
    expect(await useOf(other, firefox)).toBe('refused')
    const said = seen.filter(({ name }) => name === 'clientChange').map(({ event }) => event)
    expect(said).toMatchObject([{ userId: 'ann' }, { userId: 'bob' }])
  })

  it('is said of 10,000 sessions in a touchInterval before the oldest is forgotten, and may be said again', async () => {
    const events = new Events()
    let said = 0
    events.on('clientChange', () => (said += 1))
    const policy = new ClientPolicy(events, settingsWith())
    const records = Array.from({ length: 10_001 }, () => makeRecord({ ...chrome }))
    for (const record of records.slice(0, 10_000)) policy.refusalOf(record, firefox)
    policy.refusalOf(records[0]!, firefox)
    expect(said).toBe(10_000)
    policy.refusalOf(records[10_000]!, firefox)
    policy.refusalOf(records[1]!, firefox)
    expect(said).toBe(10_001)
    policy.refusalOf(records[0]!, firefox)
    expect(said).toBe(10_002)
  })

  it('is never said before the secret is verified', async () => {
    const { useOf, started, seen } = await loggedIn()
    expect(await useOf(forged(started))).toBeUndefined()
    expect(seen).toEqual([])
  })

  it('is refused a guest session as well, without a word: a guest is nobody', async () => {
    const { use, seen } = await loggedIn(undefined, { guest: true })
    expect(await use(firefox)).toBe('refused')
    expect(seen).toEqual([])
    expect(await use(chrome)).toBeDefined()
  })

  it('is the known one once it was let in and the session touched', async () => {
    const { use, seen, stored } = await loggedIn()
    moveTheClock(MINUTE)
    await use({ ...newerChrome, ip: chromeElsewhere.ip })
    expect(stored()).toMatchObject({ userAgent: newerChrome.userAgent, ip: chromeElsewhere.ip })
    moveTheClock(MINUTE)
    await use({ ...newerChrome, ip: chromeElsewhere.ip })
    expect(seen).toHaveLength(1)
  })
})

describe('a touch', () => {
  it('is one write a touchInterval, however many requests there are', async () => {
    const { use, operations } = await loggedIn()
    for (let second = 0; second < 180; second += 1) {
      moveTheClock(1_000)
      expect(await use()).toBeDefined()
    }
    expect(operations().filter((operation) => operation === 'update')).toHaveLength(3)
  })

  it('moves the idle deadline, in the store and for this request, and keeps everything else', async () => {
    const { use, started, stored } = await loggedIn()
    moveTheClock(HOUR)
    const now = Date.now()
    const expected = { ...started.record, version: 2, lastSeenAt: now, expiresAt: now + 7 * DAY }
    expect(await use()).toEqual(expected)
    expect(stored()).toEqual(expected)
  })

  it('moves nothing when the clock was set back', async () => {
    const { use, started, operations } = await loggedIn()
    moveTheClock(-HOUR)
    expect(await use()).toEqual(started.record)
    expect(operations()).toEqual(['get'])
  })

  it('answered absent means logged out: nobody, and nothing comes back', async () => {
    const { use, stored, operations } = await loggedIn((store) =>
      betweenReadAndWrite(store, (id) => store.delete(id)),
    )
    moveTheClock(MINUTE)
    expect(await use()).toBeUndefined()
    expect(operations()).toEqual(['get', 'update'])
    expect(stored()).toBeUndefined()
  })

  it('answered conflict goes on with what was read: the session is there, and whoever wrote has moved its deadline', async () => {
    const { started, use, operations } = await loggedIn((store) =>
      betweenReadAndWrite(store, () => store.update(nextOf(started.record, { data: { cart: 1 } }), 1)),
    )
    moveTheClock(MINUTE)
    expect(await use()).toEqual(started.record)
    expect(operations()).toEqual(['get', 'update'])
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('disk full')
      },
      'STORE_FAILED',
    ],
    ['rejects', () => Promise.reject(new Error('connection lost')), 'STORE_FAILED'],
    ['hangs', () => new Promise<never>(() => undefined), 'STORE_TIMEOUT'],
  ])('that %s lets the request go on, and is an event', async (_, fail, code) => {
    const { use, started, seen } = await loggedIn((store) => failing(store, 'update', fail), {
      storeTimeout: 5,
    })
    moveTheClock(MINUTE)
    expect(await use()).toEqual(started.record)
    expect(seen).toMatchObject([
      {
        name: 'storeError',
        event: { operation: 'update', error: expect.objectContaining({ code }) as unknown },
      },
    ])
  })

  it('of many requests at once is one write, and all of them go on', async () => {
    const { use, stored } = await loggedIn((store) => asyncStore(batching(store)))
    moveTheClock(MINUTE)
    const all = await Promise.all(Array.from({ length: 40 }, () => use()))
    expect(all.every((record) => record !== undefined)).toBe(true)
    expect(stored()?.version).toBe(2)
  })
})
