import { memoryStore } from '../../../src/stores/memory/index.js'
import type { Settings } from '../../../src/core/settings.js'
import type { JsonObject, SessionRecord } from '../../../src/record.js'
import type { SessionStore } from '../../../src/store.js'
import {
  ann,
  bob,
  chrome,
  makeCore,
  rejectionOf,
  SECOND,
  settingsWith,
  stopTheClock,
} from '../../support/core.js'
import { asyncStore, replacing, turns } from '../../support/stores.js'

beforeEach(() => stopTheClock())
afterEach(() => jest.useRealTimers())

type Core = ReturnType<typeof makeCore>

const renamed = (user: JsonObject) => ({ ...user, name: 'Anna' })
const anna = { id: 'ann', name: 'Anna' }

/** Managers on one store, whose inserts wait where `gate` says so. */
function nodes(count: number, settings: Partial<Settings> = {}) {
  const memory = memoryStore()
  const waiting: (() => void)[] = []
  const world = { holdsInserts: false }
  const held = replacing(memory, {
    insert: async (record) => {
      if (world.holdsInserts && record.userId !== undefined) {
        await new Promise<void>((resolve) => waiting.push(resolve))
      }
      return memory.insert(record)
    },
  })
  const make = (store: SessionStore) => makeCore(settingsWith({ store, ...settings }))
  const cores = Array.from({ length: count }, () => make(held))
  const users = () =>
    (memory as { listByUser(id: string): SessionRecord[] }).listByUser('ann').map(({ user }) => user)
  const letGo = () => {
    world.holdsInserts = false
    for (const go of waiting.splice(0)) go()
  }
  return { memory, cores, world, letGo, users, first: cores[0]! }
}

