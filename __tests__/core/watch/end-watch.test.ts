import { createSessions, memoryStore, type EndsListener, type SessionStore } from 'express-sid'
import type { Settings } from '../../../src/core/settings.js'
import { ann, bob, chrome, DAY, HOUR, makeCore, MINUTE, SECOND, settingsWith } from '../../support/core.js'
import { asyncStore, replacing, turns } from '../../support/stores.js'
import { rejectionOf } from '../../support/core.js'

const WITHIN = 30 * SECOND

beforeEach(() =>
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'nextTick', 'queueMicrotask', 'performance'] }),
)
afterEach(() => {
  jest.restoreAllMocks()
  jest.useRealTimers()
})

/** Lets time pass, and all that it causes. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= SECOND) {
    await jest.advanceTimersByTimeAsync(Math.min(left, SECOND))
    await turns(6)
  }
}

/** Two managers on one store, as two processes have them, and ann's session. */
async function twoNodes(store: SessionStore = memoryStore(), settings: Partial<Settings> = {}) {
  const [here, there] = [1, 2].map(() => makeCore(settingsWith({ store, ...settings })))
  const started = await there!.engine.login(ann, chrome, [])
  const { record } = started
  const close = jest.fn()
  const forget = here!.sessions.onEnd(record.id, close)
  await turns()
  return { here: here!, there: there!, started, record, close, forget, store }
}

describe('the end of a session', () => {
  type Nodes = Awaited<ReturnType<typeof twoNodes>>
  const ways: [string, (nodes: Nodes, by: Nodes['here']) => unknown][] = [
    ['a logout', ({ record }, { engine }) => engine.end([record])],
    ['a login in its place', ({ record }, { engine }) => engine.login(bob, chrome, [record])],
    ['a revocation', ({ record }, { sessions }) => sessions.revoke(record.id)],
    ['the revocation of all', (_, { sessions }) => sessions.revokeAll('ann')],
  ]

  it.each(ways)('by %s is heard at once in its own process, and called once', async (_, end) => {
    const nodes = await twoNodes(asyncStore(memoryStore()))
    expect(nodes.close).not.toHaveBeenCalled()
    await end(nodes, nodes.here)
    expect(nodes.close).toHaveBeenCalledTimes(1)
    await pass(3 * WITHIN)
    expect(nodes.close).toHaveBeenCalledTimes(1)
  })

  it.each(ways)('by %s in another process is heard in time, and called once', async (_, end) => {
    const nodes = await twoNodes(asyncStore(memoryStore()))
    await pass(7 * SECOND)
    await end(nodes, nodes.there)
    await pass(WITHIN)
    expect(nodes.close).toHaveBeenCalledTimes(1)
    await pass(3 * WITHIN)
    expect(nodes.close).toHaveBeenCalledTimes(1)
  })

  it('is heard of a store without getMany, and of a guest, too', async () => {
    const store = replacing(memoryStore(), { getMany: undefined })
    const { here, there } = await twoNodes(store)
    const guest = await there.engine.startGuest({}, chrome)
    const close = jest.fn()
    here.sessions.onEnd(guest.record.id, close)
    await there.engine.end([guest.record])
    await pass(WITHIN)
    expect(close).toHaveBeenCalledTimes(1)
  })

  it('that came before is heard in a moment', async () => {
    const { here, there, record } = await twoNodes()
    await there.engine.end([record])
    const late = jest.fn()
    here.sessions.onEnd(record.id, late)
    expect(late).not.toHaveBeenCalled()
    await turns()
    expect(late).toHaveBeenCalledTimes(1)
  })

  it('that is only marked is heard, and what is left to do is left to those who know', async () => {
    const { there, record, close, store } = await twoNodes()
    await there.engine.live.change(record, (current) => ({ ...current, endedBy: 'reuse' }))
    await pass(WITHIN)
    expect(close).toHaveBeenCalledTimes(1)
    expect(await store.get(record.id)).toMatchObject({ endedBy: 'reuse' })
  })

  it('by its idle deadline is heard, and the session removed; one that is used elsewhere lives on', async () => {
    const idle = { idleTimeout: HOUR, touchInterval: MINUTE }
    const { here, there, record, close, store } = await twoNodes(memoryStore(), idle)
    const used = await there.engine.login(bob, chrome, [])
    const closeUsed = jest.fn()
    here.sessions.onEnd(used.record.id, closeUsed)
    await pass(59 * MINUTE)
    await there.use(used)
    expect([close, closeUsed].map(({ mock }) => mock.calls.length)).toEqual([0, 0])
    await pass(MINUTE + WITHIN)
    expect([close, closeUsed].map(({ mock }) => mock.calls.length)).toEqual([1, 0])
    expect(await store.get(record.id)).toBeUndefined()
    await pass(HOUR)
    expect(closeUsed).toHaveBeenCalledTimes(1)
  })

  it('by its absolute deadline is heard, however often it is used', async () => {
    const { here, started, close } = await twoNodes(memoryStore(), {
      absoluteTimeout: 10 * MINUTE,
      idleTimeout: 10 * MINUTE,
    })
    for (let minute = 0; minute < 10; minute += 1) {
      await pass(MINUTE)
      await here.use(started)
    }
    await pass(WITHIN)
    expect(close).toHaveBeenCalledTimes(1)
  })
})

