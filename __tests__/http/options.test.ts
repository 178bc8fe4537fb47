import { replacing } from '../support/stores.js'
import { wiringOf } from '../../src/http/wiring.js'
import { createSessions, login, memoryStore, sessionMiddleware, type SessionOptions } from 'express-sid'
import { ann, DAY, MINUTE, SECOND } from '../support/core.js'
import { expresses, site } from '../support/site.js'
import { MemoryStore } from 'express-session'
import { fromExpressSession } from 'express-sid/express-session-store'
import { nearCache } from 'express-sid/near-cache'
import request from 'supertest'

const invalid = (...words: string[]) =>
  expect.objectContaining({
    code: 'OPTION_INVALID',
    status: 500,
    message: expect.stringMatching(new RegExp(words.map((word) => `(?=.*${word})`).join(''), 's')),
  })

const make = (options: unknown) => () => createSessions(options as SessionOptions)

const names = [
  'store',
  'idleTimeout',
  'absoluteTimeout',
  'guestIdleTimeout',
  'touchInterval',
  'rotateEvery',
  'rotationGrace',
  'onReuse',
  'storeTimeout',
  'maxDataBytes',
  'onStoreError',
  'onClientChange',
  'trustedOrigins',
  'refused',
  'loadUser',
  'userId',
  'serializeUser',
  'cookie',
]

test.each(names)('%s misspelt is refused, and the right name said', (name) => {
  const misspelt = [
    name.slice(0, -1),
    `${name}s`,
    name.toLowerCase().replace(/^./, (first) => first.toUpperCase()),
  ]
  for (const wrong of misspelt) expect(make({ [wrong]: undefined })).toThrow(invalid(`Did you mean ${name}`))
})

test('a name of nothing is refused with all that there are', () => {
  expect(make({ zebra: 1 })).toThrow(invalid('zebra', ...names))
})

test.each(['secret', 'resave', 'saveUninitialized', 'rolling', 'genid'])(
  "express-session's option %s is refused",
  (name) => {
    expect(make({ [name]: true })).toThrow(invalid(name))
  },
)

test.each([null, 'sqlite', 1, true])('options that are %p are refused', (value) => {
  expect(make(value)).toThrow(invalid('object'))
  expect(() => sessionMiddleware(value as never)).toThrow(invalid('object'))
})

test.each(['idleTimeout', 'absoluteTimeout', 'guestIdleTimeout', 'touchInterval', 'storeTimeout'])(
  '%s that is no duration is refused at the start',
  (name) => {
    for (const value of ['30', 'soon', '1y', -1, 1.5, NaN, Infinity, {}, true, '', '-1d', '1 d']) {
      expect(make({ [name]: value })).toThrow(invalid(name, "'30m'"))
    }
    if (name !== 'touchInterval') expect(make({ [name]: 0 })).toThrow(invalid(name, 'longer than 0'))
  },
)

test('lifetimes are 7 and 30 days, an hour for guests, and a touch in five minutes', () => {
  const { settings } = wiringOf(createSessions())!
  expect(settings).toMatchObject({
    idleTimeout: 7 * DAY,
    absoluteTimeout: 30 * DAY,
    guestIdleTimeout: 60 * MINUTE,
    touchInterval: 5 * MINUTE,
    storeTimeout: 2 * SECOND,
    maxDataBytes: 65_536,
    onStoreError: 'fail',
    onClientChange: { engine: 'refuse', network: 'report' },
  })
})

test('lifetimes beyond 400 days are refused, since no browser keeps a cookie longer', () => {
  expect(make({ absoluteTimeout: '401d' })).toThrow(invalid('absoluteTimeout', '400'))
  expect(wiringOf(createSessions({ absoluteTimeout: '400d' }))!.settings.absoluteTimeout).toBe(400 * DAY)
})

