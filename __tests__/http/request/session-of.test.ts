import { wiringOf } from '../../../src/http/wiring.js'
import { assert, asyncProperty, jsonValue } from 'fast-check'
import { createSessions, login, sessionOf, type RequestSession } from 'express-sid'
import request from 'supertest'
import { ann, HOUR, moveTheClock, rejectionOf, stopTheClock } from '../../support/core.js'
import { cookieOf, expresses, idOf, makeApp, route, setCookies, type ExpressModule } from '../support/apps.js'
import { FaultyStore, styles, type Style } from '../support/faulty-store.js'

/** An app whose only route does with the session what the test says, and answers it as JSON. */
function site(module: ExpressModule, style: Style = 'sync') {
  const store = new FaultyStore(style)
  let work: (session: RequestSession) => unknown = () => undefined
  const made = makeApp(module, { store }, (routes) => {
    routes.post(
      '/login',
      login(() => ann),
    )
    routes.post(
      '/',
      route(async (req, res) => res.json({ answer: (await work(sessionOf(req))) ?? null })),
    )
  })
  const run = (cookie: string | undefined, todo: (session: RequestSession) => unknown) => {
    work = todo
    const test = request(made.app).post('/')
    return cookie === undefined ? test : test.set('Cookie', cookie)
  }
  const logIn = async () => cookieOf(await request(made.app).post('/login'))
  return { ...made, store, run, logIn }
}

