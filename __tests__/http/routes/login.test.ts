import express from 'express'
import { createSessions, login, refuse, sessionMiddleware, sessionOf, type SessionOptions } from 'express-sid'
import request from 'supertest'
import type { Authenticate, LoginOptions } from '../../../src/http/routes/login.js'
import { ann, bob, eventsOf, rejectionOf } from '../../support/core.js'
import {
  agents,
  cookieOf,
  expresses,
  idOf,
  makeApp,
  route,
  setCookies,
  tokenOf,
  type ExpressModule,
} from '../support/apps.js'
import { FaultyStore } from '../support/faulty-store.js'
import { expectNoUnhandledRejection } from '../support/unhandled.js'

function site(
  module: ExpressModule,
  authenticate: Authenticate,
  options?: LoginOptions,
  given: SessionOptions = {},
) {
  return makeApp(module, given, (routes) => {
    routes.all('/login', express.urlencoded(), login(authenticate, options))
    routes.get('/', (req, res) =>
      res.json({ user: req.user ?? null, cart: sessionOf(req).get('cart') ?? null }),
    )
    routes.post(
      '/cart',
      route(async (req, res) => {
        await sessionOf(req).set('cart', ['book'])
        await sessionOf(req).set('theme', 'dark')
        res.end()
      }),
    )
  })
}

