import type { Started } from '../../../src/core/beginning.js'
import { hashOf, isToken } from '../../../src/core/token.js'
import type { Verdict } from '../../../src/core/verdict.js'
import type { SessionRecord } from '../../../src/record.js'
import { DAY, moveTheClock, SECOND, stopTheClock, parseToken } from '../../support/core.js'
import { ann, chrome } from '../../support/people.js'
import { asyncStore, batching, failing, turns } from '../../support/stores.js'
import { EVERY, GRACE, isIn, site, stolen } from '../support/site.js'

beforeEach(() => stopTheClock())
afterEach(async () => {
  await turns(3)
  jest.useRealTimers()
})

describe('a successor', () => {
  it('is issued once a period, to the holder of the current secret, with the same id and series', async () => {
    const { started, ask, stored, names } = await site()
    moveTheClock(EVERY - 1)
    expect((await ask(started.token)).token).toBeUndefined()
    moveTheClock(1)
    const { token } = await ask(started.token)
    const [before, after] = [parseToken(started.token)!, parseToken(token!)!]
    expect(after.id).toBe(before.id)
    expect(after.secret.slice(0, 22)).toBe(before.secret.slice(0, 22))
    expect(after.secret.slice(22)).not.toBe(before.secret.slice(22))
    expect(stored()).toMatchObject({
      rotatedAt: Date.now(),
      nextHash: hashOf(after.secret),
      unusedRotations: 0,
    })
    expect((await ask(started.token)).token).toBeUndefined()
    expect((await ask(token!)).token).toBeUndefined()
    expect(names()).toEqual(['rotate'])
  })

  it('shares one write with the touch', async () => {
    const { started, ask, calls, stored } = await site()
    moveTheClock(EVERY)
    await ask(started.token)
    expect(calls.filter(({ operation }) => operation === 'update')).toHaveLength(1)
    expect(stored()).toMatchObject({ version: 2, lastSeenAt: Date.now() })
  })

  it.each([
    [
      'a guest',
      async (engine: Awaited<ReturnType<typeof site>>['engine']) => engine.startGuest({ a: 1 }, chrome),
      {},
    ],
    ['a login where rotation is off', undefined, { rotateEvery: false as const }],
  ])('is never issued to %s', async (_, start, settings) => {
    const { engine, started, ask } = await site({ guestIdleTimeout: 7 * DAY, ...settings })
    const { token } = start === undefined ? started : await start(engine)
    moveTheClock(DAY)
    const verdict = await ask(token)
    expect(verdict.record).toBeDefined()
    expect(verdict.token).toBeUndefined()
  })

  it('is never issued where the response can not carry it, nor to a client that was refused', async () => {
    const { started, ask, stored } = await site()
    moveTheClock(EVERY)
    expect((await ask(started.token, { takesToken: false })).token).toBeUndefined()
    const gecko = {
      ...chrome,
      userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0',
    }
    expect((await ask(started.token, { client: gecko })).token).toBeUndefined()
    expect(stored()?.nextHash).toBeUndefined()
  })

  it('goes to one winner of many simultaneous requests, and all of them are let in', async () => {
    const { started, ask, names } = await site({}, (store) => asyncStore(batching(store)))
    moveTheClock(EVERY)
    const verdicts = await Promise.all(Array.from({ length: 100 }, () => ask(started.token)))
    expect(verdicts.every(isIn)).toBe(true)
    expect(verdicts.filter(({ token }) => token !== undefined)).toHaveLength(1)
    expect(names()).toEqual(['rotate'])
  })

  it('that a response can not carry costs no write, however many images a page has', async () => {
    const { started, ask, calls } = await site()
    moveTheClock(EVERY)
    await ask(started.token, { takesToken: false })
    const before = calls.length
    for (let image = 0; image < 20; image += 1) {
      expect(isIn(await ask(started.token, { takesToken: false }))).toBe(true)
    }
    expect(calls.slice(before).filter(({ operation }) => operation === 'update')).toEqual([])
    expect((await ask(started.token)).token).toBeDefined()
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('down')
      },
    ],
    ['rejects', () => Promise.reject(new Error('down'))],
    ['hangs', () => new Promise<never>(() => undefined)],
  ])('is not sent where its write %s, and the request goes on', async (_, fail) => {
    const { started, ask } = await site({ storeTimeout: 5 }, (store) => failing(store, 'update', fail))
    moveTheClock(EVERY)
    const verdict = await ask(started.token)
    expect(isIn(verdict)).toBe(true)
    expect(verdict.token).toBeUndefined()
  })

  it('that nobody uses is replaced in the next period, and from the second one on that is reported', async () => {
    const { started, ask, rotated, seen, stored } = await site()
    const lost = await rotated(started.token)
    await rotated(started.token)
    expect(seen.map(({ name }) => name)).toEqual(['rotate', 'rotate'])
    await rotated(started.token)
    await rotated(started.token)
    expect(seen.filter(({ name }) => name === 'rotationUnused').map(({ event }) => event)).toMatchObject([
      { sessionId: started.record.id, userId: 'ann', times: 2 },
      { sessionId: started.record.id, userId: 'ann', times: 3 },
    ])
    expect(stored()?.unusedRotations).toBe(3)
    // The replaced one was issued and is outdated: using it is a reuse.
    expect(await ask(lost)).toMatchObject({ record: undefined, barred: { code: 'SECRET_REUSED' } })
  })
})

