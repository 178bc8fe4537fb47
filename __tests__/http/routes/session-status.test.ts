import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect } from 'node:net'
import type { Express } from 'express'
import methodOverride from 'method-override'
import { login, sessionStatus } from 'express-sid'
import { DAY, HOUR, MINUTE, moveTheClock, SECOND, stopTheClock } from '../../support/core.js'
import { styles } from '../../support/faulty-store.js'
import { listen } from '../../support/listen.js'
import { ann, bob, chrome } from '../../support/people.js'
import { express5, expresses, site, type ExpressModule, type SiteOptions } from '../../support/site.js'
import { turn } from '../../support/stores.js'
import { setCookies, type Visitor } from '../../support/visitor.js'

beforeEach(() => stopTheClock())
afterEach(() => jest.useRealTimers())

/** A site whose sessions end after an hour, with the handler at the end of the app, in a router and behind a wait. */
function withStatus(
  express: ExpressModule,
  options: SiteOptions = {},
  more = (_app: Express) => undefined as void,
) {
  return site(express, { idleTimeout: '1h', absoluteTimeout: '1d', ...options }, (app) => {
    more(app)
    const router = express.Router()
    router.all('/status', sessionStatus())
    app.use('/account', router)
    app.use('/slow', (_req, _res, next) => void setTimeout(next, 1), sessionStatus())
    app.all('/session', sessionStatus())
  })
}

const places = ['/session', '/account/status', '/slow']
const left = (visitor: Visitor, path = '/session') => visitor.get(path)

/** Waits for what a response has left under way. */
const settled = async () => {
  for (let count = 0; count < 10; count += 1) await turn()
}