describe.each(expresses)('login() on %s', (_name, module) => {
  expectNoUnhandledRejection()

  test.each([
    ['a user', () => ann],
    ['a promise of one', async () => ann],
  ])('logs in when authenticate answers %s, in the words of the article', async (_what, authenticate) => {
    const { app, sessions } = site(module, authenticate)
    const events = eventsOf(sessions)
    const res = await request(app).post('/login')
    expect([res.status, res.text, res.type]).toEqual([200, 'Logged In', 'text/plain'])
    expect(res.headers['cache-control']).toBe('no-store')
    expect((await request(app).get('/').set('Cookie', cookieOf(res))).body.user).toEqual(ann)
    expect(events).toEqual([
      {
        name: 'login',
        event: { sessionId: idOf(res), userId: 'ann', client: { userAgent: '', ip: '127.0.0.1' } },
      },
    ])
  })

  test('makes the user of the session the user of the very request', async () => {
    const { app } = makeApp(module, { serializeUser: ({ id }: typeof ann) => ({ id }) }, (routes) => {
      routes.post(
        '/login',
        route(async (req, res) => {
          const info = await sessionOf(req).login(ann)
          res.json({ user: req.user, same: req.user === sessionOf(req).user, info, id: sessionOf(req).id })
        }),
      )
    })
    const { body } = await request(app).post('/login')
    expect(body).toMatchObject({ user: { id: 'ann' }, same: true })
    expect(body.info).toMatchObject({ id: body.id, userId: 'ann', current: true })
  })

  test('answers JSON clients with the user', async () => {
    const { app } = site(module, () => ann)
    const res = await request(app).post('/login').set('Accept', 'application/json')
    expect(res.body).toEqual({ user: ann })
  })

  test.each([
    [undefined, {}],
    [null, {}],
    [false, {}],
    [refuse(), {}],
    [refuse({ reason: 'locked', userId: 7 }), { reason: 'locked', userId: '7' }],
  ])(
    'refuses when authenticate answers %p, with the same 401 as for all',
    async (answer, { reason, userId }: { reason?: string; userId?: string }) => {
      const { app, sessions } = site(module, () => answer)
      const events = eventsOf(sessions)
      const text = await request(app).post('/login')
      expect([text.status, text.text]).toEqual([401, 'Login Failed'])
      const json = await request(app).post('/login').set('Accept', 'application/json')
      expect([json.status, json.body]).toEqual([
        401,
        { error: { code: 'LOGIN_REFUSED', message: 'Login Failed' } },
      ])
      expect([text, json].flatMap(setCookies)).toEqual([])
      const event = { reason, userId, client: { userAgent: '', ip: '127.0.0.1' } }
      const refused = { name: 'loginRefused', event }
      expect(events).toEqual([refused, refused])
    },
  )

  test.each([undefined, null, 0, ''])(
    'fails when authenticate rejects with %p in place of an error',
    async (nothing) => {
      const { app } = makeApp(module, {}, (routes) => {
        routes.post(
          '/login',
          login(() => Promise.reject(nothing)),
          (_req, res) => void res.send('went on'),
        )
      })
      expect((await request(app).post('/login')).status).toBe(500)
    },
  )

  test('takes nothing from a session that it was refused, and ends it', async () => {
    const { app } = site(module, () => ann, { keep: ['cart'] })
    const guest = cookieOf(await request(app).post('/cart').set('User-Agent', agents.chrome))
    const ask = (cookie: string, agent: string) =>
      request(app).get('/').set({ Cookie: cookie, 'User-Agent': agent })
    expect((await ask(guest, agents.chrome)).body).toEqual({ user: null, cart: ['book'] })
    const loggedIn = await request(app).post('/login').set({ Cookie: guest, 'User-Agent': agents.firefox })
    expect((await ask(cookieOf(loggedIn), agents.firefox)).body).toEqual({ user: ann, cart: null })
    expect((await ask(guest, agents.chrome)).body).toEqual({ user: null, cart: null })
  })

  test('keeps the session that the browser has when the next login is refused', async () => {
    const { app } = site(module, (req) => req.body?.password === 'right' && ann)
    const first = await request(app).post('/login').send('password=right')
    const second = await request(app).post('/login').send('password=wrong').set('Cookie', cookieOf(first))
    expect(second.status).toBe(401)
    expect(setCookies(second)).toEqual([])
    expect((await request(app).get('/').set('Cookie', cookieOf(first))).body.user).toEqual(ann)
  })

  test.each([
    [
      'throws',
      () => {
        throw new Error('no database')
      },
    ],
    ['rejects', () => Promise.reject(new Error('no database'))],
  ])('hands what authenticate %s to the error handler, once', async (_how, authenticate) => {
    const { app, errors } = site(module, authenticate)
    const res = await request(app).post('/login')
    expect([res.status, res.body.message]).toEqual([500, 'no database'])
    expect(res.headers['cache-control']).toBe('no-store')
    expect(setCookies(res)).toEqual([])
    expect(errors).toHaveLength(1)
  })

  test.each([
    ['no id', {}],
    ['an empty id', { id: '' }],
    ['a fraction as its id', { id: 1.5 }],
    ['an id that is too large to be exact', { id: 2 ** 53 }],
    ['an object as its id', { id: { toString: () => 'ann' } }],
    ['a promise as its id', { id: Promise.resolve(1) }],
    [
      'a circle',
      Object.assign(
        { id: 1 },
        {
          toJSON() {
            return this
          },
          self: [] as unknown[],
        },
      ),
    ],
    ['a bigint', { id: 1, balance: 1n }],
    ['text', 'ann'],
    ['true', true],
    ['an array', [ann]],
  ])('logs nobody in whose user is or has %s', async (what, user) => {
    const { app, sessions } = site(module, () => user)
    if (what === 'a circle') (user as { self: unknown[] }).self.push(user)
    const events = eventsOf(sessions)
    const res = await request(app).post('/login')
    expect([res.status, res.body.code]).toEqual([500, 'USER_INVALID'])
    expect(setCookies(res)).toEqual([])
    expect(events).toEqual([])
  })

  test('ends the session that the browser held, and no other of the user', async () => {
    const { app, sessions } = site(module, (req) => req.body)
    const elsewhere = await request(app).post('/login').send('id=ann')
    const held = await request(app).post('/login').send('id=ann')
    const events = eventsOf(sessions)
    const next = await request(app).post('/login').send('id=ann').set('Cookie', cookieOf(held))
    expect(tokenOf(next)).not.toBe(tokenOf(held))
    expect(events.map(({ name }) => name)).toEqual(['logout', 'login'])
    expect(events[0]!.event).toEqual({ sessionId: idOf(held), userId: 'ann', replaced: true })
    expect((await sessions.list('ann')).map(({ id }) => id).toSorted()).toEqual([idOf(elsewhere), idOf(next)])
    expect((await request(app).get('/').set('Cookie', cookieOf(held))).body.user).toBeNull()
  })

  test('adopts no token that was planted before the login', async () => {
    const { app, sessions } = site(module, () => ann)
    const planted = `019a0000-0000-7000-8000-000000000000.${'A'.repeat(65)}`
    const res = await request(app).post('/login').set('Cookie', `sid=${planted}`)
    expect(tokenOf(res)).not.toContain('019a0000-0000-7000-8000-000000000000')
    expect(tokenOf(res)).not.toContain('A'.repeat(65))
    expect((await request(app).get('/').set('Cookie', `sid=${planted}`)).body.user).toBeNull()
    expect(await sessions.find('019a0000-0000-7000-8000-000000000000')).toBeUndefined()
  })

  test("takes over a guest's data by name only", async () => {
    const { app, sessions } = makeApp(module, {}, (routes) => {
      routes.post(
        '/guest',
        route(async (req, res) => {
          for (const key of ['cart', 'theme', '__proto__']) await sessionOf(req).set(key, `my ${key}`)
          res.end()
        }),
      )
      const keep = ['cart', '__proto__', 'constructor', 'nothing']
      routes.post(
        '/login',
        login(() => ann, { keep }),
      )
      routes.get('/', (req, res) =>
        res.json(keep.concat('theme').map((key) => sessionOf(req).get(key) ?? null)),
      )
    })
    const guest = await request(app).post('/guest')
    const res = await request(app).post('/login').set('Cookie', cookieOf(guest))
    const { body } = await request(app).get('/').set('Cookie', cookieOf(res))
    expect(body).toEqual(['my cart', 'my __proto__', null, null, null])
    expect(await sessions.find(idOf(guest))).toBeUndefined()
  })

  test('takes nothing over by default', async () => {
    const { app } = site(module, () => ann)
    const guest = await request(app).post('/cart')
    const res = await request(app).post('/login').set('Cookie', cookieOf(guest))
    expect((await request(app).get('/').set('Cookie', cookieOf(res))).body).toEqual({ user: ann, cart: null })
  })

  test('takes nothing over from another login, be it of the same user', async () => {
    const { app } = site(module, (req) => req.body, { keep: ['cart'] })
    const first = await request(app).post('/login').send('id=ann')
    await request(app).post('/cart').set('Cookie', cookieOf(first))
    for (const body of ['id=ann', 'id=bob']) {
      const res = await request(app).post('/login').send(body).set('Cookie', cookieOf(first))
      expect((await request(app).get('/').set('Cookie', cookieOf(res))).body.cart).toBeNull()
    }
  })

  test.each(['get', 'post', 'put', 'delete'])('refuses %s from a page of another origin', async (method) => {
    let isAsked = false
    const { app } = site(module, () => {
      isAsked = true
      return ann
    })
    for (const headers of [
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
    ]) {
      const res = await new request.Test(app, method, '/login').set(headers)
      expect([res.status, res.body.code]).toEqual([403, 'CROSS_ORIGIN'])
      expect(setCookies(res)).toEqual([])
    }
    expect(isAsked).toBe(false)
  })

  test('lets other sites send the visitor here with crossSite: true', async () => {
    const { app } = site(module, () => ann, { crossSite: true })
    const res = await request(app).get('/login').set('Sec-Fetch-Site', 'cross-site')
    expect([res.status, res.text]).toEqual([200, 'Logged In'])
  })

  test('does nothing on HEAD, which GET routes answer as well', async () => {
    const { app, sessions } = site(module, () => ann, { crossSite: true })
    const res = await request(app).head('/login')
    expect(res.status).toBe(405)
    expect(res.headers).toMatchObject({ allow: 'GET, POST', 'cache-control': 'no-store' })
    expect(setCookies(res)).toEqual([])
    expect(await sessions.list('ann')).toEqual([])
  })

  test.each([
    ['Sec-Purpose', 'prefetch'],
    ['Sec-Purpose', 'prefetch;prerender'],
    ['Purpose', 'prefetch'],
  ])('does nothing while the page is only prefetched (%s: %s)', async (name, value) => {
    const { app, sessions } = site(module, () => ann)
    const res = await request(app).get('/login').set(name, value).set('Sec-Fetch-Site', 'none')
    expect([res.status, res.headers['cache-control']]).toEqual([503, 'no-store'])
    expect(setCookies(res)).toEqual([])
    expect(await sessions.list('ann')).toEqual([])
  })

  test('after the headers were sent asks the store nothing, and says so', async () => {
    const store = new FaultyStore()
    const seen: unknown[] = []
    const { app } = makeApp(module, { store }, (routes) => {
      routes.get(
        '/',
        route(async (req, res) => {
          res.write('begun')
          seen.push(await rejectionOf(sessionOf(req).login(ann)))
          res.end()
        }),
      )
    })
    const res = await request(app).get('/')
    expect(res.text).toBe('begun')
    expect(seen).toEqual([expect.objectContaining({ code: 'HEADERS_SENT' })])
    expect(store.calls).toEqual([])
  })

  test('leaves no session behind when the headers went out while the store was at it', async () => {
    const store = new FaultyStore('async')
    const seen: unknown[] = []
    const { app, sessions } = makeApp(module, { store }, (routes) => {
      routes.get('/', (req, res) => {
        const attempt = rejectionOf(sessionOf(req).login(ann))
        res.write('begun')
        void attempt.then((error) => {
          seen.push(error)
          res.end()
        })
      })
    })
    const res = await request(app).get('/')
    expect(res.text).toBe('begun')
    expect(seen).toEqual([expect.objectContaining({ code: 'HEADERS_SENT' })])
    expect(await sessions.list('ann')).toEqual([])
  })

  test('many at once of one browser end what it held, and each that was acknowledged is live', async () => {
    const { app, sessions } = site(module, () => ann, {}, { store: new FaultyStore('async') })
    const held = await request(app).post('/login')
    const all = await Promise.all(
      Array.from({ length: 8 }, () => request(app).post('/login').set('Cookie', cookieOf(held))),
    )
    const live = (await sessions.list('ann')).map(({ id }) => id).toSorted()
    expect(live).toEqual(all.map(idOf).toSorted())
  })
})

