import { createSessions, SessionError, sessionOf, type SessionOptions, type Sessions } from 'express-sid'
import { legacyCookie } from 'express-sid/express-session'
import { loginAs, type LoginAsOptions } from 'express-sid/testing'
import request from 'supertest'
import { DAY, eventsOf, HOUR, MINUTE, moveTheClock, rejectionOf, stopTheClock } from '../support/core.js'
import { ann, chrome, firefox } from '../support/people.js'
import { express5, site } from '../support/site.js'

// What a test of an application gets in place of a login by a form.

const made = (options: SessionOptions = {}) => site(express5, createSessions(options))

afterEach(() => jest.useRealTimers())

test('the cookie is that of a real session, which can be listed, used and ended', async () => {
  const { app, sessions } = made()
  const events = eventsOf(sessions)
  const login = await loginAs(sessions, ann)
  expect((await request(app).get('/').set(login.headers)).body).toEqual({ user: ann, id: login.session.id })
  expect(await sessions.list('ann')).toMatchObject([{ id: login.session.id }])
  expect(events).toMatchObject([{ name: 'login', event: { userId: 'ann' } }])
  await sessions.revoke(login.session.id)
  expect((await request(app).get('/').set(login.headers)).body.user).toBeNull()
})

test('a client with a cookie jar goes on when the cookie changes', async () => {
  stopTheClock()
  const { app, sessions } = made()
  const login = await loginAs(sessions, ann)
  const agent = request.agent(app)
  agent.jar.setCookie(login.setCookie)
  for (let hours = 0; hours < 3; hours += 1) {
    moveTheClock(HOUR)
    expect((await agent.get('/')).body.user).toEqual(ann)
  }
  // The login's own cookie is an old copy by now.
  expect((await request(app).get('/').set(login.headers)).body.user).toBeNull()
})

test('data is there from the start, as if a request had written it', async () => {
  const { sessions, app } = site(express5, createSessions(), (routes) => {
    routes.get('/data', (req, res) => void res.json(sessionOf(req).get('cart')))
  })
  const { headers } = await loginAs(sessions, ann, { data: { cart: ['tea'] } })
  expect((await request(app).get('/data').set(headers)).body).toEqual(['tea'])
  const failure = await rejectionOf(loginAs(sessions, ann, { data: { cart: 1n } }))
  expect(failure).toMatchObject({ code: 'DATA_INVALID' })
})

test('the cookie is in the form that the app reads, also in that of express-session', async () => {
  const { app, sessions } = made({ cookie: legacyCookie({ name: 'connect.sid', secret: 'keyboard cat' }) })
  const login = await loginAs(sessions, ann)
  expect(login.cookie).toMatch(/^connect\.sid=s%3A/)
  expect(login.setCookie.startsWith(`${login.cookie};`)).toBe(true)
  expect((await request(app).get('/').set(login.headers)).body.user).toEqual(ann)
})

describe('the client that will use it', () => {
  const asFirefox = { 'User-Agent': firefox.userAgent }
  const userWith = async (headers: Record<string, string>, options: { userAgent?: string }) => {
    const { app, sessions } = made()
    const login = await loginAs(sessions, ann, options)
    return (
      await request(app)
        .get('/')
        .set({ ...headers, ...login.headers })
    ).body.user as unknown
  }

  test('is sent along where it is named, so that the check of the engine lets it pass', async () => {
    expect(await userWith(asFirefox, { userAgent: chrome.userAgent })).toEqual(ann)
  })

  test('is any client where none is named', async () => {
    expect(await userWith(asFirefox, {})).toEqual(ann)
  })

  test('is compared: the cookie alone, in another engine, is refused', async () => {
    const { app, sessions } = made()
    const { cookie } = await loginAs(sessions, ann, { userAgent: chrome.userAgent })
    const res = await request(app)
      .get('/')
      .set({ ...asFirefox, Cookie: cookie })
    expect(res.body.user).toBeNull()
  })

  test('has the address that is given', async () => {
    const { app, sessions } = made({ onClientChange: { network: 'refuse' } })
    const near = await loginAs(sessions, ann)
    const far = await loginAs(sessions, ann, { ip: '203.0.113.7' })
    expect((await request(app).get('/').set(near.headers)).body.user).toEqual(ann)
    expect((await request(app).get('/').set(far.headers)).body.user).toBeNull()
  })
})

