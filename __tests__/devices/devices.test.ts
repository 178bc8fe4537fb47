import type { Express } from 'express'
import { createSessions, login, type Refused } from 'express-sid'
import { deviceRoutes, type Device, type DeviceRoutesOptions } from 'express-sid/devices'
import { fromExpressSession } from 'express-sid/express-session-store'
import { MemoryStore } from 'express-session'
import { HOUR, MINUTE, moveTheClock, stopTheClock } from '../support/core.js'
import { ann, bob, chrome, chromeElsewhere, firefox, safari, unissuedId } from '../support/people.js'
import { expresses, site, type ExpressModule, type SiteOptions } from '../support/site.js'
import { setCookies, Visitor } from '../support/visitor.js'

const asJson = { Accept: 'application/json' }
const asPage = { Accept: 'text/html,application/xhtml+xml', 'Sec-Fetch-Mode': 'navigate' }
const asForm = { ...asPage, 'Sec-Fetch-Site': 'same-origin' }

afterEach(() => jest.useRealTimers())

/** A site of ann, with a second login for bob, and the page of devices under `/account/devices`. */
function withDevices(express: ExpressModule, options?: DeviceRoutesOptions, given?: SiteOptions) {
  const routes = (app: Express) => {
    app.set('trust proxy', true)
    app.post(
      '/bob',
      login(() => bob),
    )
    app.use('/account/devices', deviceRoutes(options))
  }
  const made = site(express, given, routes)
  const asBob = async () => {
    const visitor = made.visitor()
    await visitor.post('/bob')
    return visitor
  }
  return { ...made, asBob }
}
const devicesOf = async (visitor: Visitor) =>
  ((await visitor.get('/account/devices', asJson)).body as { devices: Device[] }).devices

