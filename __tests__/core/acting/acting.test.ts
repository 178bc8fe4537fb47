import type { Settings } from '../../../src/core/settings.js'
import type { SessionRecord } from '../../../src/record.js'
import { memoryStore } from '../../../src/stores/memory/index.js'
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
import { asyncStore, failing, replacing } from '../../support/stores.js'

beforeEach(() => stopTheClock())
afterEach(() => jest.useRealTimers())

const sue = { id: 'sue', name: 'Sue', role: 'support' }
const own = (record: SessionRecord) => record as SessionRecord & { userId: string }

/** Sue of the support, who acts as Ann. */
async function site(settings: Partial<Settings> = {}) {
  const store = memoryStore()
  const core = makeCore(settingsWith({ store, mayActAs: () => true, ...settings }))
  const { engine } = core
  const hers = await engine.login(sue, chrome, [])
  const events = eventsOf(core.sessions)
  const act = (user: object = ann, record = hers.record) =>
    engine.acting.begin(own(record), sue, user, chrome)
  const stop = (record: SessionRecord) => engine.acting.stop(own(record), chrome, false)
  const acting = (await act())!
  return { ...core, store, hers, acting, act, stop, events }
}

describe('a session in which a user acts as another one', () => {
  it('is the other one’s, names its actor, and is named in the actor’s own, which stays', async () => {
    const { acting, hers, sessions, identify, use, store } = await site()
    const verdict = await identify([acting.token])
    expect(verdict).toMatchObject({ user: ann, actor: sue, record: { userId: 'ann', data: {} } })
    expect(await sessions.list('ann')).toMatchObject([
      { id: acting.record.id, user: ann, actor: { userId: 'sue', sessionId: hers.record.id } },
    ])
    expect(await sessions.list('sue')).toMatchObject([{ id: hers.record.id, acting: acting.record.id }])
    expect(await use(hers)).toMatchObject({ userId: 'sue' })
    expect((await sessions.find(hers.record.id))!.actor).toBeUndefined()
    expect(store.get(acting.record.id)).toMatchObject({ actor: { sessionId: hers.record.id, userId: 'sue' } })
  })

  it('has its actor in every event about it', async () => {
    const { acting, hers, events, stop, identify, engine } = await site({ rotateEvery: 20 * MINUTE })
    moveTheClock(20 * MINUTE)
    await identify([acting.token])
    const again = (await engine.live.find(acting.record.id))!
    await stop(again)
    const about = events.filter(({ event }) => event.sessionId === acting.record.id)
    expect(about.map(({ name }) => name)).toEqual(['actAs', 'rotate', 'stopActing'])
    const actor = { userId: 'sue', sessionId: hers.record.id }
    for (const { event } of about) expect(event).toMatchObject({ actor, userId: 'ann' })
    expect(
      events.some(({ event }) => event.actor !== undefined && event.sessionId !== acting.record.id),
    ).toBe(false)
  })

  it('has a number for an id where the application has', async () => {
    const store = memoryStore()
    const { engine, sessions } = makeCore(settingsWith({ store, mayActAs: () => true }))
    const { record } = await engine.login({ id: 7 }, chrome, [])
    await engine.acting.begin(own(record), { id: 7 }, { id: 8 }, chrome)
    expect((await sessions.list(8))[0]).toMatchObject({ userId: 8, actor: { userId: 7 } })
  })

  it('lives for its own time, and never longer than the session of its actor', async () => {
    const { acting, use, act, hers } = await site({ actingTimeout: 30 * MINUTE })
    moveTheClock(30 * MINUTE - 1)
    expect(await use(acting)).toBeDefined()
    moveTheClock(1)
    expect(await use(acting)).toBeUndefined()
    expect(await use(hers)).toBeDefined()
    for (let day = 1; day < 30; day += 1) {
      moveTheClock(DAY)
      await use(hers)
    }
    moveTheClock(23 * HOUR + 20 * MINUTE)
    const last = (await act())!
    expect(last.record.absoluteExpiresAt).toBe(hers.record.absoluteExpiresAt)
  })

  it('keeps the actor’s own session from idling out while it is used', async () => {
    const { acting, use, hers, sessions } = await site({ idleTimeout: 20 * MINUTE })
    for (let at = 0; at < 3; at += 1) {
      moveTheClock(15 * MINUTE)
      expect(await use(acting)).toBeDefined()
    }
    expect(await sessions.find(hers.record.id)).toBeDefined()
    moveTheClock(20 * MINUTE)
    expect(await use(acting)).toBeUndefined()
  })

  it('does so also where touches wait, as in every request, and where it is extended or its socket is used', async () => {
    const { engine, acting } = await site({ idleTimeout: 30 * MINUTE, actingTimeout: DAY })
    const find = async () => (await engine.live.find(acting.record.id))!
    const uses: (() => Promise<unknown>)[] = [
      async () => {
        const touches: (() => unknown)[] = []
        const touchLater = (touch: () => unknown) => void touches.push(touch)
        const source = { client: () => chrome, takesToken: () => true, touchLater }
        await new Promise((resolve) => engine.identify([acting.token], source, resolve))
        await Promise.all(touches.map((touch) => touch()))
      },
      async () => engine.change(await find(), (current) => ({ ...current }), chrome),
      () => engine.touch(acting.record.id),
    ]
    for (const use of [...uses, ...uses]) {
      moveTheClock(20 * MINUTE)
      expect(await find()).toBeDefined()
      await use()
    }
  })

  it('begins with a use of the actor’s own session', async () => {
    const { act, hers, engine } = await site({ idleTimeout: 30 * MINUTE })
    moveTheClock(20 * MINUTE)
    const { record } = (await act())!
    moveTheClock(20 * MINUTE)
    expect(await engine.live.find(record.id)).toBeDefined()
    expect((await engine.live.find(hers.record.id))!.acting).toBe(record.id)
  })

  it('gives the place of the actor’s own session to a login in its browser, and no other session has to go', async () => {
    const { engine, acting, use, sessions } = await site({ maxSessions: 2 })
    const phone = await engine.login(sue, chrome, [])
    const again = await engine.login(sue, chrome, [acting.record])
    for (const one of [phone, again]) expect(await use(one)).toBeDefined()
    expect(await sessions.list('sue')).toHaveLength(2)
  })

  it('ends with the actor’s own where a copied cookie of that one is used, and its sockets hear it', async () => {
    const settings = { rotateEvery: HOUR, actingTimeout: 7 * DAY, idleTimeout: 7 * DAY }
    const { engine, hers, identify, act, sessions, store } = await site(settings)
    moveTheClock(HOUR)
    const { token } = await identify([hers.token])
    moveTheClock(5 * MINUTE)
    await identify([token!])
    moveTheClock(5 * MINUTE)
    const { record } = (await act(ann, await engine.live.find(hers.record.id)))!
    const close = jest.fn()
    sessions.onEnd(record.id, close)
    await identify([hers.token])
    expect(store.get(hers.record.id)).toBeUndefined()
    expect(store.get(record.id)).toBeUndefined()
    expect(close).toHaveBeenCalledTimes(1)
    await sessions.close()
  })

  it('is there as long as the actor’s own can’t be ended, so that a logout can be tried again', async () => {
    const memory = memoryStore()
    const world = { fails: '' }
    const store = replacing(memory, {
      delete: (id) => {
        if (id === world.fails) throw new Error('away')
        return memory.delete(id)
      },
    })
    const { engine, use, hers, acting } = await site({ store })
    world.fails = hers.record.id
    expect(await rejectionOf(engine.end([acting.record]))).toMatchObject({ code: 'STORE_FAILED' })
    expect(await use(acting)).toBeDefined()
    world.fails = ''
    await engine.end([acting.record])
    for (const one of [acting, hers]) expect(memory.get(one.record.id)).toBeUndefined()
  })

  it('takes no place among those that its user may have', async () => {
    const { engine, act, sessions, hers, use } = await site({ maxSessions: 1, whenFull: 'refuse' })
    const one = await engine.login(ann, chrome, [])
    await act()
    expect(await use(one)).toBeDefined()
    expect(await sessions.list('ann')).toHaveLength(2)
    // Neither where the ledger is made after it has begun.
    const own2 = (await sessions.find(hers.record.id))!
    expect(own2.acting).toBeDefined()
  })

  it('begins with no data of the actor’s, and a limit of the other’s seats does not see it', async () => {
    const { acting, store, engine } = await site({ maxSessions: 1, whenFull: 'refuse' })
    expect(store.get(acting.record.id)).toMatchObject({ data: {} })
    // Ann has no session of her own: the ledger is made with the acting one there.
    expect(await engine.login(ann, chrome, [])).toBeDefined()
  })
})