test('the methods are those that are given, for routes that ask for one', async () => {
  const { session } = await loginAs(made().sessions, ann, { method: ['password', 'otp'] })
  expect(session.methods.map(({ method }) => method)).toEqual(['password', 'otp'])
})

describe('the lifetime', () => {
  const lasts = async (options: SessionOptions, given: LoginAsOptions = {}) => {
    stopTheClock()
    const { session, setCookie } = await loginAs(made(options).sessions, ann, given)
    const { createdAt, expiresAt, absoluteExpiresAt } = session
    return [expiresAt - createdAt, absoluteExpiresAt - createdAt, setCookie.includes('Max-Age')]
  }
  const remembered = { idle: '30d', absolute: '90d', persistent: true }

  test('is that which is given, as of a login by a form', async () => {
    expect(await lasts({}, { lifetime: remembered })).toEqual([30 * DAY, 90 * DAY, true])
    expect(await lasts({ lifetime: remembered }, { lifetime: { idle: '5m', persistent: false } })).toEqual([
      5 * MINUTE,
      30 * DAY,
      false,
    ])
  })

  test('is that of the manager where none is given; a function that needs a request is not asked', async () => {
    const asked = jest.fn(() => remembered)
    expect(await lasts({ lifetime: remembered })).toEqual([30 * DAY, 90 * DAY, true])
    expect(await lasts({ lifetime: asked })).toEqual([7 * DAY, 30 * DAY, true])
    expect(asked).not.toHaveBeenCalled()
  })

  test('ends the session when it is over', async () => {
    stopTheClock()
    const { app, sessions } = made({ idleTimeout: '1d' })
    const { headers } = await loginAs(sessions, ann, { lifetime: { idle: '5m' } })
    const user = async () => (await request(app).get('/').set(headers)).body.user as unknown
    expect(await user()).toEqual(ann)
    moveTheClock(6 * MINUTE)
    expect(await user()).toBeNull()
  })
})

test.each([
  [{}, {}, { name: 'sid', domain: 'localhost', path: '/', secure: false, sameSite: 'Lax' }],
  [{ url: 'https://app.example' }, {}, { name: '__Host-sid', domain: 'app.example', secure: true }],
  [
    { url: 'http://127.0.0.1:3000' },
    { cookie: { secure: true } },
    { name: '__Host-sid', domain: '127.0.0.1' },
  ],
  [
    {},
    { cookie: { domain: 'app.example', sameSite: 'strict' as const } },
    { domain: '.app.example', sameSite: 'Strict' },
  ],
])('the cookie for a browser at %j with %j', async (options, settings, expected) => {
  const login = await loginAs(made(settings).sessions, ann, options)
  expect(login.cookies).toEqual([expect.objectContaining({ ...expected, httpOnly: true })])
  const [{ name, value } = { name: '', value: '' }] = login.cookies
  expect(login.cookie).toBe(`${name}=${value}`)
  expect(login.setCookie.startsWith(`${login.cookie}; `)).toBe(true)
})

test.each<[string, Sessions | undefined, object, object, string]>([
  ['no manager', {} as Sessions, ann, {}, 'loginAs() needs the manager that createSessions() made.'],
  ['a misspelt option', undefined, ann, { useragent: '' }, 'Did you mean userAgent?'],
  ['a path in place of a URL', undefined, ann, { url: '/account' }, 'must be a URL of http or https'],
  ['a user without an id', undefined, {}, {}, 'A user'],
  ['a misspelt part of a lifetime', undefined, ann, { lifetime: { idel: '5m' } }, 'Did you mean idle?'],
  ['a lifetime that is a function', undefined, ann, { lifetime: () => ({}) }, 'no request here'],
  ['a lifetime that is none', undefined, ann, { lifetime: '5m' }, "{ idle: '30d', persistent: true }"],
  [
    'one that ends before it is idle',
    undefined,
    ann,
    { lifetime: { idle: '60d' } },
    'longer than absoluteTimeout',
  ],
])('%s is refused', async (_name, manager, user, options, message) => {
  const failure = await rejectionOf(loginAs(manager ?? createSessions(), user, options))
  expect(failure).toBeInstanceOf(SessionError)
  expect((failure as Error).message).toContain(message)
})
