import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { MemoryStore } from 'express-session'
import Database from 'libsql'
import {
  authenticateUpgrade,
  memoryStore,
  type SessionStore,
  createSessions,
  login,
  reauthenticate,
  requireUser,
  sessionStatus,
  type SessionOptions,
  type SessionRecord,
} from 'express-sid'
import { encrypted } from 'express-sid/encrypted'
import { fromExpressSession } from 'express-sid/express-session-store'
import { sqliteStore } from 'express-sid/sqlite'
import { isIssueDue } from '../../../src/core/rotation/rotation.js'
import { HOUR, MINUTE, moveTheClock, stopTheClock } from '../../support/core.js'
import { listen } from '../../support/listen.js'
import { ann, chrome, unissuedToken } from '../../support/people.js'
import { expresses, express5, site } from '../../support/site.js'
import { setCookies, type Visitor, type Answer, type RequestHeaders } from '../../support/visitor.js'

const asks = { 'Session-Via': 'bearer' }
const by = (token: string) => ({ Authorization: `Bearer ${token}` })
const tokenShape = /^[0-9a-f-]{36}\.[\w-]{65}$/

afterEach(() => jest.useRealTimers())

/** A site with `bearer`, whose visitor is an app of a phone: it keeps a token, and no cookie. */
function bearerSite(express = express5, options: SessionOptions = {}) {
  const made = site(express, { bearer: true, ...options }, (app) => {
    app.get('/members', requireUser({ loginPage: '/login' }), (_req, res) => void res.json('in'))
    app.post(
      '/nobody',
      login(() => undefined, { failureRedirect: '/login?failed' }),
    )
    app.post(
      '/go',
      login(() => ann, { redirect: '/account' }),
    )
  })
  const logIn = async (headers: RequestHeaders = {}) => {
    const answer = await made.visitor().login({ ...asks, ...headers })
    return (answer.body as { token: string }).token
  }
  const ask = (token: string, method = 'GET', path = '/', headers: RequestHeaders = {}) =>
    made.visitor().ask(method, path, { ...by(token), ...headers })
  const userOf = async (token: string) => ((await ask(token)).body as { user: unknown }).user
  return { ...made, logIn, ask, userOf }
}

const recordOf = async ({ store }: ReturnType<typeof bearerSite>, token: string) =>
  (await store.get(token.slice(0, 36))) as SessionRecord

describe.each(expresses)('a bearer session on %s', (_, express) => {
  test('begins where the client asks for it: the token is in the body, in no cookie, and in no cache', async () => {
    const its = bearerSite(express)
    for (const path of ['/login', '/go']) {
      const answer = await its.visitor().post(path, { ...asks, Accept: 'text/html' })
      expect([answer.status, answer.body]).toEqual([
        200,
        { user: ann, token: expect.stringMatching(tokenShape) },
      ])
      expect(setCookies(answer)).toEqual([])
      expect(answer.headers['cache-control']).toBe('no-store')
      expect(answer.headers.vary).toMatch(/Cookie, Authorization/)
      const { token } = answer.body as { token: string }
      expect(await its.userOf(token)).toEqual(ann)
      expect((await recordOf(its, token)).via).toBe('bearer')
    }
  })

  test('without the header, or with another value of it, a login is a cookie, and no token is in the body', async () => {
    const its = bearerSite(express)
    for (const value of ['', 'cookie', 'Bearer', 'bearer, bearer']) {
      const answer = await its.visitor().login({ 'Session-Via': value, Accept: 'application/json' })
      expect([value, answer.body]).toEqual([value, { user: ann }])
      expect(setCookies(answer)).toHaveLength(1)
    }
  })

  test('is used, changed and ended, and no response of it sets a cookie', async () => {
    const its = bearerSite(express)
    const token = await its.logIn()
    const written = await its.visitor().run((session) => session.set('theme', 'dark'), by(token))
    const read = await its.visitor().run((session) => session.get('theme'), by(token))
    expect([written.status, read.body]).toEqual([200, 'dark'])
    const page = await its.ask(token)
    expect(page.headers['cache-control']).toBe('no-store')
    const out = await its.ask(token, 'POST', '/logout', { Accept: 'application/json' })
    expect(out.body).toEqual({ loggedOut: true })
    for (const answer of [written, read, page, out]) expect(setCookies(answer)).toEqual([])
    expect(await its.userOf(token)).toBeNull()
  })
})