describe.each(expresses)('sessionStatus() on %s', (_, express) => {
  describe.each(styles)('with a store that is %s', (style) => {
    test.each(places)('tells the time that is left, and moves none of it: %s', async (place) => {
      const { logIn, store } = withStatus(express, { style })
      const browser = await logIn()
      const updates = () => store.calls.filter((call) => call === 'update').length
      moveTheClock(10 * MINUTE)
      const res = await left(browser, place)
      expect([res.status, res.body]).toEqual([
        200,
        { idleSeconds: 50 * 60, absoluteSeconds: 24 * 3600 - 600 },
      ])
      expect(res.headers['cache-control']).toBe('no-store')
      moveTheClock(20 * MINUTE)
      expect((await left(browser, place)).body.idleSeconds).toBe(30 * 60)
      await settled()
      expect(updates()).toBe(0)
      // An ordinary request moves it.
      await browser.get()
      await settled()
      expect([updates(), (await left(browser, place)).body.idleSeconds]).toEqual([1, 3600])
    })

    test('moves nothing where the secret rotates, and gives the browser its new cookie', async () => {
      const { logIn } = withStatus(express, { style, rotateEvery: '10m', rotationGrace: '5m' })
      const browser = await logIn()
      moveTheClock(10 * MINUTE)
      const res = await left(browser)
      expect(setCookies(res)).toHaveLength(1)
      expect(res.body.idleSeconds).toBe(50 * 60)
      // The successor takes its turn: another write, and no move either.
      moveTheClock(5 * MINUTE)
      expect((await left(browser)).body.idleSeconds).toBe(45 * 60)
      await settled()
      expect((await left(browser)).body.idleSeconds).toBe(45 * 60)
    })
  })

  test('lets a session end whose page only asks', async () => {
    const { logIn } = withStatus(express, { rotateEvery: '10m', rotationGrace: '5m' })
    const browser = await logIn()
    for (let minute = 0; minute < 60; minute += 1) {
      expect((await left(browser)).status).toBe(200)
      moveTheClock(MINUTE)
    }
    expect((await left(browser)).status).toBe(401)
  })

  test('extends at once by POST, whatever touchInterval and touch say', async () => {
    const { logIn } = withStatus(express, { touch: () => false })
    const browser = await logIn()
    moveTheClock(1 * SECOND)
    const res = await browser.post('/session')
    expect(res.body).toEqual({ idleSeconds: 3600, absoluteSeconds: DAY / 1000 - 1 })
    expect(res.headers['cache-control']).toBe('no-store')
    expect((await left(browser)).body.idleSeconds).toBe(3600)
  })

  test('says by equal times that nothing is left to extend', async () => {
    const { logIn } = withStatus(express, { absoluteTimeout: '1h' })
    const browser = await logIn()
    moveTheClock(30 * MINUTE + 1)
    expect((await browser.post('/session')).body).toEqual({ idleSeconds: 1799, absoluteSeconds: 1799 })
  })

  test.each(['GET', 'HEAD', 'POST'])('refuses strangers with 401: %s', async (method) => {
    const { visitor } = withStatus(express)
    const res = await visitor().ask(method, '/session', { Accept: 'application/json' })
    expect(res.status).toBe(401)
    if (method !== 'HEAD') expect(res.body.error.code).toBe('UNAUTHENTICATED')
    expect(setCookies(res)).toEqual([])
  })

  test('refuses a POST of another origin, also one that is a POST only since the middleware', async () => {
    const { logIn } = withStatus(
      express,
      {},
      (app) => void app.use(methodOverride('X-Method', { methods: ['GET'] })),
    )
    const browser = await logIn()
    const foreign = { Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }
    moveTheClock(MINUTE)
    expect((await browser.post('/session', foreign)).status).toBe(403)
    expect((await browser.get('/session', { ...foreign, 'X-Method': 'POST' })).status).toBe(403)
    expect((await left(browser)).body.idleSeconds).toBe(59 * 60)
    expect((await browser.post('/session', { 'Sec-Fetch-Site': 'same-origin' })).body.idleSeconds).toBe(3600)
  })

  test('knows no other method', async () => {
    const { logIn } = withStatus(express)
    const res = await (await logIn()).ask('PUT', '/session')
    expect([res.status, res.headers.allow]).toEqual([405, 'GET, HEAD, POST'])
  })

  test('tells guests of their own idle time', async () => {
    const { visitor } = withStatus(express, { guestIdleTimeout: '10m' })
    const guest = visitor()
    await guest.run((session) => session.set('cart', ['tea']))
    moveTheClock(MINUTE)
    expect((await left(guest)).body.idleSeconds).toBe(9 * 60)
    expect((await guest.post('/session')).body.idleSeconds).toBe(10 * 60)
  })

  test('is a 503 where the store fails, and a 401 where the session ends in that moment', async () => {
    const { logIn, store, sessions } = withStatus(express, { onStoreError: 'anonymous' })
    const browser = await logIn()
    store.breakAt('get', 'throws')
    expect((await left(browser)).status).toBe(503)
    store.mend()
    store.breakAt('update', 'throws')
    expect((await browser.post('/session')).status).toBe(503)
    store.mend()
    store.breakNext('update', async (work) => {
      await sessions.revoke(browser.id)
      return work()
    })
    const res = await browser.post('/session', { Accept: 'application/json' })
    expect([res.status, res.body.error.code]).toEqual([401, 'SESSION_ENDED'])
  })
})

test('a broken option is refused at the start, and so is a handler that was not called', () => {
  const refusal = (message: string) =>
    expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(message) })
  expect(() => sessionStatus({ refuse: 1 } as never)).toThrow(refusal('Did you mean refused?'))
  expect(() => sessionStatus({ headers: {}, socket: {} } as never)).toThrow(refusal('sessionStatus()'))
})