describe.each(expresses)("a session's data on %s", (_name, module) => {
  test.each(styles)(
    'is there in the next request once its promise has resolved, with a store that is %s',
    async (style) => {
      const { run, logIn } = site(module, style)
      const cookie = await logIn()
      const wrote = await run(cookie, (session) => session.set('cart', { items: [1, 'two', null] }))
      expect(setCookies(wrote)).toEqual([])
      const read = await run(cookie, (session) => session.get('cart'))
      expect(read.body.answer).toEqual({ items: [1, 'two', null] })
    },
  )

  test('is read as it was when the request began, or as the request wrote it', async () => {
    const { run, logIn } = site(module)
    const cookie = await logIn()
    const res = await run(cookie, async (session) => {
      const before = session.get('n')
      await session.set('n', 1)
      const between = session.get('n')
      await session.delete('n')
      return [before ?? null, between, session.get('n') ?? null]
    })
    expect(res.body.answer).toEqual([null, 1, null])
  })

  test('is copied in and out, so that only writing changes it', async () => {
    const { run, logIn } = site(module)
    const cookie = await logIn()
    await run(cookie, async (session) => {
      const cart = { items: ['book'] }
      const writing = session.set('cart', cart)
      cart.items.push('never')
      await writing
      cart.items.push('never')
      session.get<typeof cart>('cart')!.items.push('never')
      await session.update<typeof cart>('cart', (kept) => {
        const copy = { items: [...kept!.items, 'pen'] }
        setImmediate(() => copy.items.push('never'))
        return copy
      })
    })
    expect((await run(cookie, (session) => session.get('cart'))).body.answer).toEqual({
      items: ['book', 'pen'],
    })
  })

  test("starts a guest's session at the first write, and none for what writes nothing", async () => {
    const { run, sessions, store } = site(module)
    const nothing = await run(undefined, async (session) => {
      await session.delete('a')
      await session.take('a')
      await session.update('a', () => undefined)
      return session.get('a')
    })
    expect(setCookies(nothing)).toEqual([])
    expect(store.calls).toEqual([])
    const guest = await run(undefined, async (session) => {
      await session.set('a', 1)
      return { id: session.id, user: session.user ?? null, list: await session.list() }
    })
    expect(guest.body.answer).toEqual({ id: idOf(guest), user: null, list: [] })
    expect(guest.headers['cache-control']).toBe('no-store')
    const info = await sessions.find(idOf(guest))
    expect(info!.userId).toBeUndefined()
    expect(info!.expiresAt - info!.createdAt).toBe(HOUR)
    expect((await run(cookieOf(guest), (session) => session.get('a'))).body.answer).toBe(1)
  })

  test.each(styles)(
    'two writes of a stranger at once start one guest, with a store that is %s',
    async (style) => {
      const { run, store } = site(module, style)
      const res = await run(undefined, (session) => Promise.all([session.set('a', 1), session.set('b', 2)]))
      expect(setCookies(res)).toHaveLength(1)
      expect(store.calls).toEqual(['insert', 'update'])
      const read = await run(cookieOf(res), (session) => [session.get('a'), session.get('b')])
      expect(read.body.answer).toEqual([1, 2])
    },
  )

  test.each(styles)('forty increments at once count to forty, with a store that is %s', async (style) => {
    const { run, logIn } = site(module, style)
    const cookie = await logIn()
    const increment = (session: RequestSession) => session.update<number>('n', (n) => (n ?? 0) + 1)
    const counts = await Promise.all(Array.from({ length: 40 }, () => run(cookie, increment)))
    expect(counts.map((res) => res.body.answer as number).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 40 }, (_, index) => index + 1),
    )
    expect((await run(cookie, (session) => session.get('n'))).body.answer).toBe(40)
  })

  test('writes of different keys at once lose nothing', async () => {
    const { app, store } = makeWriters(module)
    const cookie = cookieOf(await request(app).post('/login'))
    const keys = ['a', 'b', 'c', 'd', 'e', 'f']
    await Promise.all(keys.map((key) => request(app).post(`/set/${key}`).set('Cookie', cookie)))
    expect((await request(app).get('/all').set('Cookie', cookie)).body).toEqual(keys)
    expect(store.calls.filter((call) => call === 'update').length).toBeGreaterThan(keys.length)
  })

  test('runs update again on what another request wrote meanwhile', async () => {
    const { run, logIn, sessions } = site(module)
    const cookie = await logIn()
    await run(cookie, (session) => session.set('n', 1))
    const seen: (number | undefined)[] = []
    const other = wiringOf(sessions)!.settings.store
    const res = await run(cookie, async (session) => {
      const record = (await other.get(session.id!))!
      await other.update({ ...record, version: record.version + 1, data: { n: 10 } }, record.version)
      return session.update<number>('n', (n) => {
        seen.push(n)
        return n! + 1
      })
    })
    expect(seen).toEqual([1, 10])
    expect(res.body.answer).toBe(11)
  })

  test('is taken by exactly one of many requests', async () => {
    const { run, logIn } = site(module, 'async')
    const cookie = await logIn()
    await run(cookie, (session) => session.set('voucher', 'v1'))
    const taken = await Promise.all(
      Array.from({ length: 12 }, () => run(cookie, (session) => session.take('voucher'))),
    )
    expect(taken.map((res) => res.body.answer as unknown).filter((answer) => answer !== null)).toEqual(['v1'])
  })

  test('belongs to the session: neither another login nor the next one of this browser sees it', async () => {
    const { app, run, logIn } = site(module)
    const cookie = await logIn()
    await run(cookie, (session) => session.set('secret', 1))
    const read = async (other: string) =>
      (await run(other, (session) => session.get('secret'))).body.answer as unknown
    expect(await read(await logIn())).toBeNull()
    expect(await read(cookieOf(await request(app).post('/login').set('Cookie', cookie)))).toBeNull()
  })

  test('can not be written once the session has ended, in any way, and no guest is started', async () => {
    const { run, logIn, sessions, store } = site(module, 'async')
    const ways: ((session: RequestSession) => unknown)[] = [
      (session) => session.logout(),
      (session) => sessions.revoke(session.id!),
      () => sessions.revokeAll('ann'),
      (session) => session.revokeAll(),
      (session) => session.revoke(session.id!),
    ]
    for (const end of ways) {
      const cookie = await logIn()
      store.calls.length = 0
      const res = await run(cookie, async (session) => {
        await end(session)
        const writers = [
          () => session.set('a', 1),
          () => session.update('a', () => 1),
          () => session.delete('a'),
          () => session.take('a'),
        ]
        const errors = []
        for (const write of writers) errors.push(await rejectionOf(write()))
        return errors.map((error) => (error as { code: string }).code)
      })
      expect(res.body.answer).toEqual(Array.from({ length: 4 }, () => 'SESSION_ENDED'))
      expect(store.calls).not.toContain('insert')
      expect(setCookies(res).filter((line) => !line.startsWith('sid=;'))).toEqual([])
    }
  })

  test('can not be written to a session that ended while it was looked up, and starts no guest', async () => {
    stopTheClock()
    try {
      const { run, logIn, store } = site(module)
      const cookie = await logIn()
      moveTheClock(HOUR)
      const update = store.update.bind(store)
      store.update = (record, ifVersion) => {
        void store.inner.delete(record.id)
        return update(record, ifVersion)
      }
      const res = await run(cookie, async (session) => rejectionOf(session.set('a', 1)))
      expect(res.body.answer).toMatchObject({ code: 'SESSION_ENDED' })
      expect(setCookies(res)).toEqual([])
    } finally {
      jest.useRealTimers()
    }
  })

  test('can not be written to a session that has expired meanwhile', async () => {
    stopTheClock()
    try {
      const { run, logIn } = site(module)
      const cookie = await logIn()
      const res = await run(cookie, async (session) => {
        moveTheClock(8 * 24 * HOUR)
        return rejectionOf(session.set('a', 1))
      })
      expect(res.body.answer).toMatchObject({ code: 'SESSION_ENDED' })
    } finally {
      jest.useRealTimers()
    }
  })

  test('can be written after a logout and a login in the same request', async () => {
    const { run, logIn } = site(module)
    const res = await run(await logIn(), async (session) => {
      await session.logout()
      await session.login({ id: 'bob' })
      await session.set('a', 1)
    })
    const read = await run(cookieOf(res), (session) => [session.user, session.get('a')])
    expect(read.body.answer).toEqual([{ id: 'bob' }, 1])
  })

  test('can not start a guest once the headers were sent, and the store is not asked', async () => {
    const store = new FaultyStore()
    const errors: unknown[] = []
    const { app } = makeApp(module, { store }, (routes) => {
      routes.get(
        '/',
        route(async (req, res) => {
          res.write('begun')
          errors.push(await rejectionOf(sessionOf(req).set('a', 1)))
          res.end()
        }),
      )
    })
    await request(app).get('/')
    expect(errors).toEqual([expect.objectContaining({ code: 'HEADERS_SENT' })])
    expect(store.calls).toEqual([])
  })

  test('can be written in a session that is there after the headers were sent', async () => {
    const { app } = makeApp(module, {}, (routes) => {
      routes.post(
        '/login',
        login(() => ann),
      )
      routes.post(
        '/',
        route(async (req, res) => {
          res.write('begun')
          await sessionOf(req).set('a', 1)
          res.end()
        }),
      )
      routes.get('/', (req, res) => res.json(sessionOf(req).get('a')))
    })
    const cookie = cookieOf(await request(app).post('/login'))
    await request(app).post('/').set('Cookie', cookie)
    expect((await request(app).get('/').set('Cookie', cookie)).body).toBe(1)
  })
})