describe('the place of a token', () => {
  test('is the only one where it opens its session, in either direction, and shows nothing elsewhere', async () => {
    const its = bearerSite()
    const token = await its.logIn()
    const browser = await logInBrowser(its)
    const asCookie = its.visitor({ cookie: `sid=${token}` })
    expect(await asCookie.user()).toBeNull()
    expect((await asCookie.logout({ Accept: 'application/json' })).body).toEqual({ loggedOut: false })
    expect(await its.userOf(browser.token)).toBeNull()
    expect((await its.ask(browser.token, 'POST', '/logout')).status).toBe(200)
    // Both are as they were.
    expect([await its.userOf(token), await browser.user()]).toEqual([ann, ann])
  })

  test('also where the option is off again', async () => {
    const its = bearerSite()
    const token = await its.logIn()
    const off = site(express5, { store: its.store })
    expect(await off.visitor({ cookie: `sid=${token}` }).user()).toBeNull()
    expect(((await off.visitor().get('/', by(token))).body as { user: unknown }).user).toBeNull()
  })

  test('one that a newer version of the package knows is neither of the two', async () => {
    const its = bearerSite()
    const browser = await logInBrowser(its)
    const record = await recordOf(its, browser.token)
    const elsewhere = { ...record, version: 2, via: 'carrier pigeon' } as unknown as SessionRecord
    await its.store.update(elsewhere, 1)
    expect([await browser.user(), await its.userOf(browser.token)]).toEqual([null, null])
  })

  test('a bearer token in a cookie does not hide the real one beside it', async () => {
    const its = bearerSite()
    const browser = await logInBrowser(its)
    const both = its.visitor({ cookie: `sid=${await its.logIn()}` })
    const answer = await both.get('/', { Cookie: `sid=${await its.logIn()}; sid=${browser.token}` })
    expect((answer.body as { user: unknown }).user).toEqual(ann)
  })
})

describe('Authorization', () => {
  test.each([
    'Basic YW5uOng=',
    'Bearer eyJhbGciOiJIUzI1NiJ9.e30.x',
    `Token ${unissuedToken}`,
    `Bearer ${unissuedToken}x`,
    `Bearer ${unissuedToken}, Basic x`,
    `Bearer`,
    'Bearer ',
  ])("%s is the application's: the store is not asked, and the cookie counts", async (Authorization) => {
    const its = bearerSite()
    const browser = await logInBrowser(its)
    const before = its.store.calls.length
    const stranger = await its.visitor().get('/', { Authorization })
    expect([(stranger.body as { user: unknown }).user, its.store.calls.length]).toEqual([null, before])
    expect(((await browser.get('/', { Authorization })).body as { user: unknown }).user).toEqual(ann)
  })

  test('the name of the scheme is of any case', async () => {
    const its = bearerSite()
    const token = await its.logIn()
    for (const scheme of ['bearer', 'BEARER', 'Bearer  ']) {
      const answer = await its.visitor().get('/', { Authorization: `${scheme} ${token}` })
      expect((answer.body as { user: unknown }).user).toEqual(ann)
    }
  })

  test('counts for nothing where the option is off', async () => {
    const its = site(express5)
    const answer = await its.visitor().login({ ...asks, Accept: 'application/json' })
    expect([answer.body, setCookies(answer).length]).toEqual([{ user: ann }, 1])
    expect(answer.headers.vary).not.toContain('Authorization')
    const browser = await its.logIn()
    expect(((await its.visitor().get('/', by(browser.token))).body as { user: unknown }).user).toBeNull()
  })

  test('of both a token and a cookie, the token counts, and the cookie is left alone', async () => {
    const its = bearerSite()
    const [token, browser] = [await its.logIn(), await logInBrowser(its)]
    const answer = await browser.post('/logout', { ...by(token), 'Sec-Fetch-Site': 'same-origin' })
    expect([answer.status, setCookies(answer)]).toEqual([200, []])
    expect([await its.userOf(token), await browser.user()]).toEqual([null, ann])
  })
})