test('lifetimes that contradict each other are refused', () => {
  expect(make({ idleTimeout: '2d', absoluteTimeout: '1d' })).toThrow(
    invalid('idleTimeout', 'absoluteTimeout'),
  )
  // A login that was meant to last 60 days would end after the default 30.
  expect(make({ idleTimeout: '60d' })).toThrow(invalid('idleTimeout', 'absoluteTimeout'))
  expect(make({ idleTimeout: '1h', touchInterval: '1h' })).toThrow(invalid('touchInterval'))
  expect(make({ touchInterval: '2h' })).toThrow(invalid('touchInterval', '3600000'))
  // The defaults step aside.
  expect(wiringOf(createSessions({ absoluteTimeout: '1d' }))!.settings.absoluteTimeout).toBe(DAY)
  expect(wiringOf(createSessions({ idleTimeout: '30s' }))!.settings.touchInterval).toBe(3 * SECOND)
  expect(wiringOf(createSessions({ touchInterval: 0 }))!.settings.touchInterval).toBe(0)
})

test('a storeTimeout that no timer can wait for is refused', () => {
  expect(make({ storeTimeout: '30d' })).toThrow(invalid('storeTimeout', '24 days'))
})

test('rotation leaves room for late responses, and can be turned off', () => {
  expect(make({ rotationGrace: '59s' })).toThrow(invalid('rotationGrace', 'a minute'))
  expect(make({ rotateEvery: 0 })).toThrow(invalid('rotateEvery', 'longer than 0'))
  expect(make({ rotateEvery: true })).toThrow(invalid('rotateEvery', "'30m'"))
  expect(make({ rotateEvery: '9m' })).toThrow(invalid('rotateEvery', 'twice rotationGrace'))
  expect(make({ rotateEvery: '3m', rotationGrace: '2m' })).toThrow(invalid('twice rotationGrace'))
  expect(make({ onReuse: 'ignore' })).toThrow(invalid('onReuse', "'end', 'endAll', 'report'"))
  expect(wiringOf(createSessions({ rotateEvery: '2m', rotationGrace: '1m' }))!.settings).toMatchObject({
    rotateEvery: 2 * MINUTE,
    rotationGrace: MINUTE,
    onReuse: 'end',
  })
  expect(wiringOf(createSessions({ rotateEvery: false }))!.settings.rotateEvery).toBe(false)
})

test("onReuse 'endAll' needs a store that can list the sessions of a user", () => {
  const blind = replacing(memoryStore(), { listByUser: undefined })
  expect(make({ store: blind, onReuse: 'endAll' })).toThrow(invalid('onReuse', 'listByUser'))
  expect(make({ store: blind, onReuse: 'end' })).not.toThrow()
})

test('secrets do not rotate on a store without atomic updates, and asking for it is refused with the fix', () => {
  const weak = fromExpressSession(new MemoryStore())
  const settings = (options: SessionOptions) => wiringOf(createSessions(options))!.settings
  expect(settings({ store: weak }).rotateEvery).toBe(false)
  expect(settings({ store: weak, rotateEvery: false }).rotateEvery).toBe(false)
  expect(settings({ store: nearCache(weak) }).rotateEvery).toBe(false)
  expect(make({ store: weak, rotateEvery: '1h' })).toThrow(invalid('rotateEvery', 'atomic', 'redisStore'))
  expect(settings({ store: memoryStore() }).rotateEvery).toBe(60 * MINUTE)
})

test('onStoreError and onClientChange take their words only', () => {
  expect(make({ onStoreError: 'ignore' })).toThrow(invalid('onStoreError', "'fail', 'anonymous'"))
  expect(make({ onClientChange: 'refuse' })).toThrow(invalid('onClientChange', 'object'))
  expect(make({ onClientChange: { engine: 'maybe' } })).toThrow(invalid('onClientChange.engine', 'maybe'))
  expect(make({ onClientChange: { network: true } })).toThrow(invalid('onClientChange.network'))
  expect(make({ onClientChange: { ip: 'refuse' } })).toThrow(invalid('onClientChange', 'engine, network'))
})

