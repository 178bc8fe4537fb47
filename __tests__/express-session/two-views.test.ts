import express5 from 'express'
import {
  createSessions,
  memoryStore,
  requireUser,
  sessionMiddleware,
  sessionOf,
  type Sessions,
} from 'express-sid'
import session, { legacyCookie, MemoryStore } from 'express-sid/express-session'
import { app, param, secret, valuesOf } from './support/app.js'
import { Client } from './support/client.js'

// `req.session` and `sessionOf(req)` are one session, in a store of this package.

const userId = (one: { userId?: string }) => one.userId
const routes = {
  '/old/set': (req, res) => {
    Object.assign(req.session, req.query)
    res.json('ok')
  },
  '/old/read': (req, res) => void res.json(valuesOf(req.session)),
  '/old/login': (req, res) => {
    req.session.userId = param(req, 'user')
    res.json('ok')
  },
  '/old/logout': (req, res) => req.session.destroy(() => void res.json('bye')),
  '/new/set': async (req, res) => {
    await sessionOf(req).set(param(req, 'key'), req.query.value)
    res.json(valuesOf(req.session))
  },
  '/new/read': (req, res) =>
    void res.json({
      id: sessionOf(req).id,
      user: sessionOf(req).user ?? null,
      n: sessionOf(req).get('n') ?? null,
    }),
  '/new/login': async (req, res) => {
    await sessionOf(req).login({ id: 'bob', name: 'Bob' }, { keep: ['cart'] })
    res.json({ user: req.user, session: valuesOf(req.session) })
  },
  '/new/logout': async (req, res) => {
    await sessionOf(req).logout()
    res.json({ session: typeof req.session })
  },
} as const satisfies Record<string, express5.RequestHandler>

let sessions: Sessions
let store: ReturnType<typeof memoryStore>
let client: Client
beforeEach(() => {
  store = memoryStore()
  sessions = createSessions({ store })
  const site = app({ store: sessions, userId }, routes)
  site.get('/guarded', requireUser(), (req, res) => void res.json(sessionOf(req).user))
  client = new Client(site)
})

test('what one writes, the other reads', async () => {
  await client.get('/old/set?n=1')
  expect((await client.get('/new/read')).body).toMatchObject({ n: '1', user: null })
  expect((await client.get('/new/set?key=theme&value=dark')).body).toEqual({ n: '1', theme: 'dark' })
  expect((await client.get('/old/read')).body).toEqual({ n: '1', theme: 'dark' })
})

test('a guest that sessionOf(req) begins is that of req.session', async () => {
  await client.get('/new/set?key=theme&value=dark').expect(200)
  expect((await client.get('/old/read')).body).toEqual({ theme: 'dark' })
  await client.get('/old/set?n=1')
  expect((await client.get('/new/read')).body.n).toBe('1')
})

test('a user of req.session is known to lists, guards, events and revocation', async () => {
  const events: string[] = []
  sessions.on('login', ({ userId: id }) => events.push(`login ${id}`))
  sessions.on('logout', ({ userId: id }) => events.push(`logout ${id}`))
  await client.get('/guarded').expect(401)
  await client.get('/old/login?user=ann')
  expect((await client.get('/guarded').expect(200)).body).toEqual({ id: 'ann' })
  expect((await sessions.list('ann')).map(({ label }) => label)).toHaveLength(1)
  await client.get('/old/logout')
  expect(events).toEqual(['login ann', 'logout ann'])
  await client.get('/old/login?user=ann')
  expect(await sessions.revokeAll('ann')).toBe(1)
  expect((await client.get('/old/read')).body).toEqual({})
})

test('a login by sessionOf(req) replaces the session, and keeps what it is told to', async () => {
  await client.get('/old/set?cart=tea&other=x')
  const before = client.copy()
  const { body } = await client.get('/new/login')
  expect(body).toEqual({ user: { id: 'bob', name: 'Bob' }, session: { cart: 'tea' } })
  expect((await before.get('/old/read')).body).toEqual({})
  expect((await client.get('/old/read')).body).toEqual({ cart: 'tea' })
  expect((await client.get('/guarded')).body.name).toBe('Bob')
  expect((await client.get('/new/logout')).body).toEqual({ session: 'undefined' })
  expect(client.cookie).toBeUndefined()
})

test('a bare public id opens nothing, signed or not', async () => {
  await client.get('/old/set?n=1')
  const { id } = (await client.get('/new/read')).body as { id: string }
  expect(id).not.toBe(client.sid)
  const { sign } = await import('../../src/express-session/cookie/signature.js')
  for (const value of [id, `s:${id}`, `s:${sign(id, secret)}`]) {
    client.cookie = `connect.sid=${encodeURIComponent(value)}`
    expect((await client.copy().get('/old/read')).body).toEqual({})
  }
})