describe('a page of another origin', () => {
  const foreign = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }
  const codeOf = ({ status, body }: Answer) => [status, (body as { error?: { code: string } }).error?.code]
  const json = { Accept: 'application/json' }

  test('is refused as ever where a cookie is there, token or not', async () => {
    const its = bearerSite()
    const [token, browser] = [await its.logIn(), await logInBrowser(its)]
    for (const headers of [{}, by(token), asks, { ...by(token), ...asks }])
      for (const path of ['/', '/login', '/logout']) {
        const answer = await browser.copy().post(path, { ...foreign, ...headers, ...json })
        expect(codeOf(answer)).toEqual([403, 'CROSS_ORIGIN'])
      }
    expect([await its.userOf(token), await browser.user()]).toEqual([ann, ann])
  })

  test('is refused as ever where a link logs in or out, with a cookie there', async () => {
    const its = bearerSite()
    const [token, browser] = [await its.logIn(), await logInBrowser(its)]
    for (const headers of [{}, by(token), asks])
      for (const path of ['/login', '/logout'])
        expect(codeOf(await browser.copy().get(path, { ...foreign, ...headers, ...json }))).toEqual([
          403,
          'CROSS_ORIGIN',
        ])
    expect([await its.userOf(token), await browser.user()]).toEqual([ann, ann])
  })

  test('is refused as ever where it has neither', async () => {
    const its = bearerSite()
    for (const path of ['/login', '/logout'])
      expect(codeOf(await its.visitor().post(path, { ...foreign, ...json }))).toEqual([403, 'CROSS_ORIGIN'])
  })

  test('may come with a token alone, which no browser sends by itself: an app in a web view does', async () => {
    const its = bearerSite()
    const token = await its.logIn(foreign)
    const written = await its.visitor().run((session) => session.set('a', 1), { ...by(token), ...foreign })
    expect(written.status).toBe(200)
    expect((await its.ask(token, 'POST', '/logout', foreign)).status).toBe(200)
    expect(await its.userOf(token)).toBeNull()
  })
})

describe('a token is never put into a response', () => {
  test('where the request carries a session cookie: a script can not turn one into the other', async () => {
    const its = bearerSite()
    const [browser, app] = [await logInBrowser(its), await its.logIn()]
    const json = { Accept: 'application/json', 'Sec-Fetch-Site': 'same-origin' }
    for (const headers of [asks, by(app)]) {
      const answer = await browser.copy().login({ ...headers, ...json })
      expect([answer.status, answer.body]).toMatchObject([400, { error: { code: 'BEARER_REFUSED' } }])
      expect([setCookies(answer), answer.text.match(/[\w-]{65}/)]).toEqual([[], null])
    }
    // Nothing has ended, and no session was begun.
    expect([await browser.user(), await its.userOf(app)]).toEqual([ann, ann])
    expect(await its.sessions.list('ann')).toHaveLength(2)
  })

  test('beside the cookie of a guest: a client that asks for a token keeps no guest data', async () => {
    const its = bearerSite()
    const answer = await its.visitor().run(async (session) => {
      const refused = await session.set('cart', [1]).catch((error: { code: string }) => error.code)
      await session.login(ann)
      return [refused, session.bearerToken]
    }, asks)
    expect(answer.body).toEqual(['BEARER_REFUSED', expect.stringMatching(tokenShape)])
    expect(setCookies(answer)).toEqual([])
  })

  test('to the login of a browser', async () => {
    const answer = await bearerSite()
      .visitor()
      .run(async (session) => [(await session.login(ann)).via, session.bearerToken ?? null])
    expect(answer.body).toEqual(['cookie', null])
  })
})

