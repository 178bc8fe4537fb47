import { createSessions, login, logout, requireUser, sessionOf, type SessionOptions } from 'express-sid'
import request from 'supertest'
import { ann, eventsOf, MINUTE, moveTheClock, stopTheClock } from '../support/core.js'
import { cookieOf, expresses, makeApp, route, setCookies, type ExpressModule } from './support/apps.js'
import { FaultyStore, styles, type Fault, type Operation, type Style } from './support/faulty-store.js'
import { expectNoUnhandledRejection } from './support/unhandled.js'

/** Long enough for what answers, short enough for what hangs. */
const storeTimeout = 40

function site(module: ExpressModule, style: Style, given: SessionOptions = {}) {
  const store = new FaultyStore(style)
  const made = makeApp(module, { store, storeTimeout, ...given }, (routes) => {
    routes.post(
      '/login',
      login(() => ann),
    )
    routes.post('/logout', logout())
    routes.get('/', (req, res) => res.json({ user: req.user ?? null, data: sessionOf(req).get('a') ?? null }))
    routes.get('/guarded', requireUser({ loginPage: '/sign-in' }), (req, res) => res.json(req.user))
    routes.post(
      '/set',
      route(async (req, res) => {
        await sessionOf(req).set('a', 1)
        res.end('kept')
      }),
    )
    routes.post(
      '/take',
      route(async (req, res) => res.json(await sessionOf(req).take('a'))),
    )
    routes.get(
      '/list',
      route(async (req, res) => res.json(await sessionOf(req).list())),
    )
    routes.post(
      '/revoke',
      route(async (req, res) => res.json(await sessionOf(req).revoke('other'))),
    )
    routes.post(
      '/revoke-others',
      route(async (req, res) => res.json(await sessionOf(req).revokeOthers())),
    )
    routes.post(
      '/revoke-all',
      route(async (req, res) => res.json(await sessionOf(req).revokeAll())),
    )
  })
  const ask = (method: 'get' | 'post', path: string, cookie?: string) => {
    const test = request(made.app)[method](path)
    return cookie === undefined ? test : test.set('Cookie', cookie)
  }
  const logIn = async () => {
    const cookie = cookieOf(await ask('post', '/login'))
    await ask('post', '/set', cookie)
    return cookie
  }
  return { ...made, store, ask, logIn }
}

const codes: Record<Fault, string> = {
  throws: 'STORE_FAILED',
  rejects: 'STORE_FAILED',
  hangs: 'STORE_TIMEOUT',
  damaged: 'RECORD_DAMAGED',
}
const faults: readonly Fault[] = ['throws', 'rejects', 'hangs']

expectNoUnhandledRejection()

