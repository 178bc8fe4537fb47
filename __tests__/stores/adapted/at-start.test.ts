import { randomBytes } from 'node:crypto'
import { MemoryStore } from 'express-session'
import * as sid from 'express-sid'
import {
  createSessions,
  memoryStore,
  type SessionOptions,
  type SessionStore,
  type Sessions,
} from 'express-sid'
import { deviceRoutes } from 'express-sid/devices'
import { encrypted } from 'express-sid/encrypted'
import { fromExpressSession } from 'express-sid/express-session-store'
import { movingStore } from 'express-sid/moving-store'
import { nearCache } from 'express-sid/near-cache'
import { loginAs } from 'express-sid/testing'
import { ann, bob } from '../../support/people.js'
import { express5, site } from '../../support/site.js'
import { replacing } from '../../support/stores.js'
import { warningsOf } from '../../support/warnings.js'

// What a store can't do is known when the app starts, and not when the first user asks for it.

/** What an adapted store has not: updates that are atomic for all processes, and a list of a user's sessions. */
type Need = 'atomic' | 'list'
const needsNothing: readonly Need[] = []

const adapted = () => fromExpressSession(new MemoryStore())
const stores: [string, () => SessionStore, readonly Need[]][] = [
  ['a store of express-session', adapted, ['atomic', 'list']],
  ['a near cache over one', () => nearCache(adapted()), ['atomic', 'list']],
  [
    'a store of its own that can not list',
    () => replacing(memoryStore(), { listByUser: undefined }),
    ['list'],
  ],
  ['a store that can all', () => memoryStore(), []],
]

const fails = (say: RegExp) =>
  expect.objectContaining({
    code: 'OPTION_INVALID',
    // With the way out: another store, or another value.
    message: expect.stringMatching(new RegExp(`${say.source}.*(use|leave)`, 'is')) as string,
  })

/** Of each option of the manager: what it needs of the store, and a value that needs it. */
const options: {
  readonly [Name in Exclude<keyof SessionOptions, 'store'>]-?: readonly [
    readonly Need[],
    SessionOptions[Name],
    SessionOptions?,
  ]
} = {
  idleTimeout: [needsNothing, '1h'],
  absoluteTimeout: [needsNothing, '8d'],
  guestIdleTimeout: [needsNothing, '30m'],
  lifetime: [needsNothing, { idle: '5m', absolute: '1d', persistent: false }],
  touchInterval: [needsNothing, '1m'],
  touch: [needsNothing, () => true],
  rotateEvery: [['atomic'], '1h'],
  rotationGrace: [needsNothing, '2m'],
  onReuse: [['list'], 'endAll'],
  maxSessions: [['atomic', 'list'], 2],
  whenFull: [['atomic', 'list'], 'refuse', { maxSessions: 2 }],
  deviceBinding: [['atomic'], true],
  bearer: [needsNothing, true],
  storeTimeout: [needsNothing, '1s'],
  heardWithin: [needsNothing, '10s'],
  maxDataBytes: [needsNothing, 1_000],
  onStoreError: [needsNothing, 'anonymous'],
  onClientChange: [needsNothing, { network: 'refuse' }],
  recordAddress: [needsNothing, 'network'],
  describeAddress: [needsNothing, () => 'Köln'],
  trustedOrigins: [needsNothing, ['https://app.example']],
  crossSitePaths: [needsNothing, ['/callback']],
  refused: [needsNothing, (_req, res) => void res.sendStatus(403)],
  loadUser: [needsNothing, (id: unknown) => ({ id })],
  mayActAs: [['atomic'], () => true],
  actingTimeout: [needsNothing, '15m'],
  authVersion: [needsNothing, () => 1, { loadUser: (id: unknown) => ({ id }) }],
  userId: [needsNothing, () => 'ann'],
  serializeUser: [needsNothing, (user: object) => user],
  adopt: [
    ['atomic'],
    { until: new Date(Date.now() + 86_400_000), cookies: [{ name: 'old' }], user: () => undefined },
  ],
  cookie: [needsNothing, { name: 'sid' }],
}

describe.each(stores)('on %s', (_, open, lacks) => {
  const cases = Object.entries(options) as [
    keyof SessionOptions,
    readonly [readonly Need[], never, SessionOptions?],
  ][]

  test.each(cases)(
    'the option %s is refused at start where it can not work, and only there',
    (name, [needs, value, more]) => {
      const make = () => createSessions({ store: open(), ...more, [name]: value })
      if (needs.some((need) => lacks.includes(need))) expect(make).toThrow(fails(/store/))
      else expect(make).not.toThrow()
    },
  )

  /** Of each function that takes a manager, or a store. */
  const functions: [string, readonly Need[], (sessions: Sessions) => unknown][] = [
    ['deviceRoutes({ sessions })', ['list'], (sessions) => deviceRoutes({ sessions })],
    [
      'backchannelLogout({ sessions })',
      ['list'],
      (sessions) => sid.backchannelLogout({ sessions, verify: () => ({}), userId: () => 'ann' }),
    ],
    ['encrypted()', ['atomic'], () => encrypted(open(), { keys: [randomBytes(32)] })],
    ['movingStore() to it', ['atomic'], () => movingStore({ from: memoryStore(), to: open() })],
    ['movingStore() from it', needsNothing, () => movingStore({ from: open(), to: memoryStore() })],
    ['sessionMiddleware()', needsNothing, (sessions) => sid.sessionMiddleware(sessions)],
  ]

  test.each(functions)(
    '%s is refused at start where it can not work, and only there',
    (_name, needs, make) => {
      const sessions = createSessions({ store: open() })
      if (needs.some((need) => lacks.includes(need))) expect(() => make(sessions)).toThrow(fails(/store/))
      else expect(() => make(sessions)).not.toThrow()
    },
  )

  test('sessions.can says of the rest what works', () => {
    const { can } = createSessions({ store: open() })
    expect(can).toMatchObject({
      listByUser: !lacks.includes('list'),
      atomicUpdates: !lacks.includes('atomic'),
    })
  })
})