describe('a route of the application', () => {
  test('finds the token beside its session, once, and no cache keeps the response', async () => {
    const its = bearerSite()
    const answer = await its.visitor().run(async (session, _req, res) => {
      const info = await session.login(ann)
      res.set('Cache-Control', 'public, max-age=60')
      return [info.via, session.bearerToken]
    }, asks)
    const [via, token] = answer.body as [string, string]
    expect([via, answer.headers['cache-control']]).toEqual(['bearer', 'no-store'])
    const later = await its.visitor().run((session) => session.bearerToken ?? null, by(token))
    expect(later.body).toBeNull()
  })

  test('a login with a token replaces the session by a new one, whose token is in the body', async () => {
    const its = bearerSite()
    const token = await its.logIn()
    const answer = await its.visitor().login(by(token))
    const next = (answer.body as { token: string }).token
    expect([next === token, next.slice(0, 36) === token.slice(0, 36), setCookies(answer)]).toEqual([
      false,
      false,
      [],
    ])
    expect([await its.userOf(token), await its.userOf(next)]).toEqual([null, ann])
  })

  test('a re-authentication and a new credential make a new token, in the body alone', async () => {
    const its = bearerSite()
    its.app.post(
      '/confirm',
      reauthenticate(() => ann),
    )
    const change = (token: string) =>
      its.visitor().run(async (session) => {
        await session.credentialsChanged()
        return { token: session.bearerToken }
      }, by(token))
    let token = await its.logIn()
    for (const renew of [(old: string) => its.ask(old, 'POST', '/confirm'), change]) {
      const answer = await renew(token)
      expect([answer.status, setCookies(answer)]).toEqual([200, []])
      const { token: next } = answer.body as { token: string }
      expect([await its.userOf(token), await its.userOf(next)]).toEqual([null, ann])
      token = next
    }
    expect((await recordOf(its, token)).via).toBe('bearer')
  })

  test('no new token is made where a cookie is there as well', async () => {
    const its = bearerSite()
    const [token, browser] = [await its.logIn(), await logInBrowser(its)]
    const headers = { ...by(token), 'Sec-Fetch-Site': 'same-origin' }
    const answer = await browser.run((session) => session.credentialsChanged(), headers)
    expect([answer.status, answer.body]).toMatchObject([400, { code: 'BEARER_REFUSED' }])
    expect([await its.userOf(token), await browser.user()]).toEqual([ann, ann])
  })

  test('a token that opens nothing starts no guest', async () => {
    const its = bearerSite()
    const answer = await its.visitor().run((session) => session.set('a', 1), by(unissuedToken))
    expect([answer.status, answer.body, setCookies(answer)]).toMatchObject([
      401,
      { code: 'SESSION_ENDED' },
      [],
    ])
  })

  test('a refused login is JSON, whatever page it would lead a browser to', async () => {
    const answer = await bearerSite()
      .visitor()
      .post('/nobody', { ...asks, Accept: 'text/html' })
    expect([answer.status, answer.body]).toMatchObject([401, { error: { code: 'LOGIN_REFUSED' } }])
  })

  test('requireUser() says how to come with a token, and which one is no good', async () => {
    const its = bearerSite()
    const bare = await its.visitor().get('/members')
    expect([bare.status, bare.headers['www-authenticate']]).toEqual([401, 'Bearer'])
    const bad = await its.ask(unissuedToken, 'GET', '/members')
    expect([bad.status, bad.headers['www-authenticate']]).toEqual([401, 'Bearer error="invalid_token"'])
    expect((await its.ask(await its.logIn(), 'GET', '/members')).body).toBe('in')
  })

  test('its session is listed with the others, and says where its token travels', async () => {
    const its = bearerSite()
    const token = await its.logIn()
    await logInBrowser(its)
    const listed = await its.visitor().run((session) => session.list(), by(token))
    const places = (listed.body as { via: string; current: boolean }[]).map(
      ({ via, current }) => `${via} ${current}`,
    )
    expect(new Set(places)).toEqual(new Set(['bearer true', 'cookie false']))
  })
})

describe('in the course of time', () => {
  test('a bearer session does not rotate, and no write is tried for that; a cookie does', async () => {
    stopTheClock()
    const its = bearerSite(express5, { rotateEvery: '1h', touchInterval: '1d', guestIdleTimeout: '7d' })
    const [token, browser] = [await its.logIn(), await logInBrowser(its)]
    moveTheClock(3 * HOUR)
    expect(setCookies(await browser.get())).toHaveLength(1)
    for (let n = 0; n < 3; n += 1) {
      expect(setCookies(await its.ask(token))).toEqual([])
      moveTheClock(2 * HOUR)
    }
    const record = await recordOf(its, token)
    const { version, nextHash } = record
    const always = { rotateEvery: MINUTE, rotationGrace: 1 }
    expect(isIssueDue(record, 'current', Date.now(), always)).toBe(false)
    expect(isIssueDue({ ...record, via: 'cookie' }, 'current', Date.now(), always)).toBe(true)
    expect([version, nextHash, await its.userOf(token)]).toEqual([1, undefined, ann])
  })

  test('it is touched, and idles out, as every session', async () => {
    stopTheClock()
    const its = bearerSite(express5, { idleTimeout: '1h' })
    const token = await its.logIn()
    moveTheClock(50 * MINUTE)
    expect(await its.userOf(token)).toEqual(ann)
    moveTheClock(50 * MINUTE)
    expect(await its.userOf(token)).toEqual(ann)
    moveTheClock(61 * MINUTE)
    expect(await its.userOf(token)).toBeNull()
  })

  test('sessionStatus() tells its time without moving it, and what is no activity does not either', async () => {
    stopTheClock()
    const options: SessionOptions = { idleTimeout: '1h', touch: (req) => req.path !== '/poll' }
    const its = bearerSite(express5, options)
    its.app.get('/status', sessionStatus())
    const token = await its.logIn()
    for (const path of ['/status', '/poll', '/status']) {
      moveTheClock(19 * MINUTE)
      await its.ask(token, 'GET', path)
    }
    const status = await its.ask(token, 'GET', '/status')
    expect(status.body).toMatchObject({ idleSeconds: 180 })
  })

  test('it is not bound to a device, is offered no binding, and where unbound sessions are refused it is', async () => {
    stopTheClock()
    const options: SessionOptions = { deviceBinding: { unbound: 'refuse' }, cookie: { secure: true } }
    const its = bearerSite(express5, options)
    const answer = await its.visitor().login(asks)
    const names = Object.keys(answer.headers).join()
    expect(names).not.toContain('secure-session')
    const { token } = answer.body as { token: string }
    expect((await recordOf(its, token)).binding).toBeUndefined()
    moveTheClock(3 * MINUTE)
    const refused = await its.ask(token, 'GET', '/members', { Accept: 'application/json' })
    expect([refused.status, refused.body]).toMatchObject([403, { error: { code: 'UNBOUND' } }])
  })
})