describe.each(expresses)('on %s', (_, express) => {
  test('says how the user proved who they are, where the login said it', async () => {
    const { visitor } = withDevices(express)
    const browser = visitor()
    await browser.run((session) => session.login(ann, { method: ['password', 'my-own'] }))
    expect(await devicesOf(browser)).toMatchObject([{ methods: ['password', 'my-own'] }])
    expect((await browser.get('/account/devices', asPage)).text).toContain('a password, my-own')
  })

  test('says where the login came from, where the application names the place', async () => {
    const { logIn } = withDevices(
      express,
      {},
      { describeAddress: () => 'Köln & Bonn', recordAddress: 'none' },
    )
    const browser = await logIn()
    expect(await devicesOf(browser)).toMatchObject([{ place: 'Köln & Bonn', network: '' }])
    expect((await browser.get('/account/devices', asPage)).text).toContain('>Köln &amp; Bonn<br>')
  })

  test('lists the sessions of the user, last used first, with what is documented and nothing else', async () => {
    stopTheClock()
    const { logIn, asBob } = withDevices(express)
    const began = Date.now()
    const phone = await logIn(safari)
    moveTheClock(HOUR)
    const laptop = await logIn(chromeElsewhere)
    await asBob()
    const answer = await laptop.get('/account/devices', asJson)
    const of = (id: string, label: string, network: string, time: number, current: boolean) => ({
      id,
      label,
      network,
      place: '',
      createdAt: time,
      authenticatedAt: time,
      lastSeenAt: time,
      expiresAt: time + 7 * 24 * HOUR,
      methods: [],
      via: 'cookie',
      isActing: false,
      actor: null,
      isBound: false,
      current,
    })
    expect(answer.body).toEqual({
      devices: [
        of(laptop.id, 'Chrome on Linux', '198.51.100.20', began + HOUR, true),
        of(phone.id, 'Safari on iOS', '203.0.113.7', began, false),
      ],
    })
    expect(answer.headers['cache-control']).toBe('private, no-store')
    expect(answer.headers.vary).toMatch(/Cookie, Accept|Accept, Cookie/)
  })

  test('shows where support acts as the user, by whom, and nothing else of them; the user ends it', async () => {
    const { logIn, asBob } = withDevices(express, {}, { mayActAs: () => true })
    const [visitor, support] = [await logIn(safari), await asBob()]
    const own = support.id
    await support.run((session) => session.actAs(ann))
    const devices = await devicesOf(visitor)
    expect(devices.map(({ isActing, actor, current }) => ({ isActing, actor, current }))).toEqual([
      { isActing: true, actor: { userId: 'bob' }, current: false },
      { isActing: false, actor: null, current: true },
    ])
    const page = await visitor.get('/account/devices', asPage)
    expect(page.text.match(/Support acts as you/g)).toHaveLength(1)
    for (const text of [JSON.stringify(devices), page.text]) {
      expect(text).not.toContain(own)
      expect(text).not.toContain(bob.name)
    }
    // The same for whom acts.
    expect(await devicesOf(support)).toMatchObject([{ isActing: true, current: true }, { isActing: false }])
    await visitor.post(`/account/devices/${devices[0]!.id}/end`, asJson)
    expect([await support.user(), await visitor.user()]).toEqual([null, ann])
  })

  test("does not show in the actor's own list whom they act as", async () => {
    const { logIn, asBob } = withDevices(express, {}, { mayActAs: () => true })
    const [visitor, support, elsewhere] = [await logIn(), await asBob(), await asBob()]
    await support.run((session) => session.actAs(ann))
    const mine = await devicesOf(elsewhere)
    expect(mine.map(({ isActing, actor }) => ({ isActing, actor }))).toEqual([
      { isActing: false, actor: null },
      { isActing: false, actor: null },
    ])
    expect(JSON.stringify(mine)).not.toContain(visitor.id)
    expect(JSON.stringify(mine)).not.toContain(support.id)
  })

  test('ends one session, which is a stranger from its next request on', async () => {
    const { logIn } = withDevices(express)
    const [phone, laptop] = [await logIn(safari), await logIn()]
    const ended = await laptop.post(`/account/devices/${phone.id}/end`, asJson)
    expect([ended.status, ended.body]).toEqual([200, { ended: 1 }])
    expect([await phone.user(), await laptop.user()]).toEqual([null, { id: 'ann', name: 'Ann' }])
  })

  test('ends the others, and all', async () => {
    const { logIn } = withDevices(express)
    const all = [await logIn(safari), await logIn(firefox), await logIn()]
    const others = await all[2]!.post('/account/devices/end-others', asJson)
    expect(others.body).toEqual({ ended: 2 })
    expect(await devicesOf(all[2]!)).toMatchObject([{ id: all[2]!.id, current: true }])
    const again = await logIn(safari)
    const everyone = await again.post('/account/devices/end-all', asJson)
    expect(everyone.body).toEqual({ ended: 2 })
    expect(setCookies(everyone).join()).toContain('Max-Age=0')
    expect([await again.user(), await all[2]!.user()]).toEqual([null, null])
  })

  test("another user's id looks exactly like an unknown one, and like none, to a script and to a form", async () => {
    const { logIn, asBob } = withDevices(express)
    const [visitor, other] = [await logIn(), await asBob()]
    const tell = async (id: string, headers: typeof asJson) => {
      const { status, headers: sent, text } = await visitor.post(`/account/devices/${id}/end`, headers)
      const { date: _date, ...rest } = sent as Record<string, unknown>
      return { status, rest, text }
    }
    for (const headers of [asJson, asForm]) {
      const theirs = await tell(other.id, headers)
      expect(theirs.status).toBe(headers === asJson ? 404 : 303)
      for (const id of [unissuedId, 'nobody', '..%2f', '%00', 'x'.repeat(5_000)])
        expect(await tell(id, headers)).toEqual(theirs)
    }
    expect(await other.user()).toEqual(bob)
  })

  test('a stranger gets what requireUser() sends, from each path', async () => {
    const { visitor } = withDevices(express, { loginPage: '/login' })
    const stranger = visitor()
    const page = await stranger.get('/account/devices', asPage)
    expect([page.status, page.headers.location]).toEqual([303, '/login?returnTo=%2Faccount%2Fdevices'])
    const paths = ['end-others', 'end-all', `${unissuedId}/end`].map((path) => `/account/devices/${path}`)
    for (const path of paths) {
      const answer = await stranger.post(path, asJson)
      expect([answer.status, answer.body]).toMatchObject([401, { error: { code: 'UNAUTHENTICATED' } }])
    }
  })

  test('sends a refusal by the option refused', async () => {
    const refused: Refused = (_req, res, _next, error) => void res.status(error.status).send('Who are you?')
    const { visitor } = withDevices(express, { refused })
    expect((await visitor().get('/account/devices', asJson)).text).toBe('Who are you?')
  })

  test('refuses each change that a page of another origin sends, and nothing has ended then', async () => {
    const { logIn } = withDevices(express)
    const [phone, laptop] = [await logIn(safari), await logIn()]
    const foreign = { ...asPage, Origin: 'https://evil.example', 'Sec-Fetch-Site': 'cross-site' }
    const old = { Accept: 'text/html', Origin: 'https://evil.example' }
    for (const path of ['end-others', 'end-all', `${phone.id}/end`])
      for (const headers of [foreign, old])
        expect((await laptop.post(`/account/devices/${path}`, headers)).status).toBe(403)
    // A link does nothing at all.
    for (const path of ['end-others', 'end-all', `${phone.id}/end`])
      expect((await laptop.get(`/account/devices/${path}`, asPage)).status).toBe(404)
    expect(await devicesOf(laptop)).toHaveLength(2)
  })

  test('after a form, goes back to the page from wherever it is mounted, and says what was done', async () => {
    const { logIn } = withDevices(express)
    const [phone, laptop] = [await logIn(safari), await logIn()]
    const one = await laptop.post(`/account/devices/${phone.id}/end`, asForm)
    expect([one.status, one.headers.location]).toEqual([303, '../?done=one'])
    const page = await laptop.get('/account/devices/?done=one', asPage)
    expect(page.text).toContain('<p class="said" role="status">The device is signed out.</p>')
    const others = await laptop.post('/account/devices/end-others', asForm)
    expect([others.status, others.headers.location]).toEqual([303, './?done=others'])
    for (const done of ['x', 'constructor', '__proto__'])
      expect((await laptop.get(`/account/devices?done=${done}`, asPage)).text).not.toContain('role="status"')
  })

  test('who ends their own session is led to the login page, with the cookie gone', async () => {
    for (const [options, target] of [
      [{ loginPage: '/login' }, '/login'],
      [{}, '/'],
    ] as const) {
      const { logIn } = withDevices(express, options)
      for (const end of ['end-all', 'own']) {
        const visitor = await logIn()
        const answer = await visitor.post(
          `/account/devices/${end === 'own' ? `${visitor.id}/end` : end}`,
          asForm,
        )
        expect([answer.status, answer.headers.location]).toEqual([303, target])
        expect(visitor.cookie).toBe('')
      }
    }
  })

  test('an app with a bearer token sees the same, and ends a browser by it', async () => {
    const sessions = createSessions({ bearer: true })
    const { visitor, logIn } = site(express, sessions, (app) => void app.use('/devices', deviceRoutes()))
    const browser = await logIn()
    const { body } = await visitor().login({ 'Session-Via': 'bearer' })
    const app = { Authorization: `Bearer ${(body as { token: string }).token}` }
    const listed = await visitor().get('/devices', app)
    expect((listed.body as { devices: Device[] }).devices.map(({ via, current }) => [via, current])).toEqual(
      expect.arrayContaining([
        ['bearer', true],
        ['cookie', false],
      ]),
    )
    const ended = await visitor().post(`/devices/${browser.id}/end`, {
      ...app,
      Origin: 'capacitor://localhost',
    })
    expect([ended.body, await browser.user()]).toEqual([{ ended: 1 }, null])
  })

  test('passes on what it does not have, and a store that fails', async () => {
    const { logIn, store, errors } = withDevices(express)
    const visitor = await logIn()
    for (const path of ['x', 'x/y', `${visitor.id}/end/more`])
      expect((await visitor.post(`/account/devices/${path}`, asJson)).status).toBe(404)
    store.breakAt('listByUser', 'rejects')
    const answer = await visitor.get('/account/devices', asJson)
    expect([answer.status, answer.body]).toMatchObject([503, { code: 'STORE_FAILED' }])
    expect(errors).toHaveLength(1)
  })

  test('says that a store of express-session can not list', async () => {
    const sessions = createSessions({ store: fromExpressSession(new MemoryStore()) })
    const { logIn } = site(express, sessions, (app) => void app.use('/devices', deviceRoutes()))
    const answer = await (await logIn()).get('/devices', asJson)
    expect([answer.status, answer.body]).toMatchObject([501, { code: 'UNSUPPORTED' }])
  })
})