describe('the end of a session in which somebody acts as its user', () => {
  it('comes with the session of its actor, and is heard in time', async () => {
    const store = asyncStore(memoryStore())
    const [here, there] = [1, 2].map(() => makeCore(settingsWith({ store, mayActAs: () => true })))
    const own = (await there!.engine.login(bob, chrome, [])).record
    const acting = (await there!.engine.acting.begin(own as never, bob, ann, chrome))!.record
    const close = jest.fn()
    here!.sessions.onEnd(acting.id, close)
    await pass(WITHIN)
    expect(close).not.toHaveBeenCalled()
    // As an expiry does, or a node of a version that knows no acting.
    await store.delete(own.id)
    await pass(WITHIN)
    expect(close).toHaveBeenCalledTimes(1)
    expect(await store.get(acting.id)).toBeUndefined()
  })
})

describe('what onEnd returns', () => {
  it('takes back its own call and no other of the same session', async () => {
    const { here, record, close, forget } = await twoNodes()
    const other = jest.fn()
    here.sessions.onEnd(record.id, other)
    forget()
    forget()
    await here.engine.end([record])
    expect([close.mock.calls.length, other.mock.calls.length]).toEqual([0, 1])
  })

  it('may be called by another listener of the same end, and after it', async () => {
    const { here, record } = await twoNodes()
    const second = jest.fn()
    here.sessions.onEnd(record.id, () => forgetSecond())
    const forgetSecond = here.sessions.onEnd(record.id, second)
    await here.engine.end([record])
    expect(second).not.toHaveBeenCalled()
    expect(() => forgetSecond()).not.toThrow()
  })

  it('leaves nothing to look for', async () => {
    const asked = jest.fn()
    const inner = memoryStore()
    const store = replacing(inner, { getMany: (ids) => (asked(ids), inner.getMany!(ids)) })
    const { forget } = await twoNodes(store)
    forget()
    asked.mockClear()
    await pass(3 * WITHIN)
    expect(asked).not.toHaveBeenCalled()
  })
})

describe('what is called at the end', () => {
  it('harms nobody where it throws or rejects: the process is warned', async () => {
    const { here, record, close } = await twoNodes()
    const warned = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    here.sessions.onEnd(record.id, () => {
      throw new Error('socket is gone')
    })
    here.sessions.onEnd(record.id, () => Promise.reject(new Error('socket is gone')))
    const last = jest.fn()
    here.sessions.onEnd(record.id, last)
    expect(await here.engine.end([record])).toBe(true)
    await turns()
    expect([close.mock.calls.length, last.mock.calls.length]).toEqual([1, 1])
    const words = /A listener of sessions.onEnd\(\) threw.*socket is gone/
    expect(warned.mock.calls.map(([text]) => text)).toEqual([
      expect.stringMatching(words),
      expect.stringMatching(words),
    ])
  })

  it.each([undefined, null, '', 'sid', 7])('needs the id of a session: %p is refused', (id) => {
    expect(() => createSessions().onEnd(id as string, () => undefined)).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: expect.stringContaining('A stranger has none'),
      }),
    )
  })

  it('must be a function', async () => {
    const { here, record } = await twoNodes()
    expect(() => here.sessions.onEnd(record.id, 'close' as never)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining('a function') }),
    )
  })
})