test('the store holds neither the express-session id nor what it can be made of', async () => {
  const kept: string[] = []
  const spy = {
    ...store,
    insert: (record: never) => void (kept.push(JSON.stringify(record)), store.insert(record)),
    get: store.get.bind(store),
    update: store.update.bind(store),
    delete: store.delete.bind(store),
  }
  const other = new Client(app({ store: spy }, routes))
  await other.get('/old/set?n=1')
  expect(kept).toHaveLength(1)
  expect(kept[0]).not.toContain(other.sid)
})

test('afterwards, sessionMiddleware() with legacyCookie() reads the same cookies', async () => {
  await client.get('/old/login?user=ann')
  await client.get('/old/set?n=1')
  const moved = express5()
  moved.use(sessionMiddleware({ store, cookie: legacyCookie({ secret }) }))
  moved.get('/new/read', routes['/new/read'])
  moved.post('/new/login', routes['/new/login'])
  const next = Object.assign(new Client(moved), { cookie: client.cookie })
  expect((await next.get('/new/read')).body).toMatchObject({ user: { id: 'ann' }, n: '1' })
  // And the other way round: a login there is one here.
  await next.post('/new/login')
  expect(next.cookie).toMatch(/^connect\.sid=s%3A/)
  client.cookie = next.cookie
  expect((await client.get('/guarded')).body.name).toBe('Bob')
  next.cookie = next.cookie!.slice(0, -3)
  expect((await next.get('/new/read')).body.user).toBeNull()
})

const cookies = [{}, { rolling: true }, { cookie: { maxAge: 86_400_000 } }]
test.each(cookies)('secrets rotate, and the session goes on, with %j', async (options) => {
  jest.useFakeTimers({
    now: Date.now(),
    doNotFake: ['setTimeout', 'setInterval', 'setImmediate', 'nextTick', 'queueMicrotask'],
  })
  try {
    const site = new Client(app({ store: memoryStore(), rotateEvery: '10m', userId, ...options }, routes))
    await site.get('/old/login?user=ann')
    const first = site.cookie
    jest.setSystemTime(Date.now() + 11 * 60_000)
    // It changes the session, so that the response would carry the cookie anyway.
    await site.get('/old/set?n=1')
    expect(site.cookie).not.toBe(first)
    expect((await site.get('/old/read')).body).toEqual({ userId: 'ann', n: '1' })
  } finally {
    jest.useRealTimers()
  }
})

test('at start it refuses what a store can not do, with the fix', () => {
  const connect = new MemoryStore()
  expect(() => session({ secret, store: connect, rotateEvery: '1h' })).toThrow(
    /rotateEvery.*store of express-sid/,
  )
  expect(() => session({ secret, store: connect, migrateFrom: connect })).toThrow(/migrateFrom/)
  expect(() => session({ secret, store: memoryStore(), shared: true })).toThrow(/shared/)
  expect(() => session({ secret, store: {} as never })).toThrow(/must be a store/)
  expect(() => session({ secret: [] })).toThrow(/secret/)
  expect(() => legacyCookie({} as never)).toThrow(/secret/)
  expect(() =>
    session({ secret, store: createSessions({ deviceBinding: true, cookie: { secure: true } }) }),
  ).toThrow(/deviceBinding/)
})

test('credentialsChanged() and reauthenticate() give req.session the successor, with what the request has changed', async () => {
  const site = new Client(
    app(
      { store: memoryStore(), userId },
      {
        ...routes,
        '/new/password': async (req, res) => {
          Object.assign(req.session, { before: 1, n: '2' })
          delete (req.session as never as Record<string, unknown>).gone
          await sessionOf(req).credentialsChanged()
          Object.assign(req.session, { after: 1 })
          res.json(req.sessionID === req.session.id)
        },
        '/new/proof': async (req, res) => {
          await sessionOf(req).reauthenticate({ id: 'ann' })
          Object.assign(req.session, { proven: 1 })
          res.json(req.sessionID === req.session.id)
        },
      },
    ),
  )
  await site.get('/old/login?user=ann')
  await site.get('/old/set?gone=1&n=1')
  const copy = site.copy()
  expect((await site.get('/new/password')).body).toBe(true)
  expect((await site.get('/new/proof')).body).toBe(true)
  expect((await site.get('/old/read')).body).toEqual({
    userId: 'ann',
    n: '2',
    before: 1,
    after: 1,
    proven: 1,
  })
  expect((await copy.get('/old/read')).body).toEqual({})
})