describe('the secret before', () => {
  it('stays good as long as the successor was not presented after the grace', async () => {
    const { started, ask, rotated } = await site()
    const next = await rotated(started.token)
    moveTheClock(GRACE - 1)
    expect(isIn(await ask(next))).toBe(true)
    moveTheClock(DAY)
    expect(isIn(await ask(started.token))).toBe(true)
  })

  it('stays good for another grace from then on', async () => {
    const { started, ask, rotated, settle, stored } = await site()
    const next = await rotated(started.token)
    await settle(next)
    expect(stored()).toMatchObject({
      secretHash: hashOf(parseToken(next)!.secret),
      nextHash: undefined,
      priorHash: started.record.secretHash,
      priorUntil: Date.now() + GRACE,
    })
    moveTheClock(GRACE - 1)
    expect(isIn(await ask(started.token))).toBe(true)
    expect(isIn(await ask(next))).toBe(true)
  })

  it('is superseded after that: the session ends, once, for both holders', async () => {
    const { started, ask, rotated, settle, stored, seen } = await site()
    const next = await rotated(started.token)
    await settle(next)
    moveTheClock(GRACE)
    const verdicts = await Promise.all([ask(started.token), ask(started.token)])
    for (const verdict of verdicts) expect(isIn(verdict)).toBe(false)
    expect(verdicts[0]).toMatchObject({
      record: undefined,
      held: [],
      barred: { code: 'SECRET_REUSED', status: 401 },
    })
    expect(stored()).toBeUndefined()
    expect(isIn(await ask(next))).toBe(false)
    expect(seen.filter(({ name }) => name === 'reuse')).toMatchObject([
      { name: 'reuse', event: { sessionId: started.record.id, userId: 'ann', client: chrome, ended: true } },
    ])
    expect(seen.filter(({ name }) => name === 'expire')).toEqual([])
  })
})

