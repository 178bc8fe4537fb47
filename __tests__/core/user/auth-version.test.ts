import { memoryStore } from '../../../src/stores/memory/index.js'
import { replacing } from '../../support/stores.js'
import {
  ann,
  chrome,
  eventsOf,
  makeCore,
  rejectionOf,
  settingsWith,
  stopTheClock,
} from '../../support/core.js'

beforeEach(() => stopTheClock())
afterEach(() => jest.useRealTimers())

type Person = { id: string; version: unknown }

/** A user whose version the test changes, and a manager that reads it. */
function site(store = memoryStore()) {
  const person: Person = { ...ann, version: 1 }
  const core = makeCore(
    settingsWith({
      store,
      loadUser: () => ({ ...person }),
      authVersion: (user) => (user as Person).version,
    }),
  )
  return { ...core, store, person, events: eventsOf(core.sessions) }
}

test('a session of an older version ends at its next use, and says why', async () => {
  const { engine, use, person, store, events } = site()
  const old = await engine.login({ ...person }, chrome, [])
  expect(await use(old)).toMatchObject({ id: old.record.id, authVersion: '1' })
  person.version = 2
  const next = await engine.login({ ...person }, chrome, [])
  expect(await use(old)).toBeUndefined()
  expect(store.get(old.record.id)).toBeUndefined()
  expect(await use(next)).toBeDefined()
  expect(events.at(-1)).toMatchObject({
    name: 'revoke',
    event: { sessionId: old.record.id, userId: 'ann', cause: 'authVersion', client: chrome },
  })
  // Nor does it come back with the old version.
  person.version = 1
  expect(await use(old)).toBeUndefined()
})

test('a login with the user of before is out at its first use', async () => {
  const { engine, use, person } = site()
  const before = { ...person }
  person.version = 2
  expect(await use(await engine.login(before, chrome, []))).toBeUndefined()
})

test('the request whose session is outdated is a stranger’s, and its session has ended', async () => {
  const { engine, identify, person } = site()
  const { token } = await engine.login({ ...person }, chrome, [])
  person.version = 'b'
  expect(await identify([token])).toMatchObject({
    record: undefined,
    user: undefined,
    hasEnded: true,
    reason: 'ended',
  })
})

test('a session from before the option gets the version of its next use', async () => {
  const store = memoryStore()
  const before = makeCore(settingsWith({ store, loadUser: () => ann }))
  const old = await before.engine.login(ann, chrome, [])
  const { use, person } = site(store)
  expect(await use(old)).toMatchObject({ authVersion: '1' })
  person.version = 2
  expect(await use(old)).toBeUndefined()
})

test('where that can’t be written, the request goes on, and the next one tries again', async () => {
  const memory = memoryStore()
  const broken = { is: true }
  const store = replacing(memory, {
    update: (record, ifVersion) => {
      if (broken.is) throw new Error('away')
      return memory.update(record, ifVersion)
    },
  })
  const before = makeCore(settingsWith({ store: memory, loadUser: () => ann }))
  const old = await before.engine.login(ann, chrome, [])
  const { use } = site(store as never)
  expect(await use(old)).toBeDefined()
  broken.is = false
  expect(await use(old)).toMatchObject({ authVersion: '1' })
})

test.each([undefined, null, NaN, {}, Promise.resolve(1)])(
  'a version that is %p is refused',
  async (version) => {
    const { engine, use, person } = site()
    const started = await engine.login({ ...person }, chrome, [])
    expect(await rejectionOf(engine.login({ ...person, version }, chrome, []))).toMatchObject({
      code: 'USER_INVALID',
      message: expect.stringContaining('authVersion') as unknown,
    })
    person.version = version
    // Nobody is let in without an answer, and nobody is signed out for it.
    expect(await rejectionOf(use(started))).toMatchObject({ code: 'USER_INVALID' })
    person.version = 1
    expect(await use(started)).toBeDefined()
  },
)

test('0, numbers and bigints are versions, as their text', async () => {
  const { engine, use, person } = site()
  for (const [version, same] of [
    [0, '0'],
    [7n, 7],
    ['', ''],
  ]) {
    person.version = version
    const started = await engine.login({ ...person }, chrome, [])
    person.version = same
    expect(await use(started)).toBeDefined()
  }
})