describe('a store that fails', () => {
  it('ends nobody, however long it does; afterwards the end is heard', async () => {
    const inner = memoryStore()
    let isDown = false
    const getMany: SessionStore['getMany'] = (ids) => {
      if (isDown) throw new Error('down')
      return inner.getMany!(ids)
    }
    const { there, record, close } = await twoNodes(replacing(inner, { getMany }))
    isDown = true
    await there.engine.end([record])
    await pass(5 * MINUTE)
    expect(close).not.toHaveBeenCalled()
    isDown = false
    await pass(WITHIN)
    expect(close).toHaveBeenCalledTimes(1)
  })

  it('or hangs ends nobody either', async () => {
    const inner = memoryStore()
    let isHanging = false
    const getMany: SessionStore['getMany'] = (ids) =>
      isHanging ? new Promise(() => undefined) : inner.getMany!(ids)
    const { there, record, close } = await twoNodes(replacing(inner, { getMany }))
    isHanging = true
    await there.engine.end([record])
    await pass(MINUTE)
    expect(close).not.toHaveBeenCalled()
    isHanging = false
    await pass(WITHIN)
    expect(close).toHaveBeenCalledTimes(1)
  })

  it.each([
    ['a damaged record', (id: string) => [{ id }]],
    ['too few records', () => []],
    ['no list', () => undefined],
  ])('or returns %s ends nobody either', async (_, returned) => {
    const inner = memoryStore()
    const getMany = jest.fn((ids: readonly string[]) => inner.getMany!(ids))
    const { record, close } = await twoNodes(replacing(inner, { getMany }))
    getMany.mockImplementation(() => returned(record.id) as never)
    await pass(2 * WITHIN)
    expect(close).not.toHaveBeenCalled()
  })

  it('without getMany keeps the end of others from nobody by one damaged record', async () => {
    const inner = memoryStore()
    let damaged = ''
    const get: SessionStore['get'] = (id) => (id === damaged ? ({ id } as never) : inner.get(id))
    const { here, there, record, close } = await twoNodes(replacing(inner, { get, getMany: undefined }))
    damaged = (await there.engine.login(bob, chrome, [])).record.id
    const closeDamaged = jest.fn()
    here.sessions.onEnd(damaged, closeDamaged)
    await there.engine.end([record])
    await pass(WITHIN)
    expect([close.mock.calls.length, closeDamaged.mock.calls.length]).toEqual([1, 0])
  })
})

describe('many sessions', () => {
  it('are looked for 500 in one question, and those that are opened together in one', async () => {
    const inner = memoryStore()
    const sizes: number[] = []
    const getMany: SessionStore['getMany'] = (ids) => {
      sizes.push(ids.length)
      return inner.getMany!(ids)
    }
    const { sessions, engine } = makeCore(settingsWith({ store: replacing(inner, { getMany }) }))
    const all = await Promise.all(Array.from({ length: 1_200 }, () => engine.login(ann, chrome, [])))
    const closed: string[] = []
    for (const { record } of all) sessions.onEnd(record.id, () => closed.push(record.id))
    await turns(20)
    expect(sizes).toEqual([500, 500, 200])
    sizes.length = 0
    await pass(WITHIN)
    expect(sizes).toEqual([500, 500, 200])
    for (const { record } of all.slice(600)) void inner.delete(record.id)
    await pass(WITHIN)
    expect(closed).toHaveLength(600)
    sizes.length = 0
    await pass(WITHIN)
    // Of those that have ended nobody asks again.
    expect(sizes).toEqual([500, 100])
  })
})