describe('a superseded secret', () => {
  it('is found ten generations later', async () => {
    const made = await stolen()
    let { current } = made
    for (let generation = 0; generation < 10; generation += 1) {
      current = await made.rotated(current)
      await made.settle(current)
    }
    expect(isIn(await made.ask(current))).toBe(true)
    await made.ask(made.started.token)
    expect(made.stored()).toBeUndefined()
  })

  it("with 'endAll' ends all sessions of the user", async () => {
    const { engine, started, ask, memory, names } = await stolen({ onReuse: 'endAll' })
    const other = await engine.login(ann, chrome, [])
    await ask(started.token)
    expect(memory.get(other.record.id)).toBeUndefined()
    expect(names()).toEqual(expect.arrayContaining(['reuse', 'revoke']))
  })

  it("with 'report' refuses the request and no more, and is said once in a touchInterval", async () => {
    const { started, ask, current, seen } = await stolen({ onReuse: 'report' })
    for (let count = 0; count < 3; count += 1) {
      expect(await ask(started.token)).toMatchObject({
        record: undefined,
        held: [],
        barred: { code: 'SECRET_REUSED' },
      })
    }
    expect(isIn(await ask(current))).toBe(true)
    expect(seen.filter(({ name }) => name === 'reuse')).toMatchObject([{ event: { ended: false } }])
  })

  it.each(['update', 'delete'] as const)(
    'while the store can not %s is a failure: 503, nobody is let in, and nothing is concluded',
    async (operation) => {
      let isDown = false
      const { started, ask } = await stolen({}, (store) => ({
        ...batching(store),
        [operation]: (...args: never[]) => {
          if (isDown) throw new Error('down')
          return (store[operation] as (...all: never[]) => unknown)(...args)
        },
      }))
      isDown = true
      const verdict = await ask(started.token)
      expect(verdict).toMatchObject({ record: undefined, failure: { code: 'STORE_FAILED', status: 503 } })
      isDown = false
      expect(await ask(started.token)).toMatchObject({ record: undefined, failure: undefined })
    },
  )

  it('is not concluded from an old record: an honest secret looks superseded there', async () => {
    let old: SessionRecord | undefined
    const { started, ask, rotated, settle, stored, names } = await site({}, (store) => ({
      ...batching(store),
      // A cache that is a moment behind.
      getMany: undefined,
      get: (id) => {
        const cached = old
        old = undefined
        return cached ?? store.get(id)
      },
    }))
    const before = stored()
    const next = await rotated(started.token)
    await settle(next)
    old = before
    const verdict = await ask(next)
    expect(isIn(verdict)).toBe(true)
    expect(stored()).toBeDefined()
    expect(names()).toEqual(['rotate'])
  })

  it('beside a good one of the same session is ignored: a browser may hold two cookies of one name', async () => {
    const { engine, started, current, stored } = await stolen()
    const verdict = await new Promise<Verdict>((resolve) =>
      engine.identify(
        [started.token, current].filter(isToken),
        { client: () => chrome, takesToken: () => true },
        resolve,
      ),
    )
    expect(isIn(verdict)).toBe(true)
    expect(stored()).toBeDefined()
  })

  it('with a series that nobody has issued is no reuse: the record and the events stay untouched', async () => {
    const { started, ask, stored, calls, seen } = await stolen()
    const before = stored()
    const [callsBefore, eventsBefore] = [calls.length, seen.length]
    for (let guess = 0; guess < 1_000; guess += 1) {
      const secret = String(guess).padStart(65, 'A')
      expect(isIn(await ask(`${started.record.id}.${secret}`))).toBe(false)
    }
    expect(stored()).toEqual(before)
    expect(seen).toHaveLength(eventsBefore)
    expect(new Set(calls.slice(callsBefore).map(({ operation }) => operation))).toEqual(new Set(['get']))
  })

  it('ends nothing that a login has replaced: login is a new session', async () => {
    const { engine, started, current, ask } = await stolen()
    const held = (await ask(current)).held
    const again: Started = await engine.login(ann, chrome, held)
    expect(isIn(await ask(started.token))).toBe(false)
    expect(isIn(await ask(again.token))).toBe(true)
  })
})

describe('a record that was marked as ended', () => {
  it('is ended, even where the process died before it was deleted, and the theft is reported', async () => {
    const { memory, started, ask, names } = await site()
    void memory.update({ ...started.record, endedBy: 'reuse', version: 2 }, 1)
    moveTheClock(SECOND)
    expect(isIn(await ask(started.token))).toBe(false)
    expect(memory.get(started.record.id)).toBeUndefined()
    expect(names()).toEqual(['reuse'])
  })
})

describe('a record of the version before', () => {
  it('has no rotation fields: its period counts from the login', async () => {
    const { memory, started, ask } = await site()
    const { rotatedAt, nextHash, priorHash, priorUntil, unusedRotations, endedBy, ...old } = started.record
    expect(
      [rotatedAt, nextHash, priorHash, priorUntil, unusedRotations, endedBy].every(
        (one) => one === undefined,
      ),
    ).toBe(true)
    void memory.delete(old.id)
    void memory.insert(old)
    moveTheClock(EVERY)
    expect((await ask(started.token)).token).toBeDefined()
  })
})