describe('a touch that is due', () => {
  const due = async (more: (app: Express) => void = () => undefined, options: SiteOptions = {}) => {
    const made = withStatus(express5, { style: 'async', ...options }, more)
    const browser = await made.logIn()
    moveTheClock(10 * MINUTE)
    made.store.calls.length = 0
    return { ...made, browser }
  }

  test('waits until the headers leave', async () => {
    const seen: string[][] = []
    const { browser, store } = await due()
    await browser.run(async (_session, _req, res) => {
      await settled()
      seen.push([...store.calls])
      res.write('a')
      await settled()
      seen.push([...store.calls])
      res.end('b')
    })
    expect(seen).toEqual([['get'], ['get', 'update']])
  })

  test('is one write for all the requests of a page, and is tried again where it failed', async () => {
    const { browser, store } = await due()
    const page = async () => {
      let isThere = () => {}
      let count = 0
      const all = new Promise<void>((resolve) => (isThere = resolve))
      const one = async () => {
        if (++count === 10) isThere()
        await all
      }
      await Promise.all(Array.from({ length: 10 }, () => browser.run(one)))
      await settled()
      return store.calls.splice(0).filter((call) => call === 'update').length
    }
    store.breakAt('update', 'rejects')
    expect(await page()).toBeGreaterThan(0)
    store.mend()
    expect(await page()).toBe(1)
    expect(await page()).toBe(0)
  })

  test('counts from when the request came', async () => {
    const { browser, sessions } = await due()
    const now = Date.now()
    await browser.run(() => moveTheClock(MINUTE))
    await settled()
    expect(await sessions.find(browser.id)).toMatchObject({ lastSeenAt: now, expiresAt: now + HOUR })
  })

  test('is done where the client has hung up before there were any headers', async () => {
    let hold = () => {}
    const { app, browser, sessions } = await due((routes) => {
      routes.get('/never', () => hold())
    })
    const now = Date.now()
    const { port, close } = await listen(createServer(app))
    const socket = connect(port, '127.0.0.1')
    const arrived = new Promise<void>((resolve) => (hold = resolve))
    const head = [`Cookie: ${browser.cookie}`, `User-Agent: ${chrome.userAgent}`]
    socket.write(['GET /never HTTP/1.1', 'Host: here', ...head, '', ''].join('\r\n'))
    await arrived
    socket.destroy()
    await once(socket, 'close')
    while ((await sessions.find(browser.id))!.lastSeenAt !== now) await turn()
    await close()
  })

  test('is none after a logout or a login in the same request', async () => {
    const { browser, store } = await due()
    await browser.logout()
    await settled()
    expect(store.calls).not.toContain('update')
    const again = await due((app) => {
      app.post(
        '/bob',
        login(() => bob),
      )
    })
    await again.browser.post('/bob')
    await settled()
    expect(again.store.calls).not.toContain('update')
  })

  test('is the write itself where the request writes', async () => {
    const { browser, store, sessions } = await due()
    await browser.run((session) => session.set('n', 1))
    await settled()
    expect(store.calls).toEqual(['get', 'update'])
    expect(await sessions.find(browser.id)).toMatchObject({ lastSeenAt: Date.now() })
  })

  test('is done before the own sessions are listed, so that this one was last seen now', async () => {
    const { browser } = await due()
    const { body } = await browser.run((session) => session.list())
    expect(body).toMatchObject([{ current: true, lastSeenAt: Date.now() }])
  })

  test('brings back no session that has ended while the route ran', async () => {
    const { browser, sessions, store } = await due()
    await browser.run(async () => {
      await sessions.revoke(browser.id)
    })
    await settled()
    expect(store.calls).toContain('update')
    expect(await browser.user()).toBeNull()
    expect(await sessions.list(ann.id)).toEqual([])
  })

  test('puts the client of its request on record', async () => {
    const { app, browser, sessions } = await due((routes) => void routes.set('trust proxy', true))
    await browser.copy({ ip: '203.0.113.99' }).get()
    await settled()
    expect(app).toBeDefined()
    expect(await sessions.find(browser.id)).toMatchObject({ ip: '203.0.113.99' })
  })
})
