import express from 'express'
import { login, refuse, type Authenticate, type LoginOptions, type SessionLoginOptions } from 'express-sid'
import { eventsOf, rejectionOf } from '../../support/core.js'
import { waysToFail } from '../../support/faulty-store.js'
import { ann, bob, chrome, firefox, unissuedId, unissuedToken } from '../../support/people.js'
import {
  express5,
  expresses,
  site as siteOn,
  type ExpressModule,
  type SiteOptions,
} from '../../support/site.js'
import { expectNoUnhandledRejection } from '../../support/unhandled.js'
import { setCookies, type Visitor } from '../../support/visitor.js'

const asJson = { Accept: 'application/json' }

function site(
  module: ExpressModule,
  authenticate: Authenticate,
  options?: LoginOptions,
  given: SiteOptions = {},
) {
  return siteOn(module, given, (routes) => {
    routes.all('/login', express.urlencoded(), login(authenticate, options))
  })
}

/** What a guest has before the login. */
const fillCart = (visitor: Visitor) =>
  visitor.run(async (session) => {
    await session.set('cart', ['book'])
    await session.set('theme', 'dark')
  })

/** Whom the site takes the visitor for, and what is in the cart. */
const whoWithCart = async (visitor: Visitor) =>
  (await visitor.run((session) => ({ user: session.user ?? null, cart: session.get('cart') ?? null })))
    .body as unknown

