import express, { type Express } from 'express'
import request from 'supertest'
import {
  createSessions,
  login,
  logout,
  memoryStore,
  refuse,
  requireUser,
  sessionMiddleware,
  sessionOf,
  type SessionStore,
} from 'express-sid'
import { telemetry, type Telemetry } from 'express-sid/opentelemetry'
import { makeRecord } from 'express-sid/testing'
import { StoreCalls } from '../../src/core/records/store-calls.js'
import { wiringOf } from '../../src/http/wiring.js'
import { answerWithCode } from '../support/site.js'
import { asyncStore, batching, failing, replacing } from '../support/stores.js'
import { collecting } from './support/meters.js'

let meters: ReturnType<typeof collecting>
const closing: (() => unknown)[] = []

beforeEach(() => {
  meters = collecting()
})
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
  await meters.close()
})

const address = '203.0.113.77'

/** An app with everything measured. Who logs in as `locked` or `?` is refused. */
function measuredApp(store: SessionStore = memoryStore(), options = {}) {
  const sessions = createSessions({ store })
  const { meterProvider } = meters
  const measured = telemetry(sessions, { store: 'mem', loginReasons: ['locked'], meterProvider, ...options })
  const app = express().set('trust proxy', true)
  app.use(measured.requests(), sessionMiddleware(sessions))
  app.post(
    '/login/:name',
    login((req) => {
      const { name } = req.params
      if (name === 'locked') return refuse({ reason: 'locked', userId: 'ann-4711' })
      if (name === 'secret') return refuse({ reason: 'ann-4711 has typed hunter2' })
      return name === 'nobody' ? undefined : { id: name }
    }),
  )
  app.post('/logout', logout())
  app.get('/', (req, res) => void res.send(sessionOf(req).id ?? 'stranger'))
  app.get('/mine', requireUser(), (_req, res) => void res.send('mine'))
  app.post('/count', async (req, res) => {
    await sessionOf(req).update<number>('count', (n = 0) => n + 1)
    res.end()
  })
  app.use(answerWithCode())
  closing.push(() => sessions.close())
  return { app, sessions, measured }
}

async function logIn(app: Express, name = 'ann-4711') {
  const agent = request.agent(app).set('X-Forwarded-For', address)
  await agent.post(`/login/${name}`).expect(200)
  return agent
}

test('logins are counted by outcome, and refused ones by the reasons that are named', async () => {
  const { app } = measuredApp()
  await logIn(app)
  for (const name of ['locked', 'secret', 'nobody']) await request(app).post(`/login/${name}`).expect(401)
  expect(await meters.sum('express_sid.logins', { outcome: 'ok' })).toBe(1)
  for (const reason of ['locked', 'other', 'none']) {
    expect(await meters.sum('express_sid.logins', { outcome: 'refused', reason })).toBe(1)
  }
})

test('ended sessions are counted by cause', async () => {
  const { app, sessions } = measuredApp()
  const agent = await logIn(app)
  await agent.post('/login/ann-4711').expect(200)
  await agent.post('/logout').expect(200)
  await logIn(app)
  await sessions.revokeAll('ann-4711')
  for (const cause of ['login', 'logout', 'revokeAll']) {
    expect([cause, await meters.sum('express_sid.sessions.ended', { cause })]).toEqual([cause, 1])
  }
})

test('requests are counted by why they have no user', async () => {
  const { app } = measuredApp()
  const agent = await logIn(app)
  await agent.get('/').expect(200)
  await request(app).get('/').expect(200)
  await request(app).get('/').set('Cookie', 'sid=nonsense').expect(200)
  await agent.post('/count').set('Origin', 'https://evil.example').expect(403)
  expect(await meters.sum('express_sid.requests', { user: true })).toBe(2)
  for (const reason of ['noCookie', 'malformed', 'crossOrigin']) {
    expect([reason, await meters.sum('express_sid.requests', { user: false, reason })]).toEqual([reason, 1])
  }
})

test('refused and failed requests are counted by their code, those of this manager alone', async () => {
  const { app } = measuredApp()
  const other = collecting()
  const elsewhere = createSessions()
  telemetry(elsewhere, { meterProvider: other.meterProvider })
  closing.push(
    () => elsewhere.close(),
    () => other.close(),
  )
  const agent = await logIn(app)
  await request(app).get('/mine').expect(401)
  await agent.post('/count').set('Origin', 'https://evil.example').expect(403)
  expect(await meters.points('express_sid.refusals')).toEqual([
    { attributes: { code: 'UNAUTHENTICATED' }, value: 1 },
    { attributes: { code: 'CROSS_ORIGIN' }, value: 1 },
  ])
  expect(await other.points('express_sid.refusals')).toEqual([])
})

test('lookups are counted one by one and timed, also those that share a call', async () => {
  const store = batching(asyncStore(memoryStore()))
  const { app, sessions } = measuredApp(store)
  const agent = await logIn(app)
  await Promise.all(Array.from({ length: 5 }, () => agent.get('/').expect(200)))
  await sessions.find(makeRecord().id)
  expect(await meters.sum('express_sid.lookups', { store: 'mem', result: 'found' })).toBeGreaterThan(0)
  expect(await meters.sum('express_sid.lookups', { store: 'mem', result: 'absent' })).toBe(1)
  const timed = await meters.points('express_sid.store.duration')
  expect(timed.map(({ attributes }) => attributes)).toContainEqual({
    store: 'mem',
    operation: 'insert',
    result: 'ok',
  })
  for (const { value } of timed) {
    const { count, sum } = value as { count: number; sum: number }
    expect(count).toBeGreaterThan(0)
    expect(sum / count).toBeLessThan(1)
  }
})