describe('login()', () => {
  const module = expresses[0][1]

  test('takes the refusal of another copy of the package for one, whatever userId says', async () => {
    let copy: { refuse: typeof refuse } = { refuse }
    jest.isolateModules(() => {
      copy = jest.requireActual<typeof copy>('../../../src/http/routes/login.js')
    })
    expect(copy.refuse).not.toBe(refuse)
    const given = { userId: (user: { userId: string }) => user.userId }
    const { app } = site(module, () => copy.refuse({ userId: 'ann' }), {}, given)
    expect((await request(app).post('/login')).status).toBe(401)
  })

  test('finds the id where userId says', async () => {
    const given = { userId: (user: { uuid: number }) => user.uuid }
    const { app, sessions } = site(module, () => ({ uuid: 7, name: 'Ann' }), {}, given)
    const res = await request(app).post('/login')
    expect(await sessions.list(7)).toMatchObject([{ id: idOf(res), userId: '7' }])
  })

  test('keeps of the user what serializeUser picks', async () => {
    const given = { serializeUser: ({ id }: { id: number }) => ({ id, at: new Date(0) }) }
    const { app } = site(module, () => ({ id: 1, passwordHash: 'x' }), {}, given)
    const res = await request(app).post('/login').set('Accept', 'application/json')
    const kept = { id: 1, at: '1970-01-01T00:00:00.000Z' }
    expect(res.body).toEqual({ user: kept })
    expect((await request(app).get('/').set('Cookie', cookieOf(res))).body.user).toEqual(kept)
  })

  test('sends a browser on, and tells a JSON client where to', async () => {
    const options = { redirect: '/home', failureRedirect: '/login?failed' }
    const { app } = site(module, (req) => req.body?.id && req.body, options)
    const ok = await request(app).post('/login').send('id=1').set('Accept', 'text/html')
    expect([ok.status, ok.headers.location]).toEqual([303, '/home'])
    const no = await request(app).post('/login').set('Accept', 'text/html')
    expect([no.status, no.headers.location]).toEqual([303, '/login?failed'])
    const json = await request(app).post('/login').send('id=1').set('Accept', 'application/json')
    expect([json.status, json.body]).toEqual([200, { user: { id: '1' }, redirectTo: '/home' }])
    const refused = await request(app).post('/login').set('Accept', 'application/json')
    expect([refused.status, refused.body.redirectTo]).toEqual([401, '/login?failed'])
  })

  test('does not check the origin for sessionOf(req).login(), which the application guards itself', async () => {
    const app = express()
    app.use(sessionMiddleware())
    app.post(
      '/',
      route(async (req, res) => res.json(await sessionOf(req).login(ann))),
    )
    expect((await request(app).post('/').set('Sec-Fetch-Site', 'cross-site')).status).toBe(200)
  })

  test('warns once in production when it comes over plain http, and sets the Secure cookie', async () => {
    const warnings: unknown[] = []
    const emit = jest.spyOn(process, 'emitWarning').mockImplementation((...args) => void warnings.push(args))
    const before = process.env.NODE_ENV
    process.env.NODE_ENV = 'production'
    try {
      const { app } = site(module, () => ann, {}, { store: new FaultyStore() })
      warnings.length = 0
      const res = await request(app).post('/login')
      await request(app).post('/login')
      expect(setCookies(res)).toEqual([
        expect.stringMatching(/^__Host-sid=.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
      ])
      expect(warnings).toEqual([
        [expect.stringContaining('trust proxy'), { type: 'ExpressSidWarning', code: 'SID_PLAIN_HTTP' }],
      ])
      expect((await request(app).get('/').set('Cookie', cookieOf(res))).body.user).toEqual(ann)
    } finally {
      process.env.NODE_ENV = before
      emit.mockRestore()
    }
  })

  test('behind a TLS proxy that Express trusts sets the Secure cookie, and believes no other', async () => {
    const { app } = site(module, () => ann)
    const byStranger = await request(app).post('/login').set('X-Forwarded-Proto', 'https')
    expect(cookieOf(byStranger)).toMatch(/^sid=/)
    app.set('trust proxy', 'loopback')
    const res = await request(app).post('/login').set('X-Forwarded-Proto', 'https')
    expect(setCookies(res)).toEqual([expect.stringMatching(/^__Host-sid=.*; Secure;/)])
    const ask = (cookie: string) =>
      request(app).get('/').set('X-Forwarded-Proto', 'https').set('Cookie', cookie)
    expect((await ask(cookieOf(res))).body.user).toEqual(ann)
    // One name a request: a cookie that a plain page could have planted is not read on a secure one.
    expect((await ask(cookieOf(byStranger))).body.user).toBeNull()
  })

  test('shows the label of the browser in the list of sessions', async () => {
    const { app, sessions } = site(module, () => bob)
    await request(app).post('/login').set('User-Agent', agents.chrome)
    expect(await sessions.list('bob')).toMatchObject([{ label: 'Chrome on Linux', current: false }])
  })

  test.each([
    [() => login(undefined as never), 'login() needs a function'],
    [() => login(() => ann, { redirct: '/' } as never), 'Did you mean redirect?'],
    [() => login(() => ann, { crossite: true } as never), 'Did you mean crossSite?'],
    [
      () => login(() => ann, { keep: 'cart' } as never),
      "keep of login() must be an array of names, such as ['cart']",
    ],
    [() => login(() => ann, { keep: ['cart', 1] } as never), 'keep of login()'],
    [
      () => login(() => ann, { redirect: true } as never),
      'redirect of login() must be a path or an address, such as',
    ],
    [() => login(() => ann, { failureRedirect: '' }), 'failureRedirect of login() must be a path'],
    [() => login(() => ann, { crossSite: 'yes' } as never), 'crossSite of login() must be true or false'],
    [() => login(() => ann, { crossSite: null } as never), 'crossSite of login() must be true or false'],
    [() => login(() => ann, null as never), 'The options of login() must be an object'],
    [() => login(() => ann, '/home' as never), 'They are keep, redirect, failureRedirect, crossSite'],
  ])('refuses a broken option at the start', (make, words) => {
    expect(make).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(words) }),
    )
  })

  test.each([
    [{ reson: 'locked' }, 'Did you mean reason?'],
    [{ reason: 7 }, 'reason of refuse() must be a string, not 7'],
    [{ userId: null }, 'userId of refuse() must be the id of a user, not null'],
    ['locked', 'The options of refuse() must be an object, not "locked". They are reason, userId.'],
    [null, 'The options of refuse() must be an object'],
  ])('refuse() takes no %j', (why, words) => {
    expect(() => refuse(why as never)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(words) }),
    )
  })

  test('fails after the manager was closed', async () => {
    const sessions = createSessions()
    const { app } = makeApp(
      module,
      sessions,
      (routes) =>
        void routes.post(
          '/login',
          login(() => ann),
        ),
    )
    await sessions.close()
    const res = await request(app).post('/login')
    expect([res.status, res.body.code]).toEqual([503, 'CLOSED'])
  })
})