describe('it is refused', () => {
  it('unless mayActAs says yes, and nothing but true is a yes', async () => {
    const asked: unknown[] = []
    const noes = [undefined, false, 0, 1, 'yes', {}, Promise.resolve(false), Promise.resolve(1)]
    for (const answer of [...noes, true, Promise.resolve(true)]) {
      const isYes = !noes.includes(answer)
      const store = memoryStore()
      const mayActAs = (...both: unknown[]) => {
        asked.push(both)
        return answer
      }
      const { engine, sessions } = makeCore(settingsWith({ store, mayActAs }))
      const { record } = await engine.login(sue, chrome, [])
      const begun = engine.acting.begin(own(record), sue, ann, chrome)
      if (isYes) expect(await begun).toBeDefined()
      else expect(await rejectionOf(begun)).toMatchObject({ code: 'ACT_AS_REFUSED', status: 403 })
      expect(await sessions.list('ann')).toHaveLength(isYes ? 1 : 0)
    }
    expect(asked[0]).toEqual([sue, ann])
  })

  it('without the option, and says that to listeners', async () => {
    const { engine, sessions } = makeCore(settingsWith({}))
    const events = eventsOf(sessions)
    const { record } = await engine.login(sue, chrome, [])
    const error = await rejectionOf(engine.acting.begin(own(record), sue, ann, chrome))
    expect(error).toMatchObject({
      code: 'ACT_AS_REFUSED',
      message: expect.stringContaining('mayActAs') as unknown,
    })
    expect(events.at(-1)).toMatchObject({
      name: 'actAsRefused',
      event: { sessionId: record.id, userId: 'sue', refusedUserId: 'ann', client: chrome },
    })
  })

  it('for oneself', async () => {
    const { act } = await site()
    expect(await rejectionOf(act(sue))).toMatchObject({ code: 'ACT_AS_REFUSED' })
  })

  it('within itself: it is never nested, nor can it change the credentials of the other one', async () => {
    const { acting, act, engine, use } = await site()
    expect(await rejectionOf(act(bob, acting.record))).toMatchObject({ code: 'ACTING', status: 403 })
    const changed = engine.users.credentialsChanged(own(acting.record), chrome, false)
    expect(await rejectionOf(changed)).toMatchObject({ code: 'ACTING' })
    expect(await use(acting)).toBeDefined()
  })

  it('to a user that can’t be logged in, and then nothing has changed', async () => {
    const { act, acting, use } = await site()
    expect(await rejectionOf(act({ name: 'nobody' }))).toMatchObject({ code: 'USER_INVALID' })
    expect(await use(acting)).toBeDefined()
  })
})

