import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { createSessions, login, logout, requireUser, sessionMiddleware, sessionOf } from 'express-sid'
import request from 'supertest'
import { ann, eventsOf } from '../support/core.js'
import {
  agents,
  answerWithCode,
  cookieOf,
  expresses,
  idOf,
  makeApp,
  setCookies,
  tokenOf,
  type ExpressModule,
} from './support/apps.js'
import { FaultyStore, styles } from './support/faulty-store.js'

/** The routes that most tests here need. */
function site(express: ExpressModule, options: Parameters<typeof makeApp>[1] = {}) {
  return makeApp(express, options, (routes) => {
    routes.get('/', (req, res) => res.json({ user: req.user ?? null, id: sessionOf(req).id ?? null }))
    routes.post('/', (req, res) => res.json({ user: req.user ?? null }))
    routes.all(
      '/login',
      login(() => ann),
    )
    routes.post('/logout', logout())
  })
}

describe.each(expresses)('sessionMiddleware on %s', (_name, express) => {
  test('gives a stranger no user, no session and no cookie, and asks the store nothing', async () => {
    const store = new FaultyStore()
    const { app } = site(express, { store })
    const res = await request(app).get('/')
    expect(res.body).toEqual({ user: null, id: null })
    expect(setCookies(res)).toEqual([])
    expect(store.calls).toEqual([])
  })

  test.each(styles)('knows the user of a session, with a store that is %s', async (style) => {
    const { app } = site(express, { store: new FaultyStore(style) })
    const loggedIn = await request(app).post('/login')
    const res = await request(app).get('/').set('Cookie', cookieOf(loggedIn))
    expect(res.body).toEqual({ user: ann, id: idOf(loggedIn) })
  })

  test('answers a request in the turn in which it came when the store does', () => {
    const sessions = createSessions({ store: new FaultyStore('sync') })
    let isAnswered = false
    const req = Object.create(express().request as object, {
      headers: { value: { cookie: `sid=019a0000-0000-7000-8000-000000000000.${'A'.repeat(65)}` } },
      method: { value: 'GET' },
      socket: { value: {} },
    })
    const res = { getHeader: () => undefined, setHeader: () => undefined }
    void sessionMiddleware(sessions)(req as never, res as never, () => (isAnswered = true))
    expect(isAnswered).toBe(true)
  })

  test('sets the cookie at login and logout, and on no ordinary response', async () => {
    const { app } = site(express)
    const loggedIn = await request(app).post('/login')
    expect(setCookies(loggedIn)).toEqual([
      expect.stringMatching(
        /^sid=[0-9a-f-]{36}\.[\w-]{65}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/,
      ),
    ])
    const cookie = cookieOf(loggedIn)
    expect(setCookies(await request(app).get('/').set('Cookie', cookie))).toEqual([])
    const loggedOut = await request(app).post('/logout').set('Cookie', cookie)
    expect(setCookies(loggedOut)).toEqual([
      'sid=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax',
    ])
  })

  test('lets no cache keep a response that sets the cookie, and tells caches that all depend on it', async () => {
    const { app } = site(express)
    const loggedIn = await request(app).post('/login')
    expect(loggedIn.headers['cache-control']).toBe('no-store')
    const page = await request(app).get('/')
    expect(page.headers.vary).toBe('Cookie')
    expect(page.headers['cache-control']).toBeUndefined()
  })

  test.each([
    ['Accept-Encoding', 'Accept-Encoding, Cookie'],
    ['cookie', 'cookie'],
    ['*', '*'],
    ['X-Cookie-Consent', 'X-Cookie-Consent, Cookie'],
  ])('adds itself to a Vary of %s', async (before, after) => {
    const app = express()
    app.use((_req, res, next) => next(void res.set('Vary', before)))
    app.use(sessionMiddleware(), (_req, res) => void res.end())
    expect((await request(app).get('/')).headers.vary).toBe(after)
  })

  test('makes nothing of a change that a route makes to req.user', async () => {
    const { app } = makeApp(express, {}, (routes) => {
      routes.post(
        '/login',
        login(() => ({ id: 1, roles: ['reader'], address: { town: 'Bonn' } })),
      )
      routes.get('/', (req, res) => {
        const user = req.user as { roles: string[]; address: { town: string }; isAdmin?: boolean }
        const before = JSON.stringify(user)
        user.roles.push('admin')
        user.address.town = 'Rome'
        user.isAdmin = true
        res.send(before)
      })
    })
    const cookie = cookieOf(await request(app).post('/login'))
    const texts = []
    for (let n = 0; n < 2; n++) texts.push((await request(app).get('/').set('Cookie', cookie)).text)
    expect(texts).toEqual(Array(2).fill('{"id":1,"roles":["reader"],"address":{"town":"Bonn"}}'))
  })

  test('mounted again with the same manager changes nothing and asks the store nothing', async () => {
    const store = new FaultyStore()
    const sessions = createSessions({ store })
    const { app } = makeApp(express, sessions, (routes) => {
      routes.use(sessionMiddleware(sessions))
      const router = express.Router()
      router.use(sessionMiddleware(sessions))
      router.post(
        '/login',
        login(() => ann),
      )
      router.get('/', (req, res) => res.json(req.user))
      routes.use('/inner', router)
    })
    const cookie = cookieOf(await request(app).post('/inner/login'))
    store.calls.length = 0
    expect((await request(app).get('/inner').set('Cookie', cookie)).body).toEqual(ann)
    expect(store.calls).toEqual(['get'])
  })

  test('mounted again with another manager is an error that says the fix', async () => {
    const { app } = makeApp(express, {}, (routes) => {
      routes.use(sessionMiddleware())
      routes.get('/', (_req, res) => res.end())
    })
    const res = await request(app).get('/')
    expect(res.status).toBe(500)
    expect(res.body).toEqual({
      code: 'MIDDLEWARE_TWICE',
      message: expect.stringContaining('createSessions()'),
    })
  })

  test('works on a sub-router alone, and knows nobody outside of it', async () => {
    const app = express()
    const router = express.Router()
    router.use(sessionMiddleware())
    router.post(
      '/login',
      login(() => ann),
    )
    router.get('/', (req, res) => res.json(req.user))
    app.use('/members', router)
    app.get('/', (req, res) => res.json({ user: req.user ?? null }))
    app.get('/guarded', requireUser(), (_req, res) => res.end())
    app.use(answerWithCode())
    const cookie = cookieOf(await request(app).post('/members/login'))
    expect((await request(app).get('/members').set('Cookie', cookie)).body).toEqual(ann)
    expect((await request(app).get('/').set('Cookie', cookie)).body).toEqual({ user: null })
    expect((await request(app).get('/guarded').set('Cookie', cookie)).body.code).toBe('MIDDLEWARE_MISSING')
  })

  test.each([
    ['sessionOf', (req: never) => sessionOf(req)],
    ['requireUser', requireUser()],
    ['login', login(() => ann)],
    ['logout', logout()],
  ])('that is missing makes %s fail and say so', async (_helper, handler) => {
    const app = express()
    app.get('/', handler as never)
    app.use(answerWithCode())
    const res = await request(app).get('/')
    expect(res.status).toBe(500)
    expect(res.body).toEqual({
      code: 'MIDDLEWARE_MISSING',
      message: expect.stringContaining('app.use(sessionMiddleware())'),
    })
  })

  test.each(styles)('leaves what a route throws to Express, once, with a store that is %s', async (style) => {
    let runs = 0
    const { app, errors } = makeApp(express, { store: new FaultyStore(style) }, (routes) => {
      routes.post(
        '/login',
        login(() => ann),
      )
      routes.get('/throws', () => {
        runs += 1
        throw new Error('the route is broken')
      })
    })
    const cookie = cookieOf(await request(app).post('/login'))
    const res = await request(app).get('/throws').set('Cookie', cookie)
    expect(res.status).toBe(500)
    expect(res.body.message).toBe('the route is broken')
    expect([runs, errors.length]).toEqual([1, 1])
  })

  test('refuses another engine, and the session and its cookie survive that', async () => {
    const { app, sessions } = site(express)
    const loggedIn = await request(app).post('/login').set('User-Agent', agents.chrome)
    const events = eventsOf(sessions)
    const ask = (agent: string) =>
      request(app).get('/').set('Cookie', cookieOf(loggedIn)).set('User-Agent', agent)
    const refused = await ask(agents.firefox)
    expect(refused.body).toEqual({ user: null, id: null })
    expect(setCookies(refused)).toEqual([])
    expect(events).toEqual([
      { name: 'clientChange', event: expect.objectContaining({ changes: ['engine'], refused: true }) },
    ])
    expect((await ask(agents.chrome)).body.user).toEqual(ann)
    expect((await ask(agents.newerChrome)).body.user).toEqual(ann)
  })

  test('knows the network of a client that hangs up during the lookup', async () => {
    const store = new FaultyStore('async')
    const served: unknown[] = []
    // As in production, where the cookie's name doesn't hang on the request: that reads the address as well.
    const options = { store, onClientChange: { network: 'refuse' }, cookie: { secure: false } } as const
    const made = makeApp(express, options, (routes) => {
      routes.post(
        '/login',
        login(() => ann),
      )
      routes.post('/', (req, res) => {
        served.push(req.user)
        res.end()
        res.emit('served')
      })
    })
    made.app.set('trust proxy', 1)
    const cookie = cookieOf(await request(made.app).post('/login').set('X-Forwarded-For', '203.0.113.7'))
    made.app.set('trust proxy', false)
    const events = eventsOf(made.sessions)

    const server = createServer(made.app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const thief = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const [socket] = (await once(server, 'connection')) as [Socket]
    const get = store.get.bind(store)
    store.get = async (id) => {
      thief.destroy()
      await once(socket, 'close')
      return get(id)
    }
    thief.write(`POST / HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\nContent-Length: 0\r\n\r\n`)
    const [, res] = (await once(server, 'request')) as [unknown, NodeJS.EventEmitter]
    await once(res, 'served')
    server.close()
    expect(served).toEqual([undefined])
    expect(events).toMatchObject([
      { name: 'clientChange', event: { changes: ['network'], refused: true, seen: { ip: '127.0.0.1' } } },
    ])
  })

  test('reads req.ip, as trust proxy says, into the session', async () => {
    const { app, sessions } = site(express)
    app.set('trust proxy', 1)
    await request(app).post('/login').set('X-Forwarded-For', '203.0.113.7')
    app.set('trust proxy', false)
    await request(app).post('/login').set('X-Forwarded-For', '203.0.113.8')
    const addresses = (await sessions.list('ann')).map(({ ip }) => ip)
    expect(addresses.toSorted()).toEqual(['127.0.0.1', '203.0.113.7'])
  })

  test('refuses what changes state by our cookie from a page of another origin', async () => {
    const { app } = site(express)
    const cookie = cookieOf(await request(app).post('/login'))
    const ask = (method: string, headers: Record<string, string>) => {
      const test = new request.Test(app, method, '/')
      return test.set({ Cookie: cookie, Host: 'app.example', ...headers })
    }
    for (const relation of ['cross-site', 'same-site']) {
      for (const method of ['post', 'put', 'patch', 'delete'] as const) {
        const res = await ask(method, { 'Sec-Fetch-Site': relation })
        expect([res.status, res.body.code]).toEqual([403, 'CROSS_ORIGIN'])
      }
      expect((await ask('get', { 'Sec-Fetch-Site': relation })).body.user).toEqual(ann)
    }
    expect((await ask('post', { Origin: 'https://evil.example' })).status).toBe(403)
    expect((await ask('post', { Origin: 'null' })).status).toBe(403)
    expect((await ask('post', { Origin: 'http://app.example:8080' })).status).toBe(403)
    expect((await ask('post', { Origin: 'http://app.example' })).status).toBe(200)
    expect((await ask('post', { 'Sec-Fetch-Site': 'same-origin' })).status).toBe(200)
    expect((await ask('post', {})).status).toBe(200)
  })

  test('lets pages of other origins post without our cookie: there is nothing to abuse', async () => {
    const { app } = site(express)
    const res = await request(app).post('/').set('Sec-Fetch-Site', 'cross-site').set('Cookie', 'other=1')
    expect(res.status).toBe(200)
  })

  test('lets nothing be written in the name of a request that was refused as cross-origin', async () => {
    const app = express()
    const written: unknown[] = []
    app.use(sessionMiddleware())
    app.post(
      '/login',
      login(() => ann),
    )
    app.use(((_error, req, res, _next) => {
      const flash = sessionOf(req).set('flash', 'refused')
      flash.catch((error: unknown) => written.push(error)).finally(() => res.status(403).end())
    }) as ReturnType<typeof answerWithCode>)
    const cookie = cookieOf(await request(app).post('/login'))
    const res = await request(app).post('/').set('Cookie', cookie).set('Sec-Fetch-Site', 'cross-site')
    expect(setCookies(res)).toEqual([])
    expect(written).toEqual([expect.objectContaining({ code: 'CROSS_ORIGIN' })])
  })

  test('opens it to trustedOrigins', async () => {
    const { app } = site(express, { trustedOrigins: ['https://friend.example'] })
    const cookie = cookieOf(await request(app).post('/login'))
    const from = (origin: string) =>
      request(app).post('/').set({ Cookie: cookie, Origin: origin, 'Sec-Fetch-Site': 'cross-site' })
    expect((await from('https://friend.example')).status).toBe(200)
    expect((await from('https://friend.example.evil')).status).toBe(403)
  })

  test('believes X-Forwarded-Host only from a trusted proxy', async () => {
    const { app } = site(express)
    const cookie = cookieOf(await request(app).post('/login'))
    const ask = () =>
      request(app)
        .post('/')
        .set({ Cookie: cookie, Origin: 'https://app.example', 'X-Forwarded-Host': 'app.example' })
    const refused = await ask()
    expect(refused.status).toBe(403)
    expect(refused.body.message).toContain(`'trust proxy'`)
    app.set('trust proxy', 'loopback')
    expect((await ask()).status).toBe(200)
  })

  test('passes HEAD as GET, with the user', async () => {
    const users: unknown[] = []
    const { app } = makeApp(express, {}, (routes) => {
      routes.post(
        '/login',
        login(() => ann),
      )
      routes.get('/', (req, res) => {
        users.push(req.user)
        res.end()
      })
    })
    const cookie = cookieOf(await request(app).post('/login'))
    expect((await request(app).head('/').set('Cookie', cookie)).status).toBe(200)
    expect(users).toEqual([ann])
  })
})

describe('duplicates of the cookie', () => {
  async function twoLogins() {
    const made = site(expresses[0][1])
    const tokens = []
    for (let n = 0; n < 2; n++) tokens.push(tokenOf(await request(made.app).post('/login')))
    const ask = (...values: string[]) =>
      request(made.app)
        .get('/')
        .set('Cookie', values.map((value) => `sid=${value}`).join('; '))
    return { ...made, tokens: tokens as [string, string], ask }
  }

  test('count once when they are equal', async () => {
    const { tokens, ask } = await twoLogins()
    expect((await ask(tokens[0], tokens[0], tokens[0], tokens[0], tokens[0])).body.user).toEqual(ann)
  })

  test('are nobody when two are live', async () => {
    const { tokens, ask } = await twoLogins()
    expect((await ask(...tokens)).body).toEqual({ user: null, id: null })
  })

  test('do not hide the live one behind up to three that are not', async () => {
    const { tokens, ask } = await twoLogins()
    const unissued = `019a0000-0000-7000-8000-000000000000.${'A'.repeat(65)}`
    expect((await ask('garbage', tokens[0])).body.user).toEqual(ann)
    expect((await ask(unissued, 'garbage', '', tokens[0])).body.user).toEqual(ann)
  })

  test('that are no tokens do not count, however many there are: logout ends the session', async () => {
    const { app, sessions } = await twoLogins()
    const token = tokenOf(await request(app).post('/login'))
    const junk = Array.from({ length: 50 }, (_, at) => `junk${at}`)
    const header = [...junk, 'x'.repeat(102), token].map((value) => `sid=${value}`).join('; ')
    const ask = (path: string) => request(app).post(path).set('Cookie', header)
    expect((await request(app).get('/').set('Cookie', header)).body.user).toEqual(ann)
    const res = await ask('/logout')
    expect(res.text).toBe('Logged Out')
    expect(setCookies(res)).toEqual([expect.stringMatching(/^sid=;/)])
    expect(await sessions.find(token.slice(0, 36))).toBeUndefined()
  })

  test('are nobody from five distinct tokens on, and the store is not asked', async () => {
    const store = new FaultyStore()
    const { app } = site(expresses[0][1], { store })
    const token = tokenOf(await request(app).post('/login'))
    store.calls.length = 0
    const unissued = [1, 2, 3, 4].map((at) => `019a0000-0000-7000-8000-00000000000${at}.${'A'.repeat(65)}`)
    const header = [...unissued, token].map((value) => `sid=${value}`).join('; ')
    expect((await request(app).get('/').set('Cookie', header)).body.user).toBeNull()
    expect(store.calls).toEqual([])
    // Nobody knows whether their sessions have ended, so a logout clears no cookie.
    const res = await request(app).post('/logout').set('Cookie', header)
    expect(setCookies(res)).toEqual([])
  })

  test('with several live ones are all ended by one logout', async () => {
    const { app, tokens, ask, sessions } = await twoLogins()
    const res = await request(app)
      .post('/logout')
      .set('Cookie', tokens.map((token) => `sid=${token}`).join('; '))
    expect(res.status).toBe(200)
    expect(await sessions.list('ann')).toEqual([])
    for (const token of tokens) expect((await ask(token)).body.user).toBeNull()
  })

  test('with several live ones are all ended by a login', async () => {
    const { app, tokens, sessions } = await twoLogins()
    const res = await request(app)
      .post('/login')
      .set('Cookie', tokens.map((token) => `sid=${token}`).join('; '))
    expect((await sessions.list('ann')).map(({ id }) => id)).toEqual([idOf(res)])
  })
})

test('works without Express, in a plain http server', async () => {
  const middleware = sessionMiddleware()
  const server = createServer((req, res) => {
    void middleware(req as never, res as never, () => {
      const session = sessionOf(req)
      const ready = req.url === '/login' ? session.login(ann) : Promise.resolve()
      void ready.then(() => res.end(JSON.stringify(session.user ?? null)))
    })
  })
  const cookie = cookieOf(await request(server).post('/login'))
  expect((await request(server).get('/').set('Cookie', cookie)).text).toBe(JSON.stringify(ann))
})
