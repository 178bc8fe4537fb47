import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RedisStore } from 'connect-redis'
import expressSession from 'express-session'
import express, { type Express } from 'express'
import memorystore from 'memorystore'
import { createClient } from 'redis'
import fileStore from 'session-file-store'
import { memoryStore } from 'express-sid'
import session from 'express-sid/express-session'
import { needs, urls } from '../support/needs.js'
import { secret, valuesOf } from './support/app.js'
import { Client } from './support/client.js'

// A live app with a store of express-session: at the switch nobody is logged out, and at the rollback neither. Meanwhile
// both versions run side by side.

/** Without what session-file-store puts into each session itself. */
const values = (one: object) => ({ ...valuesOf(one), __lastAccess: undefined })

type Factory = typeof expressSession
type AnyStore = expressSession.Store

function app(factory: Factory, store: AnyStore): Express {
  const made = express()
  made.use(factory({ secret, store, resave: false, saveUninitialized: false, cookie: { maxAge: 3_600_000 } }))
  made.get('/set', (req, res) => {
    Object.assign(req.session, req.query)
    res.json('ok')
  })
  made.get('/read', (req, res) => {
    // express-session loses a millisecond now and then: it looks at the clock twice.
    const maxAge = Math.round(req.session.cookie.originalMaxAge! / 1000) * 1000
    res.json({ ...values(req.session), maxAge })
  })
  made.get('/logout', (req, res) => req.session.destroy(() => void res.json('bye')))
  return made
}

const old = expressSession
const ours = session as never as Factory

function holds(makeStore: () => AnyStore): void {
  test('cookie and data stay at the switch, at the rollback, and side by side', async () => {
    const before = new Client(app(old, makeStore()))
    await before.get('/set?user=ann')
    const at = (target: Express) => Object.assign(new Client(target), { cookie: before.cookie })
    const now = at(app(ours, makeStore()))
    expect((await now.get('/read')).body).toEqual({ user: 'ann', maxAge: 3_600_000 })
    await now.get('/set?cart=tea')
    expect(now.sid).toBe(before.sid)
    // A rolling deploy: each request may reach the other version.
    expect((await before.get('/read')).body).toEqual({ user: 'ann', cart: 'tea', maxAge: 3_600_000 })
    await before.get('/set?n=1')
    await now.get('/set?m=2')
    const all = { user: 'ann', cart: 'tea', n: '1', m: '2', maxAge: 3_600_000 }
    expect((await now.get('/read')).body).toEqual(all)
    // Back again.
    const back = at(app(old, makeStore()))
    expect((await back.get('/read')).body).toEqual(all)
    // A logout there is one here, and the other way round.
    await back.get('/logout')
    expect((await at(app(ours, makeStore())).get('/read')).body).toEqual({ maxAge: 3_600_000 })
  })

  test('a session that began here goes on there', async () => {
    const begun = new Client(app(ours, makeStore()))
    await begun.get('/set?user=bob')
    const back = Object.assign(new Client(app(old, makeStore())), { cookie: begun.cookie })
    expect((await back.get('/read')).body).toEqual({ user: 'bob', maxAge: 3_600_000 })
    await begun.get('/logout')
    expect((await back.get('/read')).body.user).toBeUndefined()
  })

  test('migrateFrom takes it over into a store of this package, under the same cookie', async () => {
    const before = new Client(app(old, makeStore()))
    await before.get('/set?user=ann')
    const from = makeStore()
    const moved = express()
    moved.use(
      session({ secret, store: memoryStore(), migrateFrom: from, resave: false, saveUninitialized: false }),
    )
    moved.get('/read', (req, res) => void res.json(values(req.session)))
    moved.get('/logout', (req, res) => req.session.destroy(() => void res.json('bye')))
    const now = Object.assign(new Client(moved), { cookie: before.cookie })
    const parallel = await Promise.all(Array.from({ length: 5 }, () => now.copy().get('/read')))
    expect(parallel.map(({ body }) => body as unknown)).toEqual(
      Array.from({ length: 5 }, () => ({ user: 'ann' })),
    )
    const copy = now.copy()
    await now.get('/logout')
    expect((await copy.get('/read')).body).toEqual({})
  })
}

describe('memorystore', () => {
  const Store = memorystore(expressSession)
  const store = new Store({ checkPeriod: 0 })
  holds(() => store)
})

describe('session-file-store', () => {
  const folder = mkdtempSync(join(tmpdir(), 'express-sid-files-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  const Store = fileStore(expressSession)
  holds(() => new Store({ path: folder, logFn: () => undefined, reapInterval: -1, retries: 0 }))
})

needs('redis')('connect-redis', () => {
  const client = createClient({ url: urls.redis })
  client.on('error', () => undefined)
  beforeAll(() => client.connect())
  afterAll(() => client.close())
  holds(() => new RedisStore({ client, prefix: `sid-switch-${process.pid}:` }))
})