describe('with a channel of the store', () => {
  /** A store that can tell ends, as Redis does: what the other node ends is told where `tells` is true. */
  async function withChannel() {
    const inner = memoryStore()
    let listener: EndsListener | undefined
    const beat = jest.fn(() => listener?.alive())
    const closed = jest.fn()
    const asked = jest.fn()
    const hearEnds = jest.fn((given: EndsListener) => {
      listener = given
      return { beat, close: closed }
    })
    const store = replacing(inner, { hearEnds, getMany: (ids) => (asked(ids), inner.getMany!(ids)) })
    const nodes = await twoNodes(store)
    const endUnheard = () => void inner.delete(nodes.record.id)
    return { ...nodes, beat, closed, asked, hearEnds, endUnheard, listener: listener! }
  }

  it('an end is heard at once', async () => {
    const { listener, record, close, there } = await withChannel()
    listener.ended('01a2169c-13a5-769e-b276-10a2632c41e0')
    expect(close).not.toHaveBeenCalled()
    await there.engine.end([record])
    listener.ended(record.id)
    listener.ended(record.id)
    expect(close).toHaveBeenCalledTimes(1)
  })

  it('the sessions are looked for ten times as rarely', async () => {
    const { listener, asked } = await withChannel()
    listener.alive()
    await turns()
    asked.mockClear()
    await pass(20 * WITHIN)
    expect(asked).toHaveBeenCalledTimes(2)
  })

  it('that is lost, an end is heard in time by looking', async () => {
    const { listener, close, endUnheard } = await withChannel()
    listener.alive()
    await pass(MINUTE)
    listener.lost()
    endUnheard()
    await pass(WITHIN)
    expect(close).toHaveBeenCalledTimes(1)
  })

  it('that has become silent, this is noticed, and an end is heard in time by looking', async () => {
    const { listener, beat, close, endUnheard } = await withChannel()
    listener.alive()
    await pass(MINUTE)
    expect(beat).toHaveBeenCalled()
    beat.mockImplementation(() => undefined)
    endUnheard()
    await pass(WITHIN)
    expect(close).toHaveBeenCalledTimes(1)
  })

  it('that tells of other ends, and brings no sign of life, is taken as lost', async () => {
    const { listener, close, beat, endUnheard } = await withChannel()
    beat.mockImplementation(() => undefined)
    listener.alive()
    await turns()
    endUnheard()
    for (let seconds = 0; seconds < 40; seconds += 2) {
      listener.ended('01a2169c-13a5-769e-b276-10a2632c41e0')
      await pass(2 * SECOND)
    }
    expect(close).toHaveBeenCalledTimes(1)
  })

  it('that is opened again, what was missed is heard in a moment', async () => {
    const { listener, close, endUnheard } = await withChannel()
    listener.alive()
    await turns()
    listener.lost()
    endUnheard()
    listener.alive()
    await turns()
    expect(close).toHaveBeenCalledTimes(1)
  })

  it('that can not be opened, or whose signs of life fail, it is as without one', async () => {
    const { beat, close, endUnheard } = await withChannel()
    beat.mockImplementation(() => {
      throw new Error('no connection')
    })
    await pass(MINUTE)
    endUnheard()
    await pass(WITHIN)
    expect(close).toHaveBeenCalledTimes(1)
  })

  it('a deadline is heard all the same, which nobody tells', async () => {
    const { listener, record, close } = await withChannel()
    listener.alive()
    jest.setSystemTime(record.expiresAt)
    await pass(WITHIN)
    expect(close).toHaveBeenCalledTimes(1)
  })

  it('nothing is opened before the first onEnd, and close() closes it', async () => {
    const hearEnds = jest.fn(() => ({ beat: () => undefined, close: () => undefined }))
    const idle = makeCore(settingsWith({ store: replacing(memoryStore(), { hearEnds }) }))
    await idle.engine.login(ann, chrome, [])
    await pass(WITHIN)
    expect(hearEnds).not.toHaveBeenCalled()
    expect(idle.engine.records.onDeleted).toBeUndefined()
    const { here, closed } = await withChannel()
    await here.sessions.close()
    expect(closed).toHaveBeenCalledTimes(1)
  })
})