describe.each([
  ...styles.map((style) => ['Express 5', style, expresses[0][1]] as const),
  ['Express 4', 'async', expresses[1][1]] as const,
])('a store that fails', (version, style, module) => {
  describe(`on ${version}, and is otherwise ${style}`, () => {
    test.each([...faults, 'damaged'] as const)(
      'at the lookup, where it %s: every request with a session is a 503',
      async (fault) => {
        const { ask, logIn, store, errors, sessions } = site(module, style)
        const cookie = await logIn()
        const events = eventsOf(sessions)
        store.breakAt('get', fault)
        const all = [
          ['get', '/'],
          ['get', '/guarded'],
          ['get', '/list'],
          ['post', '/login'],
          ['post', '/logout'],
          ['post', '/set'],
        ] as const
        const answers = await Promise.all(all.map(async ([method, path]) => ask(method, path, cookie)))
        for (const res of answers) {
          expect([res.status, res.body.code]).toEqual([503, codes[fault]])
          expect(res.headers['cache-control']).toBe('no-store')
          expect(setCookies(res)).toEqual([])
        }
        expect(errors).toHaveLength(all.length)
        if (fault !== 'damaged')
          expect(new Set(events.map(({ name }) => name))).toEqual(new Set(['storeError']))
        // Strangers need no lookup.
        expect((await ask('get', '/')).body).toEqual({ user: null, data: null })
        store.mend()
        expect((await ask('get', '/', cookie)).body).toEqual({ user: ann, data: 1 })
      },
    )

    test.each(faults)(
      'at the lookup, where it %s, with onStoreError anonymous: reads go on, nothing else does',
      async (fault) => {
        const { ask, logIn, store } = site(module, style, { onStoreError: 'anonymous' })
        const cookie = await logIn()
        store.breakAt('get', fault)
        const read = await ask('get', '/', cookie)
        expect([read.status, read.body]).toEqual([200, { user: null, data: null }])
        expect(setCookies(read)).toEqual([])
        const rest = [
          ['post', '/login'],
          ['post', '/logout'],
          ['post', '/set'],
          ['post', '/take'],
          ['get', '/guarded'],
          ['get', '/list'],
          ['post', '/revoke'],
          ['post', '/revoke-others'],
          ['post', '/revoke-all'],
        ] as const
        const before = store.calls.length
        const answers = await Promise.all(rest.map(async ([method, path]) => ask(method, path, cookie)))
        for (const res of answers) {
          expect([res.status, res.body.code]).toEqual([503, codes[fault]])
          expect(setCookies(res)).toEqual([])
        }
        expect(new Set(store.calls.slice(before))).toEqual(new Set(['get']))
        store.mend()
        expect((await ask('get', '/', cookie)).body.user).toEqual(ann)
      },
    )

    const operations: [string, Operation, 'get' | 'post', string][] = [
      ['a login', 'insert', 'post', '/login'],
      ['a login that ends another', 'delete', 'post', '/login'],
      ['a logout', 'delete', 'post', '/logout'],
      ['a data write', 'update', 'post', '/set'],
      ['a take', 'update', 'post', '/take'],
      ['a list', 'listByUser', 'get', '/list'],
      ['a revocation', 'listByUser', 'post', '/revoke'],
      ['revoking all', 'listByUser', 'post', '/revoke-all'],
      ['revoking all', 'delete', 'post', '/revoke-all'],
    ]
    test.each(operations)(
      'at %s (%s): 503, no cookie, and the session lives on',
      async (_what, operation, method, path) => {
        for (const fault of faults) {
          const { ask, logIn, store, sessions } = site(module, style)
          const cookie = await logIn()
          const before = await sessions.list('ann')
          store.breakAt(operation, fault)
          const res = await ask(method, path, cookie)
          expect([res.status, res.body.code]).toEqual([503, codes[fault]])
          expect(setCookies(res)).toEqual([])
          const used = await ask('get', '/', cookie)
          expect(used.body.user).toEqual(ann)
          store.mend()
          if (operation === 'insert') expect(await sessions.list('ann')).toEqual(before)
          expect((await ask('get', '/', cookie)).body).toEqual({ user: ann, data: 1 })
        }
      },
    )

    test("at a guest's first write: 503 and no cookie", async () => {
      for (const fault of faults) {
        const { ask, store } = site(module, style)
        store.breakAt('insert', fault)
        const res = await ask('post', '/set')
        expect([res.status, res.body.code]).toEqual([503, codes[fault]])
        expect(setCookies(res)).toEqual([])
      }
    })

    test('at a touch: an event, and the request goes on', async () => {
      for (const fault of faults) {
        stopTheClock()
        try {
          const { ask, logIn, store, sessions } = site(module, style)
          const cookie = await logIn()
          moveTheClock(2 * MINUTE)
          const events = eventsOf(sessions)
          store.breakAt('update', fault)
          expect((await ask('get', '/', cookie)).body.user).toEqual(ann)
          expect(events).toEqual([
            {
              name: 'storeError',
              event: { operation: 'update', error: expect.objectContaining({ code: codes[fault] }) },
            },
          ])
        } finally {
          jest.useRealTimers()
        }
      }
    })
  })

  test('answers before any byte of the response, however long it hangs', async () => {
    const { ask, logIn, store } = site(module, 'async')
    const cookie = await logIn()
    store.breakAt('get', 'hangs')
    const before = performance.now()
    const res = await ask('get', '/', cookie)
    expect(res.status).toBe(503)
    expect(performance.now() - before).toBeLessThan(storeTimeout + 1_000)
  })

  test('is not shown to visitors beyond a code: no cause, no stack, no token', async () => {
    const { ask, logIn, store, errors } = site(module, 'sync')
    const cookie = await logIn()
    store.breakAt('get', 'throws')
    const res = await ask('get', '/', cookie)
    const [error] = errors as { expose: boolean; cause: Error; message: string; stack: string }[]
    expect(error).toMatchObject({
      expose: false,
      cause: expect.objectContaining({ message: 'the disk is on fire' }),
    })
    const secret = cookie.slice(-65)
    for (const text of [res.text, error!.message, error!.stack, JSON.stringify(error)]) {
      expect(text).not.toContain(secret)
      expect(text).not.toContain('disk is on fire')
    }
  })
})

