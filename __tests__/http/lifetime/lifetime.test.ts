import { createSessions, login, nistLifetimes, type LoginOptions, type SessionOptions } from 'express-sid'
import { DAY, HOUR, MINUTE, moveTheClock, SECOND, stopTheClock } from '../../support/core.js'
import { styles } from '../../support/faulty-store.js'
import { ann, bob } from '../../support/people.js'
import { express5, expresses, site, type SiteOptions } from '../../support/site.js'
import { setCookies, type Answer, type Visitor } from '../../support/visitor.js'

beforeEach(() => stopTheClock())
afterEach(() => jest.useRealTimers())

const admin = { id: 'root', role: 'admin' }
const lifetime: SessionOptions['lifetime'] = (user: { role?: string }) =>
  user.role === 'admin' ? { idle: '5m', absolute: '1h', persistent: false } : undefined

/** The seconds that the cookie is given; `undefined` where it ends with the browser. */
const maxAge = (res: Answer) => {
  const [, seconds] = /; Max-Age=(\d+)/.exec(setCookies(res)[0]!) ?? []
  return seconds === undefined ? undefined : Number(seconds)
}

const isIn = async (visitor: Visitor) => (await visitor.user()) !== null

/** Uses the session in such steps, and says how long it lived. */
async function lifeInSteps(visitor: Visitor, step: number): Promise<number> {
  for (let lived = 0; ; lived += step) {
    if (!(await isIn(visitor))) return lived
    moveTheClock(step)
  }
}

function siteWith(options: SiteOptions = {}, route: LoginOptions = {}, user: object = admin) {
  return site(express5, { lifetime, ...options }, (app) => {
    app.post(
      '/enter',
      login(() => user, route),
    )
  })
}

describe.each(expresses)('the option lifetime on %s', (_, express) => {
  const roles = (options: SiteOptions = {}) =>
    site(express, { lifetime, ...options }, (app) => {
      app.post(
        '/admin',
        login(() => admin),
      )
    })

  test.each(styles)(
    'makes the login of one role stricter, and no other, on a store that is %s',
    async (style) => {
      const { visitor, logIn } = roles({ style })
      const [root, user] = [visitor(), await logIn()]
      expect(maxAge(await root.post('/admin'))).toBeUndefined()
      moveTheClock(5 * MINUTE - 1)
      expect([await isIn(root), await isIn(user)]).toEqual([true, true])
      moveTheClock(5 * MINUTE)
      expect([await isIn(root), await isIn(user)]).toEqual([false, true])
    },
  )

  test('is followed by each touch: a session that is used lives until its own absolute end', async () => {
    const { visitor } = roles()
    const root = visitor()
    await root.post('/admin')
    expect(await lifeInSteps(root, 4 * MINUTE + 30 * SECOND)).toBeGreaterThan(HOUR - 5 * MINUTE)
    expect(await isIn(root)).toBe(false)
  })

  test('is kept for the whole life of a session: a rotated cookie ends with the browser too', async () => {
    const { visitor } = roles({
      rotateEvery: '2m',
      rotationGrace: '1m',
      lifetime: () => ({ absolute: '1h', persistent: false }),
    })
    const root = visitor()
    await root.post('/admin')
    moveTheClock(2 * MINUTE)
    const res = await root.get()
    expect(setCookies(res)).toHaveLength(1)
    expect(maxAge(res)).toBeUndefined()
  })
})