describe('the end of the actor’s own session ends both', () => {
  it.each(['logout', 'revocation', 'revocation of all', 'expiry', 'removal by a sweep'])(
    'by %s',
    async (how) => {
      const { acting, hers, engine, sessions, use, store } = await site({ idleTimeout: 20 * MINUTE })
      if (how === 'logout') await engine.end([(await engine.live.find(hers.record.id))!])
      if (how === 'revocation') await sessions.revoke(hers.record.id)
      if (how === 'revocation of all') await sessions.revokeAll('sue')
      if (how === 'expiry') moveTheClock(20 * MINUTE)
      if (how === 'removal by a sweep') await store.delete(hers.record.id)
      expect(await use(acting)).toBeUndefined()
      expect(await sessions.list('ann')).toEqual([])
      expect(store.get(acting.record.id)).toBeUndefined()
    },
  )

  it('at once, and says why', async () => {
    const { acting, hers, sessions, store, events } = await site()
    await sessions.revoke(hers.record.id)
    expect(store.get(acting.record.id)).toBeUndefined()
    expect(events.filter(({ name }) => name === 'revoke').map(({ event }) => event)).toMatchObject([
      { sessionId: hers.record.id, cause: 'revoke' },
      { sessionId: acting.record.id, cause: 'actorEnded', actor: { userId: 'sue' } },
    ])
  })

  it('where the acting one can’t be removed, it is dead all the same', async () => {
    const { acting, hers, store } = await site()
    const world = { isBroken: false }
    const { sessions, use } = makeCore(
      settingsWith({
        store: failing(store, 'delete', ((id: string) => {
          if (world.isBroken && id === acting.record.id) throw new Error('away')
          return store.delete(id)
        }) as never),
      }),
    )
    world.isBroken = true
    expect(await sessions.revoke(hers.record.id)).toBe(true)
    world.isBroken = false
    expect(await use(acting)).toBeUndefined()
  })

  it('a logout while acting ends the actor’s own session as well: the browser held both', async () => {
    const { acting, hers, engine, use, events } = await site()
    expect(await engine.end([acting.record])).toBe(true)
    expect(await Promise.all([acting, hers].map((one) => use(one)))).toEqual([undefined, undefined])
    expect(events.filter(({ name }) => name === 'logout').map(({ event }) => event.sessionId)).toEqual([
      hers.record.id,
      acting.record.id,
    ])
  })

  it('its end from outside leaves the actor’s own session', async () => {
    const { acting, hers, sessions, use } = await site()
    expect(await sessions.revokeAll('ann')).toBe(1)
    expect(await use(acting)).toBeUndefined()
    expect(await use(hers)).toBeDefined()
  })

  it('of two acting sessions of one session the first one has ended', async () => {
    const { acting, act, use, sessions } = await site()
    const second = (await act(bob))!
    expect(await use(acting)).toBeUndefined()
    expect(await use(second)).toMatchObject({ userId: 'bob' })
    expect(await sessions.list('ann')).toEqual([])
  })
})