describe.each<[string, () => SessionStore]>([
  ['SQLite', () => sqliteStore(new Database(':memory:'))],
  ['a store of express-session', () => fromExpressSession(new MemoryStore())],
  ['an encrypted store', () => encrypted(memoryStore(), { keys: [randomBytes(32)] })],
])('on %s', (_, open) => {
  test('a token opens its session in its own place alone', async () => {
    const { visitor } = site(express5, createSessions({ store: open(), bearer: true }))
    const { token } = (await visitor().login(asks)).body as { token: string }
    const browser = visitor()
    await browser.login()
    const userOf = async (headers: RequestHeaders) =>
      ((await visitor().get('/', headers)).body as { user: unknown }).user
    expect(await userOf(by(token))).toEqual(ann)
    expect(await userOf({ Cookie: `sid=${token}` })).toBeNull()
    expect(await userOf(by(browser.token))).toBeNull()
  })
})

describe('a WebSocket', () => {
  let close = async () => {}
  afterEach(() => close())

  async function serve() {
    const sessions = createSessions({ bearer: true })
    const { app, visitor } = site(express5, sessions)
    const { server, port, ...listening } = await listen(app)
    close = listening.close
    server.on('upgrade', (req: IncomingMessage, socket: Socket) => {
      authenticateUpgrade(sessions, req).then(
        (found) =>
          socket.end(`HTTP/1.1 ${found === undefined ? 401 : 299} ${found?.session.via ?? 'x'}\r\n\r\n`),
        (error: { status: number }) => socket.end(`HTTP/1.1 ${error.status} x\r\n\r\n`),
      )
    })
    const shake = async (headers: RequestHeaders): Promise<string> => {
      const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
      const head = ['GET / HTTP/1.1', 'Host: here', 'Upgrade: websocket', 'Connection: Upgrade', ...lines]
      const socket = connect(port, '127.0.0.1')
      socket.write([...head, '', ''].join('\r\n'))
      const [answer] = (await once(socket, 'data')) as [Buffer]
      socket.destroy()
      return String(answer).split('\r\n')[0]!.slice('HTTP/1.1 '.length)
    }
    const { token } = (await visitor().login(asks)).body as { token: string }
    const browser = visitor()
    await browser.login()
    return { shake, token, browser }
  }

  test('opens with a bearer token, from any page, and with a cookie only from our own', async () => {
    const { shake, token, browser } = await serve()
    const foreign = { Origin: 'https://evil.example' }
    const cookie = { Cookie: browser.cookie, 'User-Agent': chrome.userAgent }
    expect(await shake(by(token))).toBe('299 bearer')
    expect(await shake({ ...by(token), ...foreign })).toBe('299 bearer')
    expect(await shake(cookie)).toBe('299 cookie')
    expect(await shake({ ...cookie, ...foreign })).toBe('403 x')
    // Beside a cookie a token excuses nothing.
    expect(await shake({ ...by(token), ...cookie, ...foreign })).toBe('403 x')
    for (const misplaced of [by(browser.token), { Cookie: `sid=${token}` }, by(unissuedToken)])
      expect(await shake(misplaced)).toBe('401 x')
  })
})

test('bearer is checked at start', () => {
  const code = (bearer: unknown) => {
    try {
      createSessions({ bearer } as never)
      return 'taken'
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  expect([true, false, undefined, 'yes', 1, null].map(code)).toEqual([
    'taken',
    'taken',
    'taken',
    'OPTION_INVALID',
    'OPTION_INVALID',
    'OPTION_INVALID',
  ])
})

async function logInBrowser({ visitor }: { visitor: () => Visitor }): Promise<Visitor> {
  const browser = visitor()
  await browser.login()
  return browser
}