describe.each(expresses)('login() on %s', (_name, module) => {
  expectNoUnhandledRejection()

  test.each([
    ['a user', () => ann],
    ['a promise of one', async () => ann],
  ])('logs in when authenticate returns %s, with the text of the article', async (_what, authenticate) => {
    const { visitor, sessions } = site(module, authenticate)
    const events = eventsOf(sessions)
    const browser = visitor()
    const res = await browser.login()
    expect([res.status, res.text, res.type]).toEqual([200, 'Logged In', 'text/plain'])
    expect(res.headers['cache-control']).toBe('no-store')
    expect(await browser.user()).toEqual(ann)
    const client = { userAgent: chrome.userAgent, ip: '127.0.0.1' }
    expect(events).toMatchObject([{ name: 'login', event: { sessionId: browser.id, userId: 'ann', client } }])
  })

  test('sets req.user on the request that logs in', async () => {
    const { visitor } = siteOn(module, { serializeUser: ({ id }: typeof ann) => ({ id }) })
    const { body } = await visitor().run(async (session, req) => {
      const info = await session.login(ann)
      return { user: req.user, same: req.user === session.user, info, id: session.id }
    })
    expect(body).toMatchObject({ user: { id: 'ann' }, same: true })
    expect(body.info).toMatchObject({ id: body.id, userId: 'ann', current: true })
  })

  test('shows the form again where `failed` does, with a 401 that no cache keeps', async () => {
    const { visitor, sessions } = site(module, () => refuse({ reason: 'locked', userId: 7 }), {
      failed: async (req, res, info) => {
        await Promise.resolve()
        res.send(`<form>${req.body?.email} ${JSON.stringify(info)}</form>`)
      },
    })
    const events = eventsOf(sessions)
    const res = await visitor().login({ Accept: 'text/html' }).send('email=a@b.example')
    expect([res.status, res.text]).toEqual([401, '<form>a@b.example {"reason":"locked","userId":7}</form>'])
    expect(res.headers).toMatchObject({ 'cache-control': 'no-store', vary: 'Cookie, Accept' })
    expect(setCookies(res)).toEqual([])
    expect(events.map(({ name }) => name)).toEqual(['loginRefused'])
    const script = await visitor().login(asJson)
    expect([script.status, script.body.error.code]).toEqual([401, 'LOGIN_REFUSED'])
  })

  test.each(waysToFail)('hands what `failed` %s to the error handler', async (_how, failed) => {
    const { visitor, errors } = site(module, () => undefined, { failed })
    const res = await visitor().login()
    expect([res.status, res.body.message]).toEqual([500, 'no database'])
    expect(errors).toHaveLength(1)
  })

  test('responds to JSON clients with the user', async () => {
    const res = await site(module, () => ann)
      .visitor()
      .login(asJson)
    expect(res.body).toEqual({ user: ann })
  })

  test.each([
    [undefined, {}],
    [null, {}],
    [false, {}],
    [refuse(), {}],
    [refuse({ reason: 'locked', userId: 7 }), { reason: 'locked', userId: 7 }],
  ])(
    'refuses when authenticate returns %p, always with the same 401',
    async (answer, { reason, userId }: { reason?: string; userId?: number }) => {
      const { visitor, sessions } = site(module, () => answer)
      const events = eventsOf(sessions)
      const text = await visitor().login()
      expect([text.status, text.text]).toEqual([401, 'Login Failed'])
      const json = await visitor().login(asJson)
      expect([json.status, json.body]).toEqual([
        401,
        { error: { code: 'LOGIN_REFUSED', message: 'Login Failed' } },
      ])
      expect([text, json].flatMap(setCookies)).toEqual([])
      const event = { reason, userId, client: { userAgent: chrome.userAgent, ip: '127.0.0.1' } }
      const refused = { name: 'loginRefused', event }
      expect(events).toMatchObject([refused, refused])
    },
  )

  test.each([undefined, null, 0, ''])(
    'fails when authenticate rejects with %p in place of an error',
    async (nothing) => {
      const { visitor } = siteOn(module, {}, (routes) => {
        routes.post(
          '/login',
          login(() => Promise.reject(nothing)),
          (_req, res) => void res.send('went on'),
        )
      })
      expect((await visitor().login()).status).toBe(500)
    },
  )

  test('keeps no data of a guest whose browser engine does not match, and ends that session', async () => {
    const { visitor } = site(module, () => ann, { keep: ['cart'] })
    const guest = visitor()
    await fillCart(guest)
    expect(await whoWithCart(guest)).toEqual({ user: null, cart: ['book'] })
    const other = guest.copy(firefox)
    await other.login()
    expect(await whoWithCart(other)).toEqual({ user: ann, cart: null })
    expect(await whoWithCart(guest)).toEqual({ user: null, cart: null })
  })

  test('keeps the session that the browser has when the next login is refused', async () => {
    const { visitor } = site(module, (req) => req.body?.password === 'right' && ann)
    const browser = visitor()
    await browser.login().send('password=right')
    const second = await browser.login().send('password=wrong')
    expect(second.status).toBe(401)
    expect(setCookies(second)).toEqual([])
    expect(await browser.user()).toEqual(ann)
  })

  test.each(waysToFail)(
    'hands what authenticate %s to the error handler, once',
    async (_how, authenticate) => {
      const { visitor, errors } = site(module, authenticate)
      const res = await visitor().login()
      expect([res.status, res.body.message]).toEqual([500, 'no database'])
      expect(res.headers['cache-control']).toBe('no-store')
      expect(setCookies(res)).toEqual([])
      expect(errors).toHaveLength(1)
    },
  )

  test.each([
    ['no id', {}],
    ['an empty id', { id: '' }],
    ['a fraction as its id', { id: 1.5 }],
    ['an id that is too large to be exact', { id: 2 ** 53 }],
    ['an object as its id', { id: { toString: () => 'ann' } }],
    ['a promise as its id', { id: Promise.resolve(1) }],
    [
      'a circle',
      Object.assign(
        { id: 1 },
        {
          toJSON() {
            return this
          },
          self: [] as unknown[],
        },
      ),
    ],
    ['a bigint', { id: 1, balance: 1n }],
    ['text', 'ann'],
    ['true', true],
    ['an array', [ann]],
  ])('logs nobody in when the user is or has %s', async (what, user) => {
    const { visitor, sessions } = site(module, () => user)
    if (what === 'a circle') (user as { self: unknown[] }).self.push(user)
    const events = eventsOf(sessions)
    const res = await visitor().login()
    expect([res.status, res.body.code]).toEqual([500, 'USER_INVALID'])
    expect(setCookies(res)).toEqual([])
    expect(events).toEqual([])
  })

  test('ends the session that the browser held, and no other of the user', async () => {
    const { logIn, sessions } = siteOn(module)
    const elsewhere = await logIn()
    const browser = await logIn()
    const held = browser.copy()
    const events = eventsOf(sessions)
    await browser.login()
    expect(browser.token).not.toBe(held.token)
    expect(events.map(({ name }) => name)).toEqual(['logout', 'login'])
    expect(events[0]!.event).toMatchObject({ sessionId: held.id, userId: 'ann', replaced: true })
    expect((await sessions.list('ann')).map(({ id }) => id).toSorted()).toEqual([elsewhere.id, browser.id])
    expect(await held.user()).toBeNull()
  })

  test('adopts no token that was planted before the login', async () => {
    const { visitor, sessions } = siteOn(module)
    const browser = visitor({ cookie: `sid=${unissuedToken}` })
    const planted = browser.copy()
    await browser.login()
    expect(browser.token).not.toContain(unissuedId)
    expect(browser.token).not.toContain('A'.repeat(65))
    expect(await planted.user()).toBeNull()
    expect(await sessions.find(unissuedId)).toBeUndefined()
  })

  test("takes over a guest's data by name only", async () => {
    const keep = ['cart', '__proto__', 'constructor', 'nothing']
    const { visitor, sessions } = site(module, () => ann, { keep })
    const browser = visitor()
    await browser.run(async (session) => {
      for (const key of ['cart', 'theme', '__proto__']) await session.set(key, `my ${key}`)
    })
    const guest = browser.copy()
    await browser.login()
    const { body } = await browser.run((session) =>
      keep.concat('theme').map((key) => session.get(key) ?? null),
    )
    expect(body).toEqual(['my cart', 'my __proto__', null, null, null])
    expect(await sessions.find(guest.id)).toBeUndefined()
  })

  test('takes nothing over by default', async () => {
    const browser = siteOn(module).visitor()
    await fillCart(browser)
    await browser.login()
    expect(await whoWithCart(browser)).toEqual({ user: ann, cart: null })
  })

  test('takes nothing over from another login, be it of the same user', async () => {
    const { visitor } = site(module, (req) => req.body, { keep: ['cart'] })
    const first = visitor()
    await first.login().send('id=ann')
    await fillCart(first)
    for (const id of ['ann', 'bob']) {
      const next = first.copy()
      await next.login().send(`id=${id}`)
      expect(await whoWithCart(next)).toEqual({ user: { id }, cart: null })
    }
  })

  test.each(['get', 'post', 'put', 'delete'])('refuses %s from a page of another origin', async (method) => {
    let isAsked = false
    const { visitor } = site(module, () => {
      isAsked = true
      return ann
    })
    for (const headers of [
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
    ] as Record<string, string>[]) {
      const res = await visitor().ask(method, '/login', { ...asJson, ...headers })
      expect([res.status, res.body.error.code]).toEqual([403, 'CROSS_ORIGIN'])
      expect(setCookies(res)).toEqual([])
    }
    expect(isAsked).toBe(false)
  })

  test('lets other sites send the visitor here with crossSite: true', async () => {
    const { visitor } = site(module, () => ann, { crossSite: true })
    const res = await visitor().get('/login', { 'Sec-Fetch-Site': 'cross-site' })
    expect([res.status, res.text]).toEqual([200, 'Logged In'])
  })

  test('does nothing on HEAD, which GET routes answer as well', async () => {
    const { visitor, sessions } = site(module, () => ann, { crossSite: true })
    const res = await visitor().ask('HEAD', '/login')
    expect(res.status).toBe(405)
    expect(res.headers).toMatchObject({ allow: 'GET, POST', 'cache-control': 'no-store' })
    expect(setCookies(res)).toEqual([])
    expect(await sessions.list('ann')).toEqual([])
  })

  test.each([
    ['Sec-Purpose', 'prefetch'],
    ['Sec-Purpose', 'prefetch;prerender'],
    ['Purpose', 'prefetch'],
  ])('does nothing while the page is only prefetched (%s: %s)', async (name, value) => {
    const { visitor, sessions } = siteOn(module)
    const res = await visitor().get('/login', { [name]: value, 'Sec-Fetch-Site': 'none' })
    expect([res.status, res.headers['cache-control']]).toEqual([503, 'no-store'])
    expect(setCookies(res)).toEqual([])
    expect(await sessions.list('ann')).toEqual([])
  })

  test('after the headers were sent asks the store nothing, and says so', async () => {
    const seen: unknown[] = []
    const { visitor, store } = siteOn(module)
    const res = await visitor().run(async (session, _req, response) => {
      response.write('begun')
      seen.push(await rejectionOf(session.login(ann)))
      response.end()
    })
    expect(res.text).toBe('begun')
    expect(seen).toEqual([expect.objectContaining({ code: 'HEADERS_SENT' })])
    expect(store.calls).toEqual([])
  })

  test('leaves no session behind when the headers are sent while the store is still working', async () => {
    const seen: unknown[] = []
    const { visitor, sessions } = siteOn(module, { style: 'async' })
    const res = await visitor().run(async (session, _req, response) => {
      const attempt = rejectionOf(session.login(ann))
      response.write('begun')
      seen.push(await attempt)
      response.end()
    })
    expect(res.text).toBe('begun')
    expect(seen).toEqual([expect.objectContaining({ code: 'HEADERS_SENT' })])
    expect(await sessions.list('ann')).toEqual([])
  })

  test('many logins of one browser at once end its old session, and every acknowledged one is live', async () => {
    const { logIn, sessions } = siteOn(module, { style: 'async' })
    const held = await logIn()
    const tabs = Array.from({ length: 8 }, () => held.copy())
    await Promise.all(tabs.map((tab) => tab.login()))
    const live = (await sessions.list('ann')).map(({ id }) => id).toSorted()
    expect(live).toEqual(tabs.map(({ id }) => id).toSorted())
  })
})

