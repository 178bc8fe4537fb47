import { createSessions, memoryStore, sessionOf } from 'express-sid'
import session, { MemoryStore } from 'express-sid/express-session'
import { app, valuesOf } from './support/app.js'
import { Client } from './support/client.js'

// Ways around the request by which a session could come back, or be lost.

type Loaded = { save(): Promise<void>; late?: number }
type Values = Record<string, unknown>

const logout = {
  '/logout': (req, res) => req.session.destroy((error) => void res.json({ error })),
} satisfies Routes
type Routes = Parameters<typeof app>[1]
const set: Routes = {
  '/set': (req, res) => {
    req.session.n = Math.random()
    res.json('ok')
  },
  '/read': (req, res) => void res.json(valuesOf(req.session)),
}

const ourStores = {
  'a store of this package': () => memoryStore(),
  'a store of express-session': () => new MemoryStore(),
}
test.each(Object.entries(ourStores))(
  'what store.load() has found before a logout is not written after it, in %s',
  async (_name, makeStore) => {
    const loaded: Loaded[] = []
    const load: Routes = {
      '/load': (req, res) =>
        req.sessionStore.load(req.sessionID, (error, found) => {
          loaded.push(found as unknown as Loaded)
          res.json(error ?? 'ok')
        }),
    }
    const client = new Client(app({ store: makeStore() }, { ...set, ...load, ...logout }))
    await client.get('/set')
    await client.get('/load')
    await client.get('/load')
    const [one, other] = loaded
    one!.late = 1
    await one!.save()
    expect((await client.get('/read')).body).toMatchObject({ late: 1 })
    const copy = client.copy()
    await client.get('/logout')
    other!.late = 2
    await expect(other!.save()).rejects.toMatchObject({ code: 'SESSION_ENDED' })
    expect((await copy.get('/read')).body).toEqual({})
  },
)

test('a store that never calls back from destroy holds no later request up', async () => {
  class Silent extends MemoryStore {
    override destroy(): void {}
  }
  const client = new Client(app({ store: new Silent(), storeTimeout: 20 }, { ...set, ...logout }))
  await client.get('/set')
  const copy = client.copy()
  expect((await client.get('/logout')).body).toMatchObject({ code: 'STORE_TIMEOUT' })
  expect((await copy.get('/set')).status).toBe(200)
})

test('a store that writes a session too late, after its end, has it ended again', async () => {
  const writes: (() => void)[] = []
  let isSlow = false
  class Late extends MemoryStore {
    override set(...args: Parameters<MemoryStore['set']>): void {
      if (isSlow) writes.push(() => super.set(...args))
      else super.set(...args)
    }
  }
  const client = new Client(app({ store: new Late(), storeTimeout: 20 }, { ...set, ...logout }))
  await client.get('/set')
  const copy = client.copy()
  isSlow = true
  expect((await client.get('/set')).body.code).toBe('STORE_TIMEOUT')
  isSlow = false
  await client.get('/logout')
  writes.forEach((write) => write())
  await new Promise((resolve) => setTimeout(resolve, 10))
  expect((await copy.get('/read')).body).toEqual({})
})

test('values of sessionOf(req) under the names of methods stay, and are no prototype of req.session', async () => {
  const names = ['__proto__', 'save', 'id', 'cookie']
  const client = new Client(
    app(
      { store: createSessions({ store: memoryStore() }) },
      {
        ...set,
        '/names': async (req, res) => {
          req.session.n = 5
          await req.session.save()
          for (const name of names) await sessionOf(req).set(name, { polluted: name })
          res.json([req.session instanceof session.Session, (req.session as unknown as Values).polluted])
        },
        '/get': (req, res) => void res.json(names.map((name) => sessionOf(req).get(name))),
      },
    ),
  )
  // The first response gives the cookie, although sessionOf(req) wrote last.
  expect((await client.get('/names')).body).toEqual([true, null])
  expect((await client.get('/read')).body).toEqual({ n: 5 })
  await client.get('/set')
  expect((await client.get('/get')).body).toEqual(names.map((name) => ({ polluted: name })))
})

test('revokeAll() ends the sessions of a user that migrateFrom has not taken over yet', async () => {
  const from = new MemoryStore()
  const routes: Routes = {
    ...set,
    '/login': (req, res) => {
      Object.assign(req.session, { passport: { user: req.query.user } })
      res.json('ok')
    },
  }
  const before = app({ store: from }, routes)
  const thief = new Client(before)
  await thief.get('/login?user=ann')
  const other = new Client(before)
  await other.get('/login?user=bob')
  const sessions = createSessions({ store: memoryStore() })
  const now = app({ store: sessions, migrateFrom: from }, routes)
  const at = (client: Client) => Object.assign(new Client(now), { cookie: client.cookie })
  await sessions.revokeAll('ann')
  expect((await at(thief).get('/read')).body).toEqual({})
  expect((await at(thief).get('/read')).body).toEqual({})
  expect((await at(other).get('/read')).body).toEqual({ passport: { user: 'bob' } })
  expect(Object.keys((from as unknown as { sessions: object }).sessions)).toEqual([])
  expect(await sessions.list('ann')).toEqual([])
})