describe('on a store of express-session', () => {
  const adaptedSite = (more: SessionOptions = {}, routes?: Parameters<typeof site>[2]) =>
    site(express5, createSessions({ store: adapted(), ...more }), routes)

  test('what finds its manager by the request, or is called in one, is UNSUPPORTED, and ends nobody', async () => {
    const { logIn, sessions } = adaptedSite({}, (app) => {
      app.use('/devices', deviceRoutes())
      app.post(
        '/told',
        (req, _res, next) => {
          req.body = { logout_token: 'x' }
          next()
        },
        sid.backchannelLogout({
          verify: () => ({ ...claims, sub: 'ann', iat: Math.floor(Date.now() / 1_000) }),
          userId: ({ sub }) => sub,
        }),
      )
    })
    const visitor = await logIn()
    const unsupported = { code: 'UNSUPPORTED' }
    for (const call of ['list', 'revokeAll', 'revokeOthers', 'credentialsChanged'] as const) {
      expect((await visitor.run((session) => session[call]())).body).toMatchObject(unsupported)
    }
    for (const [method, path] of [
      ['get', '/devices'],
      ['post', '/devices/end-all'],
      ['post', '/told'],
    ] as const) {
      const { status, body } = await visitor[method](path, { Accept: 'application/json' })
      expect([status, body]).toMatchObject([501, unsupported])
    }
    await expect(sessions.list('ann')).rejects.toMatchObject(unsupported)
    await expect(sessions.revokeAll('ann')).rejects.toMatchObject(unsupported)
    await expect(sessions.updateUser('ann', (user: object) => user)).rejects.toMatchObject(unsupported)
    expect(await visitor.user()).toEqual(ann)
  })

  test('all else works', async () => {
    const { logIn, sessions } = adaptedSite({ bearer: true }, (routes) => {
      routes.all('/session', sid.sessionStatus())
      routes.get(
        '/recent',
        sid.requireRecentLogin({ within: '10m', methods: ['otp'] }),
        (_req, res) => void res.json(1),
      )
    })
    const visitor = await logIn()
    await visitor.run((session) =>
      session.login(ann, { lifetime: { idle: '5m', absolute: '1h' }, method: 'password' }),
    )
    expect((await visitor.get('/session')).body).toEqual({ idleSeconds: 299, absoluteSeconds: 3_599 })
    expect((await visitor.post('/session')).body).toMatchObject({ absoluteSeconds: 3_599 })
    expect((await visitor.get('/recent')).status).toBe(401)
    await visitor.run((session) => session.reauthenticate(ann, { method: 'otp' }))
    expect((await visitor.get('/recent')).status).toBe(200)
    await visitor.run((session) => session.updateUser((user) => ({ ...user, name: 'Anna' })))
    expect(await visitor.user()).toEqual({ ...ann, name: 'Anna' })
    const other = await loginAs(sessions, bob)
    expect(await sessions.touch(other.session.id)).toBe(true)
    const close = jest.fn()
    sessions.onEnd(other.session.id, close)
    expect(await sessions.revoke(other.session.id)).toBe(true)
    expect(close).toHaveBeenCalledTimes(1)
    await sessions.close()
  })
})

const claims = {
  iss: 'https://idp.example',
  aud: 'shop',
  jti: 'j1',
  events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
}

describe('a store of express-session without touch', () => {
  const callbacks = { get() {}, set() {}, destroy() {} } as never as MemoryStore
  const warned = (store: MemoryStore) => {
    const warnings = warningsOf('SID_NO_TOUCH')
    fromExpressSession(store)
    warnings.stop()
    return warnings.now()
  }

  test('is warned of at start, since no use of a session moves its deadline, unless it says so itself', () => {
    expect(warned(callbacks)).toEqual([expect.stringContaining('Use a store that has one')])
    expect(warned(Object.assign({}, callbacks, { touch: undefined }))).toEqual([])
    expect(warned(new MemoryStore())).toEqual([])
  })
})

test.each<[string, () => unknown]>([
  ['deviceRoutes', () => deviceRoutes({ sessions: {} as Sessions })],
  [
    'backchannelLogout',
    () => sid.backchannelLogout({ sessions: {} as Sessions, verify: () => ({}), userId: () => 1 }),
  ],
])('%s takes no other object for a manager', (name, make) => {
  expect(make).toThrow(
    expect.objectContaining({
      code: 'OPTION_INVALID',
      message: expect.stringMatching(new RegExp(`sessions of ${name}.*createSessions`)) as string,
    }),
  )
})
