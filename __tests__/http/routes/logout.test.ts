import { login, logout, sessionOf } from 'express-sid'
import request from 'supertest'
import { ann, eventsOf } from '../../support/core.js'
import {
  agents,
  cookieOf,
  expresses,
  idOf,
  makeApp,
  route,
  setCookies,
  type ExpressModule,
} from '../support/apps.js'
import { FaultyStore, styles } from '../support/faulty-store.js'

function site(module: ExpressModule, given: Parameters<typeof makeApp>[1] = {}, redirect?: string) {
  return makeApp(module, given, (routes) => {
    routes.post(
      '/login',
      login(() => ann),
    )
    routes.all('/logout', logout({ redirect }))
    routes.get('/', (req, res) => res.json({ user: req.user ?? null }))
    routes.post(
      '/cart',
      route(async (req, res) => {
        await sessionOf(req).set('cart', ['book'])
        res.end()
      }),
    )
  })
}

const cleared = [expect.stringMatching(/^sid=; Max-Age=0; Path=\/; Expires=Thu, 01 Jan 1970/)]

describe.each(expresses)('logout() on %s', (_name, module) => {
  test('ends the session of a client that is refused, and says so', async () => {
    const { app } = site(module)
    const cookie = cookieOf(await request(app).post('/login').set('User-Agent', agents.chrome))
    const as = (agent: string, path: string) =>
      request(app).post(path).set({ Cookie: cookie, 'User-Agent': agent })
    expect((await as(agents.firefox, '/logout')).text).toBe('Logged Out')
    expect((await request(app).get('/').set({ Cookie: cookie, 'User-Agent': agents.chrome })).body).toEqual({
      user: null,
    })
  })

  test('ends the session of a client that is refused, though the request has started a guest', async () => {
    const made = makeApp(module, {}, (routes) => {
      routes.post(
        '/login',
        login(() => ann),
      )
      routes.post(
        '/write-and-leave',
        route(async (req, res) => {
          await sessionOf(req).set('seen', true)
          res.json(await sessionOf(req).logout())
        }),
      )
    })
    const loggedIn = await request(made.app).post('/login').set('User-Agent', agents.chrome)
    const headers = { Cookie: cookieOf(loggedIn), 'User-Agent': agents.firefox }
    expect((await request(made.app).post('/write-and-leave').set(headers)).body).toBe(true)
    expect(await made.sessions.find(idOf(loggedIn))).toBeUndefined()
  })

  test.each(styles)('ends the session for good, with a store that is %s', async (style) => {
    const { app, sessions } = site(module, { store: new FaultyStore(style) })
    const loggedIn = await request(app).post('/login')
    const cookie = cookieOf(loggedIn)
    const events = eventsOf(sessions)
    const res = await request(app).post('/logout').set('Cookie', cookie)
    expect([res.status, res.text, res.type]).toEqual([200, 'Logged Out', 'text/plain'])
    expect(res.headers['cache-control']).toBe('no-store')
    expect(setCookies(res)).toEqual(cleared)
    expect(events).toEqual([
      { name: 'logout', event: { sessionId: idOf(loggedIn), userId: 'ann', replaced: false } },
    ])
    expect((await request(app).get('/').set('Cookie', cookie)).body.user).toBeNull()
    expect(await sessions.list('ann')).toEqual([])
  })

  test.each([
    ['nothing', undefined],
    ['garbage', 'sid=garbage'],
    ['an unissued token', `sid=019a0000-0000-7000-8000-000000000000.${'A'.repeat(65)}`],
  ])('with %s is a 200 that says so', async (_what, cookie) => {
    const { app, sessions } = site(module)
    const events = eventsOf(sessions)
    const ask = () => {
      const test = request(app).post('/logout')
      return cookie === undefined ? test : test.set('Cookie', cookie)
    }
    const text = await ask()
    expect([text.status, text.text]).toEqual([200, "Can't Log Out: No User Logged In"])
    const json = await ask().set('Accept', 'application/json')
    expect([json.status, json.body]).toEqual([200, { loggedOut: false }])
    expect(events).toEqual([])
  })

  test('a second time is a 200 that says so', async () => {
    const { app } = site(module)
    const cookie = cookieOf(await request(app).post('/login'))
    const ask = () => request(app).post('/logout').set({ Cookie: cookie, Accept: 'application/json' })
    const [first, second] = [await ask(), await ask()]
    expect(first.body).toEqual({ loggedOut: true })
    expect(second.body).toEqual({ loggedOut: false })
    // The session of this cookie has ended, so the browser shall forget it the second time, too.
    expect([first, second].map((res) => setCookies(res).length)).toEqual([1, 1])
    expect(setCookies(await request(app).post('/logout').set('Cookie', 'sid=junk'))).toEqual([])
    expect(setCookies(await request(app).post('/logout'))).toEqual([])
  })

  test("ends a guest's session too", async () => {
    const { app, sessions } = site(module)
    const guest = await request(app).post('/cart')
    const events = eventsOf(sessions)
    await request(app).post('/logout').set('Cookie', cookieOf(guest))
    expect(await sessions.find(idOf(guest))).toBeUndefined()
    expect(events).toEqual([])
  })

  test.each(['get', 'post', 'delete'])('refuses %s from a page of another origin', async (method) => {
    const { app } = site(module)
    const cookie = cookieOf(await request(app).post('/login'))
    for (const headers of [
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { Origin: 'https://evil.example' },
    ]) {
      const res = await new request.Test(app, method, '/logout').set({ Cookie: cookie, ...headers })
      expect([res.status, res.body.code]).toEqual([403, 'CROSS_ORIGIN'])
      expect(setCookies(res)).toEqual([])
    }
    expect((await request(app).get('/').set('Cookie', cookie)).body.user).toEqual(ann)
  })

  test('does nothing on HEAD and on a prefetch', async () => {
    const { app } = site(module)
    const cookie = cookieOf(await request(app).post('/login'))
    const head = await request(app).head('/logout').set('Cookie', cookie)
    const prefetch = await request(app).get('/logout').set({ Cookie: cookie, 'Sec-Purpose': 'prefetch' })
    expect([head.status, prefetch.status]).toEqual([405, 503])
    expect([head, prefetch].map((res) => res.headers['cache-control'])).toEqual(['no-store', 'no-store'])
    expect([head, prefetch].flatMap(setCookies)).toEqual([])
    expect((await request(app).get('/').set('Cookie', cookie)).body.user).toEqual(ann)
  })

  test('sends a browser on, and tells a JSON client where to', async () => {
    const { app } = site(module, {}, '/bye')
    const html = await request(app).post('/logout').set('Accept', 'text/html')
    expect([html.status, html.headers.location]).toEqual([303, '/bye'])
    const json = await request(app).post('/logout').set('Accept', 'application/json')
    expect(json.body).toEqual({ loggedOut: false, redirectTo: '/bye' })
  })

  test('keeps a slow request of before from bringing the session back by what it writes at its end', async () => {
    let goOn: () => void = () => undefined
    let reached: () => void = () => undefined
    const isWaiting = new Promise<void>((resolve) => (reached = resolve))
    const { app, sessions } = makeApp(module, { store: new FaultyStore('async') }, (routes) => {
      routes.post(
        '/login',
        login(() => ann),
      )
      routes.post('/logout', logout())
      routes.get('/', (req, res) => res.json({ user: req.user ?? null }))
      routes.post(
        '/slow',
        route(async (req, res) => {
          await new Promise<void>((resolve) => {
            goOn = resolve
            reached()
          })
          await sessionOf(req).set('seen', true)
          res.end()
        }),
      )
    })
    const loggedIn = await request(app).post('/login')
    const slow = request(app)
      .post('/slow')
      .set('Cookie', cookieOf(loggedIn))
      .then((res) => res)
    await isWaiting
    await request(app).post('/logout').set('Cookie', cookieOf(loggedIn))
    goOn()
    const res = await slow
    expect([res.status, res.body.code]).toEqual([401, 'SESSION_ENDED'])
    expect(setCookies(res)).toEqual([])
    expect((await request(app).get('/').set('Cookie', cookieOf(loggedIn))).body.user).toBeNull()
    expect(await sessions.find(idOf(loggedIn))).toBeUndefined()
  })

  test('makes the rest of the request a stranger', async () => {
    const { app } = makeApp(module, {}, (routes) => {
      routes.post(
        '/login',
        login(() => ann),
      )
      routes.post(
        '/logout',
        route(async (req, res) => {
          const session = sessionOf(req)
          const wasThere = await session.logout()
          const again = await session.logout()
          res.json({
            wasThere,
            again,
            user: req.user ?? null,
            id: session.id ?? null,
            list: await session.list(),
          })
        }),
      )
    })
    const cookie = cookieOf(await request(app).post('/login'))
    const res = await request(app).post('/logout').set('Cookie', cookie)
    expect(res.body).toEqual({ wasThere: true, again: false, user: null, id: null, list: [] })
  })

  test('followed by a login in one request sets one cookie, the last', async () => {
    const { app } = makeApp(module, {}, (routes) => {
      routes.post(
        '/login',
        login(() => ann),
      )
      routes.post(
        '/switch',
        route(async (req, res) => {
          res.cookie('other', '1')
          await sessionOf(req).logout()
          await sessionOf(req).login({ id: 'bob' })
          res.end()
        }),
      )
      routes.get('/', (req, res) => res.json({ user: req.user ?? null }))
    })
    const cookie = cookieOf(await request(app).post('/login'))
    const [other, sid, ...more] = setCookies(await request(app).post('/switch').set('Cookie', cookie))
    expect([other, more]).toEqual(['other=1; Path=/', []])
    const next = sid!.slice(0, sid!.indexOf(';'))
    expect((await request(app).get('/').set('Cookie', next)).body.user).toEqual({ id: 'bob' })
  })
})