test('conflicts, failures and swept records are counted', async () => {
  const memory = memoryStore()
  let conflicts = 2
  const store = replacing(memory, {
    update: (record, ifVersion) => ((conflicts -= 1) >= 0 ? 'conflict' : memory.update(record, ifVersion)),
  })
  const { app, sessions } = measuredApp(store)
  const agent = await logIn(app)
  await agent.post('/count').expect(200)
  expect(await meters.sum('express_sid.store.conflicts', { operation: 'update' })).toBe(2)
  await memory.insert(makeRecord({ expiresAt: 1 }))
  const { records } = wiringOf(sessions)!.engine
  await records.expiryStep!(100, undefined)
  expect(await meters.sum('express_sid.sweep.removed', { store: 'mem' })).toBe(1)
})

test('a store that fails is counted by method and code, with no word of what it said', async () => {
  const broken = failing(memoryStore(), 'get', () => {
    throw new Error('password "hunter2" rejected for ann-4711')
  })
  const { app, sessions } = measuredApp(replacing(broken, { getMany: undefined }))
  const agent = await logIn(app)
  await agent.get('/').expect(503)
  expect(await sessions.check()).toMatchObject({ ok: false })
  expect(await meters.points('express_sid.store.errors')).toEqual([
    { attributes: { store: 'mem', operation: 'get', code: 'STORE_FAILED' }, value: 2 },
  ])
  expect(await meters.everything()).not.toContain('hunter2')
})

test('live sessions are what the store counts, and it is not asked each time', async () => {
  let asked = 0
  const count = async () => 41 + (asked += 1)
  measuredApp(replacing(memoryStore(), { count }))
  for (let scrapes = 0; scrapes < 3; scrapes += 1) {
    expect(await meters.points('express_sid.sessions.live')).toEqual([
      { attributes: { store: 'mem' }, value: 42 },
    ])
  }
  expect(asked).toBe(1)
})

test.each<[string, object]>([
  ['each time, with 0', { countEvery: 0 }],
  ['never, with false', { countEvery: false }],
])('it is asked %s', async (_, options) => {
  let asked = 0
  measuredApp(replacing(memoryStore(), { count: () => (asked += 1) }), options)
  const seen = [
    ...(await meters.points('express_sid.sessions.live')),
    ...(await meters.points('express_sid.sessions.live')),
  ]
  expect(seen.map(({ value }) => value)).toEqual(
    'countEvery' in options && options.countEvery === 0 ? [1, 2] : [],
  )
})

test('a count that fails is a gap, and no error', async () => {
  const count = () => Promise.reject(new Error('away'))
  measuredApp(replacing(memoryStore(), { count }))
  expect(await meters.points('express_sid.sessions.live')).toEqual([])
})

test('no metric holds an id, an address, or a text from outside', async () => {
  const { app } = measuredApp()
  const agent = await logIn(app)
  const { text: sessionId } = await agent.get('/')
  await request(app).post('/login/secret').set('X-Forwarded-For', address)
  const everything = await meters.everything()
  for (const secret of ['ann-4711', sessionId, address, 'hunter2']) expect(everything).not.toContain(secret)
  expect(everything).toContain('express_sid.logins')
})

test('a request is the same with it, and after `stop` nothing is counted', async () => {
  const { app, measured } = measuredApp(asyncStore(memoryStore()))
  const agent = await logIn(app)
  const before = await meters.sum('express_sid.logins')
  const calls = await meters.points('express_sid.store.duration')
  measured.stop()
  await logIn(app)
  await agent.get('/mine').expect(200, 'mine')
  await request(app).get('/mine').expect(401)
  expect(await meters.sum('express_sid.logins')).toBe(before)
  expect(await meters.points('express_sid.store.duration')).toEqual(calls)
  expect(await meters.points('express_sid.refusals')).toEqual([])
})

test('without it, calls to the store go their plain way', () => {
  const plain = createSessions()
  const calls = new StoreCalls(100, () => undefined)
  expect(Object.hasOwn(calls, 'call')).toBe(false)
  calls.observe((_operation, run) => run())
  expect(Object.hasOwn(calls, 'call')).toBe(true)
  return plain.close()
})

test.each<[string, () => Telemetry, RegExp]>([
  ['what is no manager', () => telemetry({} as never), /takes the manager that createSessions/],
  ['a misspelt option', () => telemetry(createSessions(), { stores: 'x' } as never), /Did you mean store/],
  ['no provider', () => telemetry(createSessions(), { meterProvider: {} as never }), /a MeterProvider/],
  [
    'reasons that are no list',
    () => telemetry(createSessions(), { loginReasons: 'x' as never }),
    /an array of names/,
  ],
])('%s is refused at start, with the fix', (_, make, message) => {
  expect(make).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringMatching(message) as unknown }),
  )
})
