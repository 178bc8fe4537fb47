import { memoryStore } from '../../../src/stores/memory/index.js'
import type { Settings } from '../../../src/core/settings.js'
import type { SessionRecord } from '../../../src/record.js'
import {
  ann,
  bob,
  chrome,
  DAY,
  eventsOf,
  HOUR,
  makeCore,
  MINUTE,
  moveTheClock,
  rejectionOf,
  settingsWith,
  stopTheClock,
} from '../../support/core.js'
import { asyncStore, failing, replacing, turns } from '../../support/stores.js'

beforeEach(() => stopTheClock())
afterEach(() => jest.useRealTimers())

async function site(settings: Partial<Settings> = {}) {
  const store = memoryStore()
  const core = makeCore(settingsWith({ store, ...settings }))
  const { engine } = core
  const [here, there] = [await engine.login(ann, chrome, []), await engine.login(ann, chrome, [])]
  const own = (record: SessionRecord) => record as SessionRecord & { userId: string }
  const changed = (one = here) => engine.users.credentialsChanged(own(one.record), chrome, false)
  return { ...core, store, here, there, changed, events: eventsOf(core.sessions) }
}

test('ends the others, and replaces this one by a new id and a new secret, with its data and deadlines', async () => {
  const { engine, use, here, there, changed, changeData, sessions } = await site()
  const other = await engine.login(bob, chrome, [])
  moveTheClock(DAY)
  await changeData(here.record, () => ({ cart: ['tea'] }), chrome)
  const started = (await changed())!
  expect(started.record.id).not.toBe(here.record.id)
  expect(started.record).toMatchObject({
    user: ann,
    data: { cart: ['tea'] },
    authenticatedAt: here.record.authenticatedAt,
    absoluteExpiresAt: here.record.absoluteExpiresAt,
    expiresAt: Date.now() + 7 * DAY,
  })
  expect(await Promise.all([here, there].map((one) => use(one)))).toEqual([undefined, undefined])
  expect(await use(started)).toBeDefined()
  expect(await use(other)).toBeDefined()
  expect(await sessions.list('ann')).toHaveLength(1)
})

test('leaves no grace to the old secret, not to a successor of it either', async () => {
  const { use, identify, here, changed } = await site({ rotateEvery: HOUR })
  moveTheClock(HOUR)
  const { token } = await identify([here.token])
  moveTheClock(5 * MINUTE)
  expect(await use({ token: token! })).toBeDefined()
  const started = (await changed({ ...here, record: (await use({ token: token! })) as SessionRecord }))!
  for (const old of [here.token, token!]) expect(await use({ token: old })).toBeUndefined()
  expect(started.record).toMatchObject({ nextHash: undefined, priorHash: undefined, rotatedAt: undefined })
})

test('tells what ended for it, and what came of it', async () => {
  const { here, there, changed, events } = await site()
  const started = (await changed())!
  expect(events.map(({ event }) => event)).toMatchObject([
    { type: 'revoke', sessionId: there.record.id, cause: 'credentialsChanged', client: chrome },
    { type: 'logout', sessionId: here.record.id, cause: 'credentialsChanged', replaced: true },
    {
      type: 'credentialsChanged',
      sessionId: started.record.id,
      replaced: here.record.id,
      ended: 1,
      userId: 'ann',
    },
  ])
})

test('loses no write of the same moment', async () => {
  const store = asyncStore(memoryStore())
  for (let late = 0; late < 14; late += 1) {
    const [one, other] = [1, 2].map(() => makeCore(settingsWith({ store }))) as [
      ReturnType<typeof makeCore>,
      ReturnType<typeof makeCore>,
    ]
    const { record } = await one.engine.login(ann, chrome, [])
    const own = { ...record, userId: 'ann' }
    const changed = one.engine.users.credentialsChanged(own, chrome, false)
    await turns(late)
    const written = await other.changeData(record, () => ({ kept: late }), chrome)
    const started = (await changed)!
    // Either the session had ended for the writer, who was told so, or the write came along.
    const now = await one.engine.live.find(started.record.id)
    expect(now!.data).toEqual(written === undefined ? {} : { kept: late })
    await one.sessions.revokeAll('ann')
  }
})