describe('the lifetime of a session', () => {
  test('is that of its login, when the options have changed since', async () => {
    const before = siteWith()
    const root = before.visitor()
    await root.post('/enter')
    const after = site(express5, createSessions({ store: before.store, lifetime: { idle: '7d' } }))
    const moved = after.visitor({ cookie: root.cookie })
    expect(await lifeInSteps(moved, 4 * MINUTE)).toBeLessThanOrEqual(HOUR)
  })

  test('gives the cookie the Max-Age of its own absolute end', async () => {
    const { visitor } = siteWith({}, { lifetime: { idle: '30d', absolute: '90d' } })
    expect(maxAge(await visitor().post('/enter'))).toBe((90 * DAY) / 1000)
  })

  test('can outlive the window where cookies do not: "remember me"', async () => {
    const { visitor, logIn } = siteWith({ cookie: { persistent: false } }, { lifetime: { persistent: true } })
    expect(maxAge(await visitor().post('/enter'))).toBe((30 * DAY) / 1000)
    const res = await (await logIn()).login()
    expect(maxAge(res)).toBeUndefined()
  })

  test('moves only with its touches, a tenth of its idle time apart', async () => {
    const { visitor, store } = siteWith()
    const root = visitor()
    await root.post('/enter')
    const writes = () => store.calls.filter((call) => call === 'update').length
    const before = writes()
    moveTheClock(30 * SECOND - 1)
    await root.get()
    expect(writes() - before).toBe(0)
    moveTheClock(1)
    await root.get()
    await root.get()
    expect(writes() - before).toBe(1)
  })

  test('is not asked for guests, whose idle timeout is their own', async () => {
    const asked = jest.fn(() => ({ idle: '1s' }))
    const { visitor } = site(express5, { lifetime: asked })
    const guest = visitor()
    await guest.run((session) => session.set('cart', ['tea']))
    moveTheClock(HOUR - 1)
    expect((await guest.run((session) => session.get('cart') ?? null)).body).toEqual(['tea'])
    expect(asked).not.toHaveBeenCalled()
  })

  test('is asked with the user and the request of the login, and may be async', async () => {
    const asked = async (user: { id: string }, req: { get(name: string): string | undefined }) => ({
      idle: user.id === 'ann' && req.get('X-Kiosk') === 'yes' ? '1m' : '1h',
    })
    const { visitor } = site(express5, { lifetime: asked })
    const [kiosk, home] = [visitor(), visitor()]
    await kiosk.login({ 'X-Kiosk': 'yes' })
    await home.login()
    moveTheClock(MINUTE)
    expect([await isIn(kiosk), await isIn(home)]).toEqual([false, true])
  })

  test('of one route takes the place of the option, and so does that of sessionOf(req).login()', async () => {
    const { visitor } = siteWith({}, { lifetime: { idle: '1h' } })
    const byRoute = visitor()
    await byRoute.post('/enter')
    const byHand = visitor()
    await byHand.run((session) => session.login(admin, { lifetime: () => ({ idle: '1h' }) }))
    moveTheClock(HOUR - 1)
    expect([await isIn(byRoute), await isIn(byHand)]).toEqual([true, true])
  })

  test('is that of the new login after a login in the same browser', async () => {
    const { visitor } = siteWith()
    const root = visitor()
    await root.post('/enter')
    await root.login()
    moveTheClock(2 * HOUR)
    expect(await root.user()).toEqual(ann)
  })

  test('of which a function says nothing is as the options say', async () => {
    const { visitor, store } = siteWith({ lifetime: () => ({}) })
    const root = visitor()
    await root.post('/enter')
    expect(await store.get(root.id)).toMatchObject({ lifetime: undefined })
  })
})