describe("a session's data", () => {
  const module = expresses[0][1]

  test('takes any string as a key, and inherits none', async () => {
    const { run, logIn } = site(module)
    const cookie = await logIn()
    const keys = [
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      '',
      ' ',
      '\0',
      '\ud800',
      '😀',
      'a.b',
      'x'.repeat(5000),
    ]
    const before = await run(cookie, (session) => keys.map((key) => session.get(key) ?? null))
    expect(before.body.answer).toEqual(keys.map(() => null))
    await run(cookie, async (session) => {
      for (const key of keys) await session.set(key, { of: key.length })
    })
    const after = await run(cookie, (session) => keys.map((key) => session.get(key)))
    expect(after.body.answer).toEqual(keys.map((key) => ({ of: key.length })))
    const taken = await run(cookie, async (session) => [
      await session.take('__proto__'),
      (await session.take('__proto__')) ?? null,
      session.get('x') ?? null,
    ])
    expect(taken.body.answer).toEqual([{ of: 9 }, null, null])
    expect(({} as { of?: unknown }).of).toBeUndefined()
  })

  test('keeps every JSON value as it is', async () => {
    const { run, logIn } = site(module)
    const cookie = await logIn()
    await assert(
      asyncProperty(jsonValue(), async (value) => {
        const kept = JSON.parse(JSON.stringify(value)) as unknown
        await run(cookie, (session) => session.set('value', value))
        let read: unknown
        await run(cookie, (session) => (read = session.get('value')))
        expect(read).toEqual(kept)
      }),
      { numRuns: 40 },
    )
  })

  test.each([
    ['undefined', undefined, 'delete()'],
    ['a function', () => 1, 'function'],
    ['a symbol', Symbol('s'), 'symbol'],
    ['a bigint', 1n, 'pick plain data from it, with no BigInt'],
    ['a promise', Promise.resolve(1), 'Await it first'],
  ])('refuses %s, and says the fix', async (_what, value, words) => {
    const { run, logIn, store } = site(module)
    const cookie = await logIn()
    store.calls.length = 0
    let error: unknown
    await run(cookie, async (session) => void (error = await rejectionOf(session.set('a', value))))
    expect(error).toMatchObject({ code: 'DATA_INVALID', message: expect.stringContaining(words) })
    expect(store.calls).toEqual(['get'])
  })

  test.each([400, 3_000, 4_000, 100_000])('nested %i deep is either refused or readable', async (depth) => {
    const { run, logIn } = site(module)
    const cookie = await logIn()
    let code: string | undefined
    await run(cookie, async (session) => {
      const deep = JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown
      code = await session.set('deep', deep).then(
        () => 'kept',
        (error: { code: string }) => error.code,
      )
    })
    expect(['kept', 'DATA_INVALID']).toContain(code)
    const read = await run(cookie, (session) => void session.get('deep'))
    expect(read.status).toBe(200)
  })

  test('refuses a key that is no string, and an update that is async', async () => {
    const { run, logIn } = site(module)
    const errors: unknown[] = []
    await run(await logIn(), async (session) => {
      errors.push(await rejectionOf(session.set(1 as never, 1)))
      errors.push(await rejectionOf(session.update('a', async () => 1)))
    })
    expect(errors).toEqual([
      expect.objectContaining({ code: 'DATA_INVALID', message: expect.stringContaining("such as 'cart'") }),
      expect.objectContaining({ code: 'DATA_INVALID' }),
    ])
  })

  test('is as it was when update throws, and the next write goes on', async () => {
    const { run, logIn } = site(module)
    const cookie = await logIn()
    const res = await run(cookie, async (session) => {
      await session.set('n', 1)
      const failed = session.update('n', () => {
        throw new Error('changed my mind')
      })
      const next = session.set('m', 2)
      const error = (await rejectionOf(failed)) as Error
      await next
      return [error.message, session.get('n'), session.get('m')]
    })
    expect(res.body.answer).toEqual(['changed my mind', 1, 2])
  })

  test('is not written where nothing changes', async () => {
    const { run, logIn, store } = site(module)
    const cookie = await logIn()
    store.calls.length = 0
    await run(cookie, async (session) => {
      await session.take('nothing')
    })
    expect(store.calls).toEqual(['get'])
    // Somebody else may have written it meanwhile, and what is deleted must be gone.
    await run(cookie, (session) => session.delete('nothing'))
    expect(store.calls).toEqual(['get', 'get', 'get'])
  })
})

test('sessionOf throws MIDDLEWARE_MISSING on a request of no app', () => {
  expect(() => sessionOf({} as never)).toThrow(expect.objectContaining({ code: 'MIDDLEWARE_MISSING' }))
})

/** Each write waits until all are under way, so that all begin with the same version. */
function makeWriters(module: ExpressModule) {
  const store = new FaultyStore('async')
  const { app } = makeApp(module, createSessions({ store }), (routes) => {
    let waiting: (() => void)[] = []
    routes.post(
      '/login',
      login(() => ann),
    )
    routes.post(
      '/set/:key',
      route(async (req, res) => {
        await new Promise<void>((resolve) => {
          waiting.push(resolve)
          if (waiting.length < 6) return
          for (const go of waiting) go()
          waiting = []
        })
        await sessionOf(req).set(String(req.params.key), true)
        res.end()
      }),
    )
    routes.get('/all', (req, res) => {
      res.json(['a', 'b', 'c', 'd', 'e', 'f'].filter((key) => sessionOf(req).get(key)))
    })
  })
  return { app, store }
}