test('ends a login that was under way with the old credentials', async () => {
  const memory = memoryStore()
  let letGo = (): void => undefined
  const world = { isHolding: false }
  const store = replacing(memory, {
    insert: async (record) => {
      if (world.isHolding) await new Promise<void>((resolve) => (letGo = resolve))
      return memory.insert(record)
    },
  })
  const { engine, sessions } = makeCore(settingsWith({ store }))
  const { record } = await engine.login(ann, chrome, [])
  world.isHolding = true
  const thief = engine.login(ann, chrome, [])
  await turns(2)
  world.isHolding = false
  const changed = engine.users.credentialsChanged({ ...record, userId: 'ann' }, chrome, false)
  await turns(2)
  letGo()
  const [started, stolen] = [(await changed)!, await thief]
  expect(memory.get(stolen.record.id)).toBeUndefined()
  expect((await sessions.list('ann')).map(({ id }) => id)).toEqual([started.record.id])
})

test('is not signed out by a login with the old ones on another node, which would have pushed this session out', async () => {
  const memory = asyncStore(memoryStore())
  const held: (() => void)[] = []
  const world = { isHolding: false }
  const store = replacing(memory, {
    insert: async (record) => {
      if (world.isHolding && record.userId !== undefined) await new Promise<void>((go) => held.push(go))
      return memory.insert(record)
    },
  })
  const [here, there] = [1, 2].map(() => makeCore(settingsWith({ store, maxSessions: 1 })))
  const { record } = await here!.engine.login(ann, chrome, [])
  world.isHolding = true
  const thief = rejectionOf(there!.engine.login(ann, chrome, []))
  while (held.length === 0) await turns(1)
  world.isHolding = false
  const own = { ...record, userId: 'ann' }
  const started = (await here!.engine.users.credentialsChanged(own, chrome, false))!
  held[0]!()
  expect(await thief).toMatchObject({ code: 'USER_CHANGED' })
  expect((await here!.sessions.list('ann')).map(({ id }) => id)).toEqual([started.record.id])
})

test('spares its own new session when it looks again', async () => {
  jest.useFakeTimers({
    now: Date.now(),
    doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick', 'performance'],
  })
  const { changed, use, sessions } = await site()
  const started = (await changed())!
  await jest.advanceTimersByTimeAsync(10_000)
  await turns(2)
  expect(await use(started)).toBeDefined()
  await sessions.close()
})

test('spares what begins in this process after it, when it looks again', async () => {
  jest.useFakeTimers({
    now: Date.now(),
    doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick', 'performance'],
  })
  const { changed, engine, use, sessions } = await site()
  const own = (await changed())!.record as SessionRecord & { userId: string }
  const terms = { methods: ['password'], lifetime: undefined, takesOffer: false }
  const confirmed = (await engine.reauthentication.perform(own, ann, chrome, terms))!
  const elsewhere = await engine.login(ann, chrome, [])
  await jest.advanceTimersByTimeAsync(10_000)
  await turns(2)
  for (const one of [confirmed, elsewhere]) expect(await use(one)).toBeDefined()
  await sessions.close()
})

test('where another one can’t be ended, this one is as it was', async () => {
  const { store, here, there } = await site()
  const broken = makeCore(settingsWith({ store: failing(store, 'delete') }))
  const own = here.record as SessionRecord & { userId: string }
  expect(await rejectionOf(broken.engine.users.credentialsChanged(own, chrome, false))).toMatchObject({
    code: 'STORE_FAILED',
  })
  expect(await broken.use(here)).toBeDefined()
  expect(store.get(there.record.id)).toBeDefined()
})

test('of a session that has ended does nothing more', async () => {
  const { engine, here, changed, store } = await site()
  await engine.end([here.record])
  expect(await changed()).toBeUndefined()
  expect(store.listByUser('ann')).toHaveLength(0)
})

test('keeps its place among those that a user may have', async () => {
  const { engine, changed, here, there, use } = await site({ maxSessions: 2, whenFull: 'refuse' })
  const started = (await changed())!
  expect(await Promise.all([here, there].map((one) => use(one)))).toEqual([undefined, undefined])
  const next = await engine.login(ann, chrome, [])
  expect(await rejectionOf(engine.login(ann, chrome, []))).toMatchObject({ code: 'SESSIONS_FULL' })
  expect(await Promise.all([started, next].map((one) => use(one)))).not.toContain(undefined)
})

test('with authVersion the new session has the new version', async () => {
  const store = memoryStore()
  const person = { ...ann, version: 1 }
  const { engine, use } = makeCore(
    settingsWith({
      store,
      loadUser: () => ({ ...person }),
      authVersion: (user) => (user as typeof person).version,
    }),
  )
  const [here, there] = [await engine.login(person, chrome, []), await engine.login(person, chrome, [])]
  person.version = 2
  const started = (await engine.users.credentialsChanged({ ...here.record, userId: 'ann' }, chrome, false))!
  expect(await use(started)).toMatchObject({ authVersion: '2' })
  expect(await use(there)).toBeUndefined()
})