describe('a lifetime that can’t be', () => {
  const words = (text: string) => expect.stringContaining(text)
  const refusal = (text: string) => expect.objectContaining({ code: 'OPTION_INVALID', message: words(text) })

  test.each([
    [{ idel: '1h' }, 'lifetime has no option "idel". Did you mean idle?'],
    [{ idle: 'soon' }, 'lifetime.idle is "soon", which is not a duration'],
    [{ idle: 0 }, "lifetime.idle is 0: it must be longer than 0, for example '1m'"],
    [{ absolute: '401d' }, 'lifetime.absolute is "401d": it must be longer than 0 and at most 400 days'],
    [{ persistent: 'yes' }, 'lifetime.persistent is "yes": it must be a boolean'],
    [
      { idle: '2d', absolute: '1d' },
      'lifetime.idle (172800000 ms) is longer than lifetime.absolute (86400000 ms)',
    ],
    [{ idle: '40d' }, 'lifetime.idle (3456000000 ms) is longer than absoluteTimeout (2592000000 ms)'],
    [{ idleTimeout: '1h' }, 'for one login it is called idle'],
    [{ maxAge: 1 }, 'the cookie lives as long as absolute says'],
    ['1h', 'lifetime must be an object such as'],
  ])('is refused at the start, and from a function at the login: %j', async (given, text) => {
    const label = typeof given === 'string' ? /lifetime (?:is|must be)/ : undefined
    const make = () => createSessions({ lifetime: given as never })
    expect(make).toThrow(
      label === undefined ? refusal(text) : expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
    const { visitor, sessions } = siteWith({ lifetime: (() => given) as never })
    const res = await visitor().post('/enter')
    expect([res.status, res.body.code]).toEqual([500, 'OPTION_INVALID'])
    if (label === undefined) expect(res.body.message).toContain(text)
    expect(setCookies(res)).toEqual([])
    expect(await sessions.list(admin.id)).toEqual([])
  })

  test('is refused by login() at the start, and by sessionOf(req).login() when it is called', async () => {
    expect(() => login(() => bob, { lifetime: { idle: '2d', absolute: '1d' } })).toThrow(
      refusal('lifetime.idle (172800000 ms) is longer'),
    )
    const { visitor } = site(express5)
    const res = await visitor().run((session) => session.login(ann, { lifetime: { idle: 'x' } }))
    expect(res.body).toMatchObject({ code: 'OPTION_INVALID', message: words('lifetime.idle is "x"') })
  })

  test('is not asked of what is no user, which the login refuses', async () => {
    const asked = jest.fn()
    const { visitor } = site(express5, { lifetime: asked })
    const res = await visitor().run((session) => session.login(undefined as never))
    expect(res.body).toMatchObject({ code: 'USER_INVALID' })
    expect(asked).not.toHaveBeenCalled()
  })

  test('fails the login where the function throws', async () => {
    const { visitor, errors } = siteWith({
      lifetime: () => {
        throw new Error('no idea')
      },
    })
    expect((await visitor().post('/enter')).status).toBe(500)
    expect(errors).toEqual([new Error('no idea')])
  })
})

describe('the lifetimes of NIST SP 800-63B-4', () => {
  test.each([
    ['aal1', 7 * DAY, 30 * DAY],
    ['aal2', HOUR, DAY],
    ['aal3', 15 * MINUTE, 12 * HOUR],
  ] as const)('%s ends a session as its section says', async (level, idle, absolute) => {
    const { visitor, store } = siteWith({ lifetime: () => nistLifetimes[level] })
    const root = visitor()
    expect(maxAge(await root.post('/enter'))).toBeUndefined()
    const { createdAt, expiresAt, absoluteExpiresAt } = (await store.get(root.id))!
    expect([expiresAt - createdAt, absoluteExpiresAt - createdAt]).toEqual([idle, absolute])
  })

  test('can’t be changed by one part of an application for all others', () => {
    expect(
      Object.values(nistLifetimes)
        .concat(nistLifetimes as never)
        .every(Object.isFrozen),
    ).toBe(true)
  })
})

describe('the methods of a login', () => {
  test.each([
    ['password', ['password']],
    [
      ['password', 'otp', 'otp'],
      ['password', 'otp'],
    ],
  ])('are kept with their time, and listed: %j', async (method, expected) => {
    const { visitor, sessions } = siteWith({}, { method })
    const [route, hand] = [visitor(), visitor()]
    await route.post('/enter')
    await hand.run((session) => session.login(admin, { method }))
    const methods = expected.map((one) => ({ method: one, at: Date.now() }))
    for (const { id } of [route, hand]) expect(await sessions.find(id)).toMatchObject({ methods })
  })

  test('are none where no login has said', async () => {
    const { logIn, sessions } = site(express5)
    expect(await sessions.find((await logIn()).id)).toMatchObject({ methods: [] })
  })

  test.each([
    ['', 'not ""'],
    [[], 'not an array of 0'],
    [['a', 7], 'not 7'],
    ['x'.repeat(65), 'of at most 64 characters'],
    [Array.from('abcdefghi'), 'not an array of 9'],
  ])('are refused where they are none: %j', (method, text) => {
    expect(() => login(() => ann, { method: method as never })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(text) }),
    )
  })
})