describe('login()', () => {
  const module = express5

  test('recognises a refusal that another copy of the package made, whatever userId says', async () => {
    let copy: { refuse: typeof refuse } = { refuse }
    jest.isolateModules(() => {
      copy = jest.requireActual<typeof copy>('../../../src/http/routes/refuse.js')
    })
    expect(copy.refuse).not.toBe(refuse)
    const given = { userId: (user: { userId: string }) => user.userId }
    const { visitor } = site(module, () => copy.refuse({ userId: 'ann' }), {}, given)
    expect((await visitor().login()).status).toBe(401)
  })

  test('finds the id where userId says', async () => {
    const given = { userId: (user: { uuid: number }) => user.uuid }
    const { logIn, sessions } = site(module, () => ({ uuid: 7, name: 'Ann' }), {}, given)
    const { id } = await logIn()
    expect(await sessions.list(7)).toMatchObject([{ id, userId: 7 }])
  })

  test('keeps of the user what serializeUser picks', async () => {
    const given = { serializeUser: ({ id }: { id: number }) => ({ id, at: new Date(0) }) }
    const browser = site(module, () => ({ id: 1, passwordHash: 'x' }), {}, given).visitor()
    const kept = { id: 1, at: '1970-01-01T00:00:00.000Z' }
    expect((await browser.login(asJson)).body).toEqual({ user: kept })
    expect(await browser.user()).toEqual(kept)
  })

  test('sends a browser on, and tells a JSON client where to', async () => {
    const options = { redirect: '/home', failureRedirect: '/login?failed' }
    const { visitor } = site(module, (req) => req.body?.id && req.body, options)
    const ok = await visitor().login({ Accept: 'text/html' }).send('id=1')
    expect([ok.status, ok.headers.location]).toEqual([303, '/home'])
    const no = await visitor().login({ Accept: 'text/html' })
    expect([no.status, no.headers.location]).toEqual([303, '/login?failed'])
    const json = await visitor().login(asJson).send('id=1')
    expect([json.status, json.body]).toEqual([200, { user: { id: '1' }, redirectTo: '/home' }])
    const refused = await visitor().login(asJson)
    expect([refused.status, refused.body.redirectTo]).toEqual([401, '/login?failed'])
  })

  test.each([
    ['/login?failed', '/login?failed&returnTo=%2Faccount'],
    ['/login', '/login?returnTo=%2Faccount'],
    ['/login#failed', '/login?returnTo=%2Faccount#failed'],
    ['/login?failed#form', '/login?failed&returnTo=%2Faccount#form'],
  ])('keeps returnTo where it redirects after a refusal, to %s', async (failureRedirect, to) => {
    const { visitor } = site(module, () => undefined, { failureRedirect })
    const html = { Accept: 'text/html' }
    expect((await visitor().post('/login?returnTo=/account', html)).headers.location).toBe(to)
    expect((await visitor().post('/login?returnTo=//evil.example', html)).headers.location).toBe(
      failureRedirect,
    )
  })

  test.each(['GET', 'POST'])('by hand is refused for a page of another origin, by %s too', async (method) => {
    const { visitor, sessions } = siteOn(module, { trustedOrigins: ['https://friend.example'] })
    const from = (headers: Record<string, string>, options?: SessionLoginOptions) =>
      visitor().run((session) => session.login(ann, options), headers, method)
    for (const headers of [
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { Origin: 'https://evil.example' },
    ] as Record<string, string>[]) {
      const res = await from(headers)
      expect([res.status, res.body.code]).toEqual([403, 'CROSS_ORIGIN'])
      expect(setCookies(res)).toEqual([])
      expect(await sessions.list('ann')).toEqual([])
    }
    expect((await from({ 'Sec-Fetch-Site': 'cross-site', Origin: 'https://friend.example' })).status).toBe(
      200,
    )
    expect((await from({ 'Sec-Fetch-Site': 'same-origin' })).status).toBe(200)
    expect((await from({})).status).toBe(200)
    expect((await from({ 'Sec-Fetch-Site': 'cross-site' }, { crossSite: true })).status).toBe(200)
  })

  test('warns once in production when it comes over plain http, and sets the Secure cookie', async () => {
    const warnings: unknown[] = []
    const emit = jest.spyOn(process, 'emitWarning').mockImplementation((...args) => void warnings.push(args))
    const before = process.env.NODE_ENV
    process.env.NODE_ENV = 'production'
    try {
      const browser = siteOn(module).visitor()
      warnings.length = 0
      const first = await browser.copy().login()
      await browser.login()
      expect(setCookies(first)).toEqual([
        expect.stringMatching(/^__Host-sid=.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
      ])
      expect(warnings).toEqual([
        [expect.stringContaining('trust proxy'), { type: 'ExpressSidWarning', code: 'SID_PLAIN_HTTP' }],
      ])
      expect(await browser.user()).toEqual(ann)
    } finally {
      process.env.NODE_ENV = before
      emit.mockRestore()
    }
  })

  test('behind a TLS proxy that Express trusts sets the Secure cookie, and believes no other', async () => {
    const { app, visitor } = siteOn(module)
    const tls = { 'X-Forwarded-Proto': 'https' }
    const [stranger, browser] = [visitor(), visitor()]
    await stranger.login(tls)
    expect(stranger.cookie).toMatch(/^sid=/)
    app.set('trust proxy', 'loopback')
    const res = await browser.login(tls)
    expect(setCookies(res)).toEqual([expect.stringMatching(/^__Host-sid=.*; Secure;/)])
    expect((await browser.get('/', tls)).body.user).toEqual(ann)
    // One name a request: a cookie that a plain page could have planted is not read on a secure one.
    expect((await stranger.get('/', tls)).body.user).toBeNull()
  })

  test('shows the label of the browser in the list of sessions', async () => {
    const { logIn, sessions } = site(module, () => bob)
    await logIn(chrome)
    expect(await sessions.list('bob')).toMatchObject([{ label: 'Chrome on Linux', current: false }])
  })

  test.each([
    [() => login(undefined as never), 'login() needs a function'],
    [() => login(() => ann, { redirct: '/' } as never), 'Did you mean redirect?'],
    [() => login(() => ann, { crossite: true } as never), 'Did you mean crossSite?'],
    [
      () => login(() => ann, { keep: 'cart' } as never),
      "keep of login() must be an array of names, such as ['cart']",
    ],
    [() => login(() => ann, { keep: ['cart', 1] } as never), 'keep of login()'],
    [
      () => login(() => ann, { redirect: true } as never),
      'redirect of login() must be a path or an address, such as',
    ],
    [() => login(() => ann, { failed: true } as never), 'failed of login() must be a function'],
    [() => login(() => ann, { failed: () => 1, failureRedirect: '/login' }), 'Leave one out'],
    [() => login(() => ann, { failureRedirect: '' }), 'failureRedirect of login() must be a path'],
    [() => login(() => ann, { crossSite: 'yes' } as never), 'crossSite of login() must be true or false'],
    [() => login(() => ann, { crossSite: null } as never), 'crossSite of login() must be true or false'],
    [() => login(() => ann, null as never), 'The options of login() must be an object'],
    [
      () => login(() => ann, '/home' as never),
      'They are keep, crossSite, lifetime, method, providerSession, redirect, failureRedirect, failed, refused',
    ],
  ])('refuses a broken option at the start', (make, words) => {
    expect(make).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(words) }),
    )
  })

  test.each([
    [{ reson: 'locked' }, 'Did you mean reason?'],
    [{ reason: 7 }, 'reason of refuse() must be a string, not 7'],
    [{ userId: null }, 'userId of refuse() must be the id of a user, not null'],
    ['locked', 'The options of refuse() must be an object, not "locked". They are reason, userId.'],
    [null, 'The options of refuse() must be an object'],
  ])('refuse() takes no %j', (why, words) => {
    expect(() => refuse(why as never)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(words) }),
    )
  })

  test('fails after the manager was closed', async () => {
    const { visitor, sessions } = siteOn(module)
    await sessions.close()
    const res = await visitor().login()
    expect([res.status, res.body.code]).toEqual([503, 'CLOSED'])
  })
})