describe('who stops acting', () => {
  it('goes on in a fresh session with their own data, and every token of before is dead', async () => {
    const { acting, hers, stop, use, changeData, sessions, events } = await site()
    await changeData(hers.record, () => ({ ticket: 7 }), chrome)
    const fresh = (await stop(acting.record))!
    expect(await Promise.all([acting, hers].map((one) => use(one)))).toEqual([undefined, undefined])
    expect(await use(fresh)).toMatchObject({ userId: 'sue', data: { ticket: 7 }, acting: undefined })
    expect(await sessions.list('ann')).toEqual([])
    expect(events.at(-1)).toMatchObject({
      name: 'stopActing',
      event: {
        sessionId: acting.record.id,
        userId: 'ann',
        resumed: fresh.record.id,
        actor: { userId: 'sue' },
      },
    })
  })

  it('twice at the same moment gets one fresh session', async () => {
    const store = asyncStore(memoryStore())
    const cores = [1, 2].map(() => makeCore(settingsWith({ store, mayActAs: () => true })))
    const { engine, sessions } = cores[0]!
    const { record } = await engine.login(sue, chrome, [])
    const acting = (await engine.acting.begin(own(record), sue, ann, chrome))!
    const results = await Promise.all(
      cores.map((core) => core.engine.acting.stop(own(acting.record), chrome, false)),
    )
    expect(results.filter((one) => one !== undefined)).toHaveLength(1)
    expect(await sessions.list('sue')).toHaveLength(1)
  })

  it('must have begun', async () => {
    const { hers, stop } = await site()
    expect(await rejectionOf(stop(hers.record))).toMatchObject({ code: 'NOT_ACTING', status: 409 })
  })

  it('after their own session has ended is out', async () => {
    const { acting, hers, stop, sessions } = await site()
    await sessions.revoke(hers.record.id)
    expect(await stop(acting.record)).toBeUndefined()
  })
})

describe('with loadUser', () => {
  it('both are read on each request, and an actor who is gone acts no more', async () => {
    const people = new Map<string, object>([
      ['sue', sue],
      ['ann', ann],
    ])
    const { acting, identify, use } = await site({ loadUser: (id) => people.get(String(id)) })
    expect(await identify([acting.token])).toMatchObject({ user: ann, actor: sue })
    people.delete('sue')
    expect(await identify([acting.token])).toMatchObject({ user: undefined, reason: 'userNotFound' })
    expect(await use(acting)).toBe('refused')
  })

  it('a new version of either of them ends it', async () => {
    for (const who of ['sue', 'ann']) {
      const versions: Record<string, number> = { sue: 1, ann: 1 }
      const person = (id: unknown) => ({ id, version: versions[String(id)] })
      const store = memoryStore()
      const { engine, use } = makeCore(
        settingsWith({
          store,
          mayActAs: () => true,
          loadUser: person,
          authVersion: (user) => (user as { version: number }).version,
        }),
      )
      const { record } = await engine.login(person('sue'), chrome, [])
      const acting = (await engine.acting.begin(own(record), person('sue'), person('ann'), chrome))!
      expect(await use(acting)).toBeDefined()
      versions[who] = 2
      expect([undefined, 'refused']).toContain(await use(acting))
      versions[who] = 1
      expect(await use(acting)).toBeUndefined()
    }
  })
})