describe('sessionOf(req)', () => {
  const module = expresses[0][1]

  async function threeLogins() {
    const made = makeApp(module, {}, (routes) => {
      routes.post(
        '/login',
        login(() => ann),
      )
      routes.post(
        '/login-bob',
        login(() => ({ id: 'bob' })),
      )
      routes.get(
        '/list',
        route(async (req, res) => res.json(await sessionOf(req).list())),
      )
      routes.post(
        '/revoke/:id',
        route(async (req, res) => res.json(await sessionOf(req).revoke(String(req.params.id)))),
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
    const logins = []
    for (let n = 0; n < 3; n++)
      logins.push(await request(made.app).post('/login').set('User-Agent', agents.chrome))
    const bob = await request(made.app).post('/login-bob')
    const [first] = logins
    const post = (path: string) =>
      request(made.app)
        .post(path)
        .set({ Cookie: cookieOf(first!), 'User-Agent': agents.chrome })
    return { ...made, logins, ids: logins.map(idOf), bob, first: first!, post }
  }

  test('lists the sessions of the user, this one marked, and nothing that opens one', async () => {
    const { app, first, ids, logins } = await threeLogins()
    const res = await request(app)
      .get('/list')
      .set({ Cookie: cookieOf(first), 'User-Agent': agents.chrome })
    const list = res.body as { id: string; current: boolean }[]
    expect(list.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
    expect(list.filter(({ current }) => current).map(({ id }) => id)).toEqual([idOf(first)])
    expect(Object.keys(list[0]!).toSorted()).toEqual(
      [
        'id',
        'userId',
        'user',
        'label',
        'userAgent',
        'ip',
        'createdAt',
        'authenticatedAt',
        'lastSeenAt',
        'expiresAt',
        'absoluteExpiresAt',
        'current',
      ].toSorted(),
    )
    for (const one of logins) expect(res.text).not.toContain(cookieOf(one).slice(-65))
  })

  test('revokes one session of the user', async () => {
    const { post, ids, sessions } = await threeLogins()
    const events = eventsOf(sessions)
    expect((await post(`/revoke/${ids[1]!}`)).body).toBe(true)
    expect((await post(`/revoke/${ids[1]!}`)).body).toBe(false)
    expect((await sessions.list('ann')).map(({ id }) => id).toSorted()).toEqual([ids[0], ids[2]])
    expect(events).toEqual([{ name: 'revoke', event: { sessionId: ids[1], userId: 'ann' } }])
  })

  test("never revokes another user's session", async () => {
    const { post, bob, sessions } = await threeLogins()
    expect((await post(`/revoke/${idOf(bob)}`)).body).toBe(false)
    expect(await sessions.list('bob')).toHaveLength(1)
  })

  test('revoking this session is a logout', async () => {
    const { post, ids, sessions } = await threeLogins()
    const res = await post(`/revoke/${ids[0]!}`)
    expect(res.body).toBe(true)
    expect(setCookies(res)).toEqual(cleared)
    expect(await sessions.find(ids[0]!)).toBeUndefined()
  })

  test('revokes all others, or all', async () => {
    const { post, ids, sessions } = await threeLogins()
    expect((await post('/revoke-others')).body).toBe(2)
    expect((await sessions.list('ann')).map(({ id }) => id)).toEqual([ids[0]])
    const all = await post('/revoke-all')
    expect(all.body).toBe(1)
    expect(setCookies(all)).toEqual(cleared)
    expect(await sessions.list('ann')).toEqual([])
    expect(await sessions.list('bob')).toHaveLength(1)
  })

  test('gives a stranger nothing to list or revoke', async () => {
    const { app, ids, sessions } = await threeLogins()
    expect((await request(app).get('/list')).body).toEqual([])
    expect((await request(app).post(`/revoke/${ids[0]!}`)).body).toBe(false)
    expect((await request(app).post('/revoke-others')).body).toBe(0)
    expect((await request(app).post('/revoke-all')).body).toBe(0)
    expect(await sessions.list('ann')).toHaveLength(3)
  })
})

test.each([
  [{ redirct: '/' }, 'Did you mean redirect?'],
  [{ redirect: ['/'] }, 'redirect of logout() must be a path or an address'],
  ['/', 'The options of logout() must be an object'],
])('logout() refuses the options %j at the start', (options, words) => {
  expect(() => logout(options as never)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(words) }),
  )
})