describe('a login that can not end the session that the browser held', () => {
  test.each(styles)('leaves no new one, with a store that is %s', async (style) => {
    const { ask, logIn, store, sessions } = site(expresses[0][1], style)
    const cookie = await logIn()
    let calls = 0
    // Only the first one fails: that of the old session. The new one is taken back then.
    jest.spyOn(store.inner, 'delete').mockImplementationOnce(() => {
      calls += 1
      throw new Error('no')
    })
    const events = eventsOf(sessions)
    const res = await ask('post', '/login', cookie)
    expect([res.status, setCookies(res), calls]).toEqual([503, [], 1])
    await new Promise((resolve) => setImmediate(resolve))
    expect(await sessions.list('ann')).toHaveLength(1)
    expect((await ask('get', '/', cookie)).body.user).toEqual(ann)
    expect(events.map(({ name }) => name)).toEqual(['storeError'])
  })
})

describe.each(expresses)('loadUser on %s', (_name, module) => {
  function members(loadUser: (id: string) => unknown, given: SessionOptions = {}) {
    return site(module, 'sync', { loadUser, ...given })
  }

  test('reads the user of each request; the session keeps the id alone', async () => {
    let name = 'Ann'
    const { ask, logIn, sessions } = members(async (id) => ({ id, name }))
    const cookie = await logIn()
    name = 'Anna'
    expect((await ask('get', '/', cookie)).body.user).toEqual({ id: 'ann', name: 'Anna' })
    expect(await sessions.list('ann')).toMatchObject([{ userId: 'ann', user: undefined }])
  })

  test.each([undefined, null, false, Promise.resolve(null)])(
    'that answers %p makes the request anonymous and ends nothing',
    async (answer) => {
      let isThere = true
      const { ask, logIn, sessions } = members(() => (isThere ? ann : answer))
      const cookie = await logIn()
      isThere = false
      const res = await ask('get', '/', cookie)
      expect(res.body.user).toBeNull()
      expect(setCookies(res)).toEqual([])
      expect((await ask('get', '/guarded', cookie)).status).toBe(401)
      expect(await sessions.list('ann')).toHaveLength(1)
      isThere = true
      expect((await ask('get', '/', cookie)).body.user).toEqual(ann)
    },
  )

  test.each([
    [
      'throws',
      () => {
        throw new Error('no database')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no database'))],
    ['hangs', () => new Promise(() => undefined)],
  ])('that %s is a 503, whatever onStoreError says, and ends nothing', async (_how, failing) => {
    for (const onStoreError of ['fail', 'anonymous'] as const) {
      let isWell = true
      const { ask, logIn, sessions } = members(() => (isWell ? ann : failing()), { onStoreError })
      const cookie = await logIn()
      isWell = false
      for (const path of ['/', '/guarded']) {
        const res = await ask('get', path, cookie)
        expect([res.status, res.body.code]).toEqual([503, 'USER_LOAD_FAILED'])
        expect(setCookies(res)).toEqual([])
      }
      isWell = true
      expect(await sessions.list('ann')).toHaveLength(1)
      expect((await ask('get', '/', cookie)).body.user).toEqual(ann)
    }
  })

  test('is not asked for strangers and guests', async () => {
    const asked: string[] = []
    const { ask } = members((id) => void asked.push(id))
    const guest = cookieOf(await ask('post', '/set'))
    expect((await ask('get', '/', guest)).body).toEqual({ user: null, data: 1 })
    await ask('get', '/')
    expect(asked).toEqual([])
  })

  test('answers a login with the id alone: a row may hold a password hash, and what JSON has no word for', async () => {
    const { app } = makeApp(module, { loadUser: (id) => ({ id }) }, (routes) => {
      routes.post(
        '/login',
        login(() => ({ id: 'ann', balance: 1n, passwordHash: 'argon2' })),
      )
    })
    const res = await request(app).post('/login').set('Accept', 'application/json')
    expect([res.status, res.body]).toEqual([200, { user: { id: 'ann' } }])
  })
})

test('a closed manager answers 503 to who has a session, and lets strangers pass', async () => {
  const sessions = createSessions()
  const { app } = makeApp(expresses[0][1], sessions, (routes) => {
    routes.post(
      '/login',
      login(() => ann),
    )
    routes.get('/', (req, res) => res.json({ user: req.user ?? null }))
  })
  const cookie = cookieOf(await request(app).post('/login'))
  await sessions.close()
  const res = await request(app).get('/').set('Cookie', cookie)
  expect([res.status, res.body.code]).toEqual([503, 'CLOSED'])
  expect((await request(app).get('/')).status).toBe(200)
})
