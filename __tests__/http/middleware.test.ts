import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type Socket } from 'node:net'
import { createSessions, login, logout, requireUser, sessionMiddleware, sessionOf } from 'express-sid'
import { eventsOf } from '../support/core.js'
import { FaultyStore, styles } from '../support/faulty-store.js'
import { listen } from '../support/listen.js'
import { ann, firefox, newerChrome, unissuedToken } from '../support/people.js'
import { answerWithCode, express5, expresses, site, toErrorHandler } from '../support/site.js'
import { setCookies, Visitor } from '../support/visitor.js'

const logInAnn = login(() => ann)

describe.each(expresses)('sessionMiddleware on %s', (_name, express) => {
  test('gives a stranger no user, no session and no cookie, and asks the store nothing', async () => {
    const { visitor, store } = site(express)
    const res = await visitor().get()
    expect(res.body).toEqual({ user: null, id: null })
    expect(setCookies(res)).toEqual([])
    expect(store.calls).toEqual([])
  })

  test.each(styles)('knows the user of a session, with a store that is %s', async (style) => {
    const browser = await site(express, { style }).logIn()
    expect((await browser.get()).body).toEqual({ user: ann, id: browser.id })
  })

  test('calls next() in the same turn of the event loop when the store returns at once', () => {
    const sessions = createSessions({ store: new FaultyStore('sync') })
    let isAnswered = false
    const req = Object.create(express().request as object, {
      headers: { value: { cookie: `sid=${unissuedToken}` } },
      method: { value: 'GET' },
      socket: { value: {} },
    })
    const res = { getHeader: () => undefined, setHeader: () => undefined }
    void sessionMiddleware(sessions)(req as never, res as never, () => (isAnswered = true))
    expect(isAnswered).toBe(true)
  })

  test('sets the cookie at login and logout, and on no ordinary response', async () => {
    const browser = site(express).visitor()
    expect(setCookies(await browser.login())).toEqual([
      expect.stringMatching(
        /^sid=[0-9a-f-]{36}\.[\w-]{65}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/,
      ),
    ])
    expect(setCookies(await browser.get())).toEqual([])
    expect(setCookies(await browser.logout())).toEqual([
      'sid=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax',
    ])
  })

  test('lets no cache keep a response that sets the cookie, and tells caches that all depend on it', async () => {
    const { visitor } = site(express)
    expect((await visitor().login()).headers['cache-control']).toBe('no-store')
    const page = await visitor().get()
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
    expect((await new Visitor(app).get()).headers.vary).toBe(after)
  })

  test('keeps nothing of what a route changes in req.user', async () => {
    const user = { id: 1, roles: ['reader'], address: { town: 'Bonn' } }
    const { logIn } = site(express, {}, (routes) => {
      routes.post(
        '/login',
        login(() => user),
      )
    })
    const browser = await logIn()
    const change = async () => {
      const { body } = await browser.run((_session, req) => {
        const found = req.user as typeof user & { isAdmin?: boolean }
        const before = JSON.stringify(found)
        found.roles.push('admin')
        found.address.town = 'Rome'
        found.isAdmin = true
        return before
      })
      return body as unknown
    }
    expect([await change(), await change()]).toEqual(Array(2).fill(JSON.stringify(user)))
  })

  test('mounted again with the same manager changes nothing and asks the store nothing', async () => {
    const { visitor, store } = site(express, {}, (routes, sessions) => {
      routes.use(sessionMiddleware(sessions))
      const router = express.Router()
      router.use(sessionMiddleware(sessions))
      router.post('/login', logInAnn)
      router.get('/', (req, res) => res.json(req.user))
      routes.use('/inner', router)
    })
    const browser = visitor()
    await browser.post('/inner/login')
    store.calls.length = 0
    expect((await browser.get('/inner')).body).toEqual(ann)
    expect(store.calls).toEqual(['get'])
  })

  test('works on a sub-router alone, and knows nobody outside of it', async () => {
    const app = express()
    const router = express.Router()
    router.use(sessionMiddleware())
    router.post('/login', logInAnn)
    router.get('/', (req, res) => res.json(req.user))
    app.use('/members', router)
    app.get('/', (req, res) => res.json({ user: req.user ?? null }))
    app.get('/guarded', requireUser(), (_req, res) => res.end())
    app.use(answerWithCode())
    const browser = new Visitor(app)
    await browser.post('/members/login')
    expect((await browser.get('/members')).body).toEqual(ann)
    expect((await browser.get('/')).body).toEqual({ user: null })
    expect((await browser.get('/guarded')).body.code).toBe('MIDDLEWARE_MISSING')
  })

  test.each([
    ['sessionOf', (req: never) => sessionOf(req)],
    ['requireUser', requireUser()],
    ['login', logInAnn],
    ['logout', logout()],
  ])('when it is missing makes %s fail with an error that says so', async (_helper, handler) => {
    const app = express()
    app.get('/', handler as never)
    app.use(answerWithCode())
    const res = await new Visitor(app).get()
    expect(res.status).toBe(500)
    expect(res.body).toEqual({
      code: 'MIDDLEWARE_MISSING',
      message: expect.stringContaining('app.use(sessionMiddleware())'),
    })
  })

  test.each([
    ['sessionMiddleware', sessionMiddleware, 'Write sessionMiddleware() in place of'],
    ['requireUser', requireUser, 'Write requireUser() in place of'],
    ['login', login, 'Write login(authenticate) in place of'],
    ['logout', logout, 'Write logout() in place of'],
  ])('%s without its parentheses is an error that says so', async (_what, handler, words) => {
    const app = express()
    app.use(handler as never, (_req, res) => void res.send('went on'))
    app.use(answerWithCode())
    const res = await new Visitor(app).get()
    expect([res.status, res.body.code]).toEqual([500, 'OPTION_INVALID'])
    expect(res.body.message).toContain(words)
  })

  test.each(styles)('leaves what a route throws to Express, once, with a store that is %s', async (style) => {
    let runs = 0
    const { logIn, errors } = site(express, { style }, (routes) => {
      routes.get('/throws', () => {
        runs += 1
        throw new Error('the route is broken')
      })
    })
    const res = await (await logIn()).get('/throws')
    expect(res.status).toBe(500)
    expect(res.body.message).toBe('the route is broken')
    expect([runs, errors.length]).toEqual([1, 1])
  })

  test('refuses another engine, and the session and its cookie survive that', async () => {
    const { logIn, sessions } = site(express)
    const browser = await logIn()
    const events = eventsOf(sessions)
    const refused = await browser.copy(firefox).get()
    expect(refused.body).toEqual({ user: null, id: null })
    expect(setCookies(refused)).toEqual([])
    expect(events).toEqual([
      { name: 'clientChange', event: expect.objectContaining({ changes: ['engine'], refused: true }) },
    ])
    expect(await browser.user()).toEqual(ann)
    expect(await browser.copy(newerChrome).user()).toEqual(ann)
  })

  test('knows the network of a client that hangs up during the lookup', async () => {
    const served: unknown[] = []
    // As in production, where the cookie's name doesn't hang on the request: that reads the address as well.
    const options = {
      style: 'async',
      onClientChange: { network: 'refuse' },
      cookie: { secure: false },
    } as const
    const { app, logIn, sessions, store } = site(express, options, (routes) => {
      routes.post('/', (req, res) => {
        served.push(req.user)
        res.end()
        res.emit('served')
      })
    })
    app.set('trust proxy', 1)
    const { cookie } = await logIn({ userAgent: '' })
    app.set('trust proxy', false)
    const events = eventsOf(sessions)

    const { server, port, close } = await listen(app)
    const thief = connect(port, '127.0.0.1')
    const [socket] = (await once(server, 'connection')) as [Socket]
    store.breakAt('get', async (work) => {
      thief.destroy()
      await once(socket, 'close')
      return work()
    })
    thief.write(`POST / HTTP/1.1\r\nHost: a\r\nCookie: ${cookie}\r\nContent-Length: 0\r\n\r\n`)
    const [, res] = (await once(server, 'request')) as [unknown, NodeJS.EventEmitter]
    await once(res, 'served')
    await close()
    expect(served).toEqual([undefined])
    expect(events).toMatchObject([
      { name: 'clientChange', event: { changes: ['network'], refused: true, seen: { ip: '127.0.0.1' } } },
    ])
  })

  test('below what has sent the headers knows the user, and lets the response end', async () => {
    const app = express()
    const sessions = createSessions()
    app.post('/login', sessionMiddleware(sessions), logInAnn)
    app.use((_req, res, next) => next(void res.write('begun ')))
    app.use(
      sessionMiddleware(sessions),
      requireUser(),
      (req, res) => void res.end((req.user as typeof ann).name),
    )
    const browser = new Visitor(app)
    await browser.login()
    expect((await browser.get()).text).toBe('begun Ann')
  })

  test('reads req.ip, as trust proxy says, into the session', async () => {
    const { app, logIn, sessions } = site(express)
    app.set('trust proxy', 1)
    await logIn({ ip: '203.0.113.7' })
    app.set('trust proxy', false)
    await logIn({ ip: '203.0.113.8' })
    const addresses = (await sessions.list('ann')).map(({ ip }) => ip)
    expect(addresses.toSorted()).toEqual(['127.0.0.1', '203.0.113.7'])
  })

  test('refuses what changes state by our cookie from a page of another origin', async () => {
    const browser = await site(express).logIn()
    const ask = (method: string, headers: Record<string, string>) =>
      browser.ask(method, '/', { Host: 'app.example', Accept: 'application/json', ...headers })
    for (const relation of ['cross-site', 'same-site']) {
      for (const method of ['post', 'put', 'patch', 'delete'] as const) {
        const res = await ask(method, { 'Sec-Fetch-Site': relation })
        expect([res.status, res.body.error.code]).toEqual([403, 'CROSS_ORIGIN'])
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
    const stranger = site(express).visitor({ cookie: 'other=1' })
    expect((await stranger.post('/', { 'Sec-Fetch-Site': 'cross-site' })).status).toBe(200)
  })

  test('lets nothing be written in the name of a request that was refused as cross-origin', async () => {
    const written: unknown[] = []
    const { logIn } = site(express, { refused: toErrorHandler }, (routes) => {
      routes.post('/login', logInAnn)
      routes.use(((_error, req, res, _next) => {
        const flash = sessionOf(req).set('flash', 'refused')
        flash.catch((error: unknown) => written.push(error)).finally(() => res.status(403).end())
      }) as ReturnType<typeof answerWithCode>)
    })
    const res = await (await logIn()).post('/', { 'Sec-Fetch-Site': 'cross-site' })
    expect(setCookies(res)).toEqual([])
    expect(written).toEqual([expect.objectContaining({ code: 'CROSS_ORIGIN' })])
  })

  test('lets pages of trustedOrigins change state', async () => {
    const browser = await site(express, { trustedOrigins: ['https://friend.example'] }).logIn()
    const from = (origin: string) => browser.post('/', { Origin: origin, 'Sec-Fetch-Site': 'cross-site' })
    expect((await from('https://friend.example')).status).toBe(200)
    expect((await from('https://friend.example.evil')).status).toBe(403)
  })

  test('believes X-Forwarded-Host only from a trusted proxy', async () => {
    const { app, logIn } = site(express)
    const browser = await logIn()
    const ask = () => browser.post('/', { Origin: 'https://app.example', 'X-Forwarded-Host': 'app.example' })
    const refused = await ask()
    expect(refused.status).toBe(403)
    expect(refused.text).toContain(`'trust proxy'`)
    app.set('trust proxy', 'loopback')
    expect((await ask()).status).toBe(200)
  })

  test('passes HEAD as GET, with the user', async () => {
    const users: unknown[] = []
    const { logIn } = site(express, {}, (routes) => {
      routes.get('/', (req, res) => {
        users.push(req.user)
        res.end()
      })
    })
    expect((await (await logIn()).ask('HEAD')).status).toBe(200)
    expect(users).toEqual([ann])
  })
})

describe('duplicates of the cookie', () => {
  const headers = (...values: string[]) => ({ Cookie: values.map((value) => `sid=${value}`).join('; ') })

  async function twoLogins() {
    const made = site(express5)
    const tokens = [(await made.logIn()).token, (await made.logIn()).token] as const
    const ask = (...values: string[]) => made.visitor().get('/', headers(...values))
    return { ...made, tokens, ask }
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
    expect((await ask('garbage', tokens[0])).body.user).toEqual(ann)
    expect((await ask(unissuedToken, 'garbage', '', tokens[0])).body.user).toEqual(ann)
  })

  test('that are no tokens do not count, however many there are: logout ends the session', async () => {
    const { tokens, ask, visitor, sessions } = await twoLogins()
    const junk = Array.from({ length: 50 }, (_, at) => `junk${at}`)
    const all = [...junk, 'x'.repeat(102), tokens[0]]
    expect((await ask(...all)).body.user).toEqual(ann)
    const res = await visitor().logout(headers(...all))
    expect(res.text).toBe('Logged Out')
    expect(setCookies(res)).toEqual([expect.stringMatching(/^sid=;/)])
    expect(await sessions.find(tokens[0].slice(0, 36))).toBeUndefined()
  })

  test('are nobody from five distinct tokens on, and the store is not asked', async () => {
    const { tokens, ask, visitor, store } = await twoLogins()
    store.calls.length = 0
    const unissued = [1, 2, 3, 4].map((at) => `019a0000-0000-7000-8000-00000000000${at}.${'A'.repeat(65)}`)
    expect((await ask(...unissued, tokens[0])).body.user).toBeNull()
    expect(store.calls).toEqual([])
    // Nobody knows whether their sessions have ended, so a logout clears no cookie.
    expect(setCookies(await visitor().logout(headers(...unissued, tokens[0])))).toEqual([])
  })

  test('with several live ones are all ended by one logout', async () => {
    const { tokens, ask, visitor, sessions } = await twoLogins()
    const res = await visitor().logout(headers(...tokens))
    expect(res.status).toBe(200)
    expect(await sessions.list('ann')).toEqual([])
    for (const token of tokens) expect((await ask(token)).body.user).toBeNull()
  })

  test('with several live ones are all ended by a login', async () => {
    const { tokens, visitor, sessions } = await twoLogins()
    const browser = visitor()
    await browser.login(headers(...tokens))
    expect((await sessions.list('ann')).map(({ id }) => id)).toEqual([browser.id])
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
  const browser = new Visitor(server)
  await browser.login()
  expect((await browser.get()).text).toBe(JSON.stringify(ann))
})