describe('updateUser of a manager', () => {
  it('changes the user in every session of that user, and in nobody else’s', async () => {
    const { first, users, memory } = nodes(1)
    for (let at = 0; at < 3; at += 1) await first.engine.login(ann, chrome, [])
    const other = await first.engine.login(bob, chrome, [])
    const guest = await first.engine.startGuest({ a: 1 }, chrome)
    expect(await first.sessions.updateUser('ann', renamed)).toBe(3)
    expect(users()).toEqual([anna, anna, anna])
    expect(memory.get(other.record.id)).toMatchObject({ user: bob })
    expect(memory.get(guest.record.id)).toEqual(guest.record)
    expect(await first.sessions.updateUser('nobody', renamed)).toBe(0)
  })

  it('moves no deadline, and writes nothing where nothing differs', async () => {
    const { first, memory } = nodes(1)
    const { record } = await first.engine.login(ann, chrome, [])
    jest.setSystemTime(Date.now() + 60 * SECOND)
    expect(await first.sessions.updateUser('ann', (user: object) => ({ ...user }))).toBe(1)
    expect(memory.get(record.id)).toEqual(record)
    await first.sessions.updateUser('ann', renamed)
    expect(memory.get(record.id)).toEqual({ ...record, user: anna, version: 2 })
  })

  it('and data writes of the same moment: neither is lost', async () => {
    const memory = memoryStore()
    const store = asyncStore(memory)
    const cores = [1, 2].map(() => makeCore(settingsWith({ store })))
    const { record } = await cores[0]!.engine.login({ ...ann, changes: 0 }, chrome, [])
    const count = (name: string, at: number) =>
      cores[at % 2]!.changeData(
        record,
        (data) => ({ ...data, [name]: ((data[name] as number | undefined) ?? 0) + 1 }),
        chrome,
      )
    const change = (user: { changes: number }) => ({ ...user, changes: user.changes + 1 })
    await Promise.all(
      Array.from({ length: 30 }, (_, at) => [
        count('views', at),
        cores[at % 2]!.sessions.updateUser('ann', change),
      ]).flat(),
    )
    expect(memory.get(record.id)).toMatchObject({ data: { views: 30 }, user: { changes: 30 } })
  })

  it('reaches a login that is under way in this process', async () => {
    const { first, world, letGo, users } = nodes(1)
    world.holdsInserts = true
    const login = first.engine.login(ann, chrome, [])
    await turns(2)
    const update = first.sessions.updateUser('ann', renamed)
    await turns(2)
    letGo()
    await login
    expect(await update).toBe(1)
    expect(users()).toEqual([anna])
  })

  it('refuses a login that is under way on another node, where the limit of sessions has a ledger', async () => {
    const { cores, first, world, letGo, users } = nodes(2, { maxSessions: 3 })
    const events: unknown[] = []
    cores[1]!.sessions.on('login', (event) => events.push(event))
    world.holdsInserts = true
    const login = cores[1]!.engine.login(ann, chrome, [])
    await turns(2)
    expect(await first.sessions.updateUser('ann', renamed)).toBe(0)
    letGo()
    expect(await rejectionOf(login)).toMatchObject({ code: 'USER_CHANGED', status: 503 })
    await turns(2)
    expect([users(), events]).toEqual([[], []])
    // What begins afterwards has the new user, as the application knows it.
    await cores[1]!.engine.login(anna, chrome, [])
    expect(users()).toEqual([anna])
  })

  it('looks once more for a login of another node, without a limit of sessions', async () => {
    jest.useFakeTimers({
      now: Date.now(),
      doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick', 'performance'],
    })
    const { cores, first, world, letGo, users } = nodes(2, { storeTimeout: 2 * SECOND })
    await first.engine.login(ann, chrome, [])
    world.holdsInserts = true
    const login = cores[1]!.engine.login(ann, chrome, [])
    await turns(2)
    expect(await first.sessions.updateUser('ann', renamed)).toBe(1)
    letGo()
    await login
    expect(users()).toEqual([anna, ann])
    // One that began later has what the application gave it.
    jest.setSystemTime(Date.now() + 2 * SECOND)
    await cores[1]!.engine.login({ id: 'ann', name: 'Annie' }, chrome, [])
    await jest.advanceTimersByTimeAsync(5 * SECOND)
    await turns(2)
    expect(users()).toEqual([anna, anna, { id: 'ann', name: 'Annie' }])
    await first.sessions.close()
  })

  it('reaches a session that is replaced by a new one in the same moment', async () => {
    const memory = memoryStore()
    const store = asyncStore(memory)
    for (let late = 0; late < 12; late += 1) {
      const user = { id: `ann-${late}`, name: 'Ann' }
      const cores = [1, 2].map(() => makeCore(settingsWith({ store })))
      const { record } = await cores[0]!.engine.login(user, chrome, [])
      const own = { ...record, userId: user.id }
      const changed = cores[0]!.engine.users.credentialsChanged(own, chrome, false)
      await turns(late)
      const [started] = await Promise.all([changed, cores[1]!.sessions.updateUser(user.id, renamed)])
      expect(memory.get(started!.record.id)).toMatchObject({ user: { name: 'Anna' } })
    }
  })

  it('reaches a session that has replaced one on its list before that is changed', async () => {
    const memory = memoryStore()
    let letGo = (): void => undefined
    const slow = replacing(memory, {
      listByUser: async (userId) => {
        const found = await memory.listByUser(userId)
        await new Promise<void>((resolve) => (letGo = resolve))
        return found
      },
    })
    const [one, other] = [memory, slow].map((store) => makeCore(settingsWith({ store }))) as [Core, Core]
    const { record } = await one.engine.login(ann, chrome, [])
    const update = other.sessions.updateUser('ann', renamed)
    await turns(2)
    const started = await one.engine.users.credentialsChanged({ ...record, userId: 'ann' }, chrome, false)
    letGo()
    await turns(2)
    letGo()
    expect(await update).toBe(1)
    expect(memory.get(started!.record.id)).toMatchObject({ user: anna })
  })

  it('and a change of one session alone, while that is replaced: the new session has both', async () => {
    const memory = memoryStore()
    let isLate = false
    const late = replacing(memory, {
      update: async (next, ifVersion) => {
        // The mark that ends the old session comes last: until then it is changed, and its successor as well.
        if (next.endedBy !== undefined && !isLate) {
          isLate = true
          await other.sessions.updateUser('ann', renamed)
        }
        return memory.update(next, ifVersion)
      },
    })
    const other = makeCore(settingsWith({ store: memory }))
    const one = makeCore(settingsWith({ store: late }))
    const { record } = await one.engine.login(ann, chrome, [])
    const own = { ...record, userId: 'ann' }
    const started = (await one.engine.users.credentialsChanged(own, chrome, false))!
    expect(isLate).toBe(true)
    expect(memory.get(started.record.id)).toMatchObject({ user: anna })
  })

  it('keeps what a login would keep', async () => {
    const { first, users } = nodes(1, {
      serializeUser: (user) => ({ name: (user as { name: string }).name }),
      userId: (user) => (user as { id?: string }).id,
    })
    await first.engine.login({ ...ann, hash: 'secret' }, chrome, [])
    await first.sessions.updateUser('ann', () => ({ id: 'ann', name: 'Anna', hash: 'secret' }))
    expect(users()).toEqual([{ name: 'Anna' }])
  })

  it.each([
    ['another user', () => bob],
    ['no object', () => 7 as never],
    ['a promise', async () => anna],
    ['nothing', () => undefined as never],
    ['an object without its id', () => ({ name: 'Anna' })],
  ])('refuses %s, and changes nothing', async (_, fn) => {
    const { first, users } = nodes(1)
    await first.engine.login(ann, chrome, [])
    expect(await rejectionOf(first.sessions.updateUser('ann', fn))).toMatchObject({ code: 'USER_INVALID' })
    expect(users()).toEqual([ann])
  })

  it('with loadUser has nothing to update, and says so', async () => {
    const { first } = nodes(1, { loadUser: () => ann })
    expect(await rejectionOf(first.sessions.updateUser('ann', renamed))).toMatchObject({
      code: 'UNSUPPORTED',
      message: expect.stringContaining('loadUser') as unknown,
    })
    expect(await rejectionOf(first.sessions.updateUser('ann', anna as never))).toMatchObject({
      code: 'OPTION_INVALID',
    })
  })
})