describe('the page', () => {
  const express = expresses[0][1]
  const pageOf = async (options?: DeviceRoutesOptions, path = '/account/devices') => {
    const { logIn } = withDevices(express, options)
    const [phone, laptop] = [await logIn(safari), await logIn(chrome)]
    return { phone, laptop, page: await laptop.get(path, asPage) }
  }

  test('may load nothing, run nothing, be framed by nobody, and is kept by no cache', async () => {
    const { page } = await pageOf()
    const policy = page.headers['content-security-policy'] as string
    expect(policy).toMatch(
      /^default-src 'none'; style-src 'sha256-[\w+/]{43}='; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
    )
    expect(page.headers).toMatchObject({
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'cache-control': 'private, no-store',
    })
    expect(page.text).not.toMatch(/<script|\son\w+=|style="|javascript:/)
  })

  test("replaces the app's own policy, also a laxer one", async () => {
    const { logIn } = site(express, {}, (app) => {
      app.use((_req, res, next) => {
        res.set('Content-Security-Policy', 'default-src *')
        next()
      })
      app.use('/devices', deviceRoutes())
    })
    const page = await (await logIn()).get('/devices', asPage)
    expect(page.headers['content-security-policy']).toMatch(/^default-src 'none'/)
  })

  test('shows the device that asks first, and leads its forms below the page from either address', async () => {
    for (const [path, below] of [
      ['/account/devices', './devices/'],
      ['/account/devices/?x=/y', './'],
    ] as const) {
      const { page, phone, laptop } = await pageOf({}, path)
      const actions = [...page.text.matchAll(/<form method="post" action="([^"]+)">/g)].map(([, to]) => to)
      expect(actions).toEqual(
        [`${laptop.id}/end`, `${phone.id}/end`, 'end-others', 'end-all'].map((to) => below + to),
      )
      for (const action of actions)
        expect(new URL(action!, `http://x${path}`).pathname).toMatch(/^\/account\/devices\/[\w-]+/)
    }
  })

  test('escapes what a client has sent', async () => {
    const { logIn } = withDevices(express)
    const evil = await logIn({ ip: '<script>alert(1)</script>', userAgent: '<img src=x onerror=alert(1)>/1' })
    const { text } = await evil.get('/account/devices', asPage)
    expect(text).toContain('&lt;script&gt;alert(1)')
    expect(text).not.toMatch(/<script|<img/)
  })

  test('speaks the language that it is given, times included, for each request', async () => {
    const german = {
      lang: 'de',
      title: 'Deine Geräte',
      lastSeen: 'Zuletzt {time} benutzt',
      end: 'Abmelden',
      justNow: 'gerade',
    }
    const { page } = await pageOf({ texts: german })
    expect(page.text).toContain('<html lang="de" dir="ltr">')
    expect(page.text).toMatch(
      /<h1>Deine Geräte<\/h1>.*Zuletzt <time [^>]+>gerade<\/time> benutzt.*>Abmelden</s,
    )
    const { page: arabic } = await pageOf(
      {
        texts: (req) => (req.query.lang === 'ar' ? { lang: 'ar', dir: 'rtl' } : {}),
      },
      '/account/devices?lang=ar',
    )
    expect(arabic.text).toContain('<html lang="ar" dir="rtl">')
  })

  test('says how long ago a device was used', async () => {
    stopTheClock()
    const { logIn } = withDevices(express)
    const visitor = await logIn()
    moveTheClock(3 * HOUR + MINUTE)
    await logIn(firefox)
    const other = await visitor.copy().get('/account/devices', asPage)
    expect(other.text).toMatch(/Signed in <time [^>]+>3 hours ago<\/time>/)
  })

  test('shows a hundred devices at most, and says how many more there are', async () => {
    const { logIn } = withDevices(express)
    const visitor = await logIn()
    await Promise.all(Array.from({ length: 101 }, () => logIn(firefox)))
    const { text } = await visitor.get('/account/devices', asPage)
    expect(text.match(/<li/g)).toHaveLength(100)
    expect(text).toContain('And 2 more.')
    expect(await devicesOf(visitor)).toHaveLength(102)
  }, 30_000)

  test('links the stylesheet and the page that the app names', async () => {
    const { page } = await pageOf({ stylesheet: '/devices.css', back: '/account?a=1&b=2' })
    expect(page.text).toContain('<link rel="stylesheet" href="/devices.css">')
    expect(page.text).toContain('<a href="/account?a=1&amp;b=2">Back</a>')
    expect(page.headers['content-security-policy']).toContain("' 'self';")
  })
})

test.each<[object, string]>([
  [{ zebra: 1 }, 'has no option "zebra"'],
  [{ loginPage: 7 }, 'loginPage'],
  [{ back: '' }, 'back'],
  [{ stylesheet: 'https://cdn.example/x.css' }, 'stylesheet'],
  [{ stylesheet: '//cdn.example/x.css' }, 'stylesheet'],
  [{ texts: { titel: 'x' } }, 'titel'],
  [{ texts: { lang: 'not a language' } }, 'texts.lang'],
  [{ texts: { dir: 'up' } }, 'texts.dir'],
  [{ texts: { methods: { password: 1 } } }, 'texts.methods'],
  [{ refused: 'x' }, 'refused'],
])('%j is refused at start', (options, words) => {
  expect(() => deviceRoutes(options)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(words) }),
  )
})

test('needs the middleware, and says so', async () => {
  const app = expresses[0][1]()
  app.use('/devices', deviceRoutes())
  const answer = await new Visitor(app).get('/devices', asJson)
  expect([answer.status, answer.text]).toEqual([500, expect.stringContaining('sessionMiddleware()')])
})