test.each([
  ['loadUser', 'users.find'],
  ['userId', 'user.uuid'],
  ['serializeUser', '{ id, name }'],
])('%s must be a function, and the error shows one', (name, example) => {
  expect(make({ [name]: 'id' })).toThrow(invalid(`${name} must be a function`, example, 'not string'))
})

test('trustedOrigins are whole origins', () => {
  for (const value of ['https://a.example', ['*'], ['null'], ['https://a.example/'], ['a.example'], [1]]) {
    expect(make({ trustedOrigins: value })).toThrow(invalid('trustedOrigins'))
  }
})

test('a store must have the methods of one', () => {
  expect(make({ store: {} })).toThrow(invalid('store', 'insert, get, update, delete'))
  expect(make({ store: Promise.resolve(memoryStore()) })).toThrow(invalid('store'))
  expect(make({ store: { get() {}, set() {}, destroy() {} } })).toThrow(invalid('fromExpressSession'))
})

test('a store may leave out what it can not do, but must not fill it with something else', () => {
  const least = { insert() {}, get() {}, update() {}, delete() {} }
  expect(make({ store: least })).not.toThrow()
  for (const name of ['listByUser', 'getMany', 'deleteExpired']) {
    expect(make({ store: { ...least, [name]: undefined } })).not.toThrow()
    expect(make({ store: { ...least, [name]: true } })).toThrow(invalid(`store.${name} must be a method`))
  }
})

test.each(names)('%s: null is refused, never taken for absent', (name) => {
  expect(make({ [name]: null })).toThrow(invalid(name))
})

test.each([[[]], [() => ({})]])('options that are %p are refused', (value) => {
  expect(make(value)).toThrow(invalid('must be an object'))
})

test.each([
  ['a name', { name: 'a b' }],
  ['a prefix that asks for Secure', { name: '__Host-sid', secure: false }],
  ['a host-only name with a domain', { name: '__Host-sid', domain: 'example.com' }],
  ['sameSite none without Secure', { sameSite: 'none', secure: false }],
  ['maxAge', { maxAge: 1 }],
  ['httpOnly', { httpOnly: false }],
  ['a misspelt name', { samesite: 'lax' }],
])('a cookie option that browsers would not keep is refused: %s', (_what, cookie) => {
  expect(make({ cookie })).toThrow(invalid('cookie'))
})

test('a broken option makes no store and leaves no timer', () => {
  const before = process.getActiveResourcesInfo().length
  expect(make({ cookie: { name: 'a b' } })).toThrow()
  expect(process.getActiveResourcesInfo().length).toBe(before)
})

test('the middleware takes options, a manager, or nothing', () => {
  const sessions = createSessions()
  expect(typeof sessionMiddleware()).toBe('function')
  expect(typeof sessionMiddleware({})).toBe('function')
  expect(typeof sessionMiddleware(sessions)).toBe('function')
})

test.each(expresses)('undefined options are as if absent (%s)', async (_name, module) => {
  const options = Object.fromEntries([...names].map((name) => [name, undefined]))
  const { app } = site(module, options, (routes) => {
    routes.post(
      '/login',
      login(() => ann, { keep: undefined, redirect: undefined, crossSite: undefined }),
    )
  })
  expect((await request(app).post('/login')).text).toBe('Logged In')
})

test('a persistent cookie is the default; persistent: false leaves it to the window', async () => {
  const { app } = site(expresses[0][1], { cookie: { persistent: false } }, (routes) => {
    routes.post(
      '/login',
      login(() => ann),
    )
  })
  const res = await request(app).post('/login')
  expect(res.headers['set-cookie']![0]).toMatch(/^sid=[^;]+; Path=\/; HttpOnly; SameSite=Lax$/)
})