describe('a closed manager', () => {
  it('calls nothing any more, leaves no timer, and refuses onEnd', async () => {
    const { here, there, record, close } = await twoNodes()
    await here.sessions.close()
    await there.engine.end([record])
    await pass(2 * WITHIN)
    expect(close).not.toHaveBeenCalled()
    await there.sessions.close()
    expect(jest.getTimerCount()).toBe(0)
    expect(() => here.sessions.onEnd(record.id, close)).toThrow(expect.objectContaining({ code: 'CLOSED' }))
  })
})

describe('touch', () => {
  it('moves the idle deadline as a request does, at most once in a touchInterval', async () => {
    const { here, record, store } = await twoNodes(memoryStore(), { touchInterval: MINUTE })
    const stored = async () => (await store.get(record.id))!
    jest.setSystemTime(record.createdAt + 59 * SECOND)
    expect(await here.sessions.touch(record.id)).toBe(true)
    expect(await stored()).toEqual(record)
    jest.setSystemTime(record.createdAt + MINUTE)
    const both = [here.sessions.touch(record.id), here.sessions.touch(record.id)]
    expect(await Promise.all(both)).toEqual([true, true])
    const after = await stored()
    expect([after.version, after.lastSeenAt]).toEqual([2, record.createdAt + MINUTE])
    expect(after.expiresAt).toBe(record.createdAt + MINUTE + 7 * DAY)
    expect(after).toMatchObject({ userAgent: record.userAgent, ip: record.ip, data: record.data })
  })

  it('keeps a connection from being idle, so that onEnd is not called', async () => {
    const { here, close, record } = await twoNodes(memoryStore(), { idleTimeout: HOUR })
    for (let quarter = 0; quarter < 12; quarter += 1) {
      await pass(15 * MINUTE)
      expect(await here.sessions.touch(record.id)).toBe(true)
    }
    expect(close).not.toHaveBeenCalled()
  })

  it('is false for a session that has ended, or never was, and revives none', async () => {
    const { here, there, record, store } = await twoNodes()
    jest.setSystemTime(record.createdAt + HOUR)
    await there.engine.end([record])
    expect(await here.sessions.touch(record.id)).toBe(false)
    expect(await here.sessions.touch('nobody')).toBe(false)
    expect(await store.get(record.id)).toBeUndefined()
  })

  it('ends a session that is older than the version of its user', async () => {
    const users = new Map([['ann', { ...ann, version: 1 }]])
    const settings = {
      touchInterval: MINUTE,
      loadUser: (id: string | number) => users.get(String(id)),
      authVersion: (user: unknown) => (user as { version: number }).version,
    }
    const { sessions, engine } = makeCore(settingsWith(settings))
    const { record } = await engine.login(users.get('ann'), chrome, [])
    const close = jest.fn()
    sessions.onEnd(record.id, close)
    await pass(2 * MINUTE)
    expect(await sessions.touch(record.id)).toBe(true)
    users.set('ann', { ...ann, version: 2 })
    await pass(2 * MINUTE)
    expect(close).not.toHaveBeenCalled()
    expect(await sessions.touch(record.id)).toBe(false)
    expect(close).toHaveBeenCalledTimes(1)
  })

  it('rejects where the store fails', async () => {
    const get: SessionStore['get'] = () => {
      throw new Error('down')
    }
    const { sessions } = makeCore(
      settingsWith({ store: replacing(memoryStore(), { get, getMany: undefined }) }),
    )
    const asked = sessions.touch('01a2169c-13a5-769e-b276-10a2632c41e0')
    expect(await rejectionOf(asked)).toMatchObject({ code: 'STORE_FAILED', status: 503 })
  })
})
