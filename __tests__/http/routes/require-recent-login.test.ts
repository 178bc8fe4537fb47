import type { Express } from 'express'
import {
  login,
  reauthenticate,
  requireRecentLogin,
  requireUser,
  type RequireRecentLoginOptions,
} from 'express-sid'
import { DAY, eventsOf, HOUR, MINUTE, moveTheClock, stopTheClock } from '../../support/core.js'
import { styles } from '../../support/faulty-store.js'
import { ann, bob } from '../../support/people.js'
import { express5, expresses, site, type ExpressModule, type SiteOptions } from '../../support/site.js'
import { setCookies, type Visitor } from '../../support/visitor.js'

beforeEach(() => stopTheClock())
afterEach(() => jest.useRealTimers())

const asPage = { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Site': 'same-origin' }
const asScript = { Accept: 'application/json', 'Sec-Fetch-Mode': 'cors', 'Sec-Fetch-Site': 'same-origin' }
const asForm = { ...asPage, Host: 'shop.example' }
const withinTen = { within: '10m', loginPage: '/confirm' }

/** A site with a page for users who have just proven who they are, and the page where they do. */
function guarded(
  express: ExpressModule = express5,
  options: SiteOptions = {},
  recent: RequireRecentLoginOptions = withinTen,
) {
  return site(express, options, (app: Express) => {
    app.post(
      '/sign-in',
      login(() => ann, { method: 'password' }),
    )
    app.get('/confirm', requireUser({ loginPage: '/login-page' }), (_req, res) => void res.send('the form'))
    app.post(
      '/confirm',
      reauthenticate((req) => (req.get('X-As') === 'bob' ? bob : req.get('X-As') !== 'nobody' && req.user), {
        method: 'password',
        redirect: '/account',
        failureRedirect: '/confirm?failed',
      }),
    )
    app.all('/danger', requireRecentLogin(recent), (_req, res) => void res.send('done'))
  })
}

const danger = (visitor: Visitor, headers = asScript, path = '/danger') => visitor.get(path, headers)
const codeOf = ({ status, body }: { status: number; body: { error?: { code: string } } }) => [
  status,
  body.error?.code,
]

describe.each(expresses)('requireRecentLogin() on %s', (_, express) => {
  test('lets in who has logged in within the time, to the millisecond, and nobody else', async () => {
    const { logIn } = guarded(express)
    const browser = await logIn()
    moveTheClock(10 * MINUTE - 1)
    const res = await danger(browser)
    expect([res.status, res.text, res.headers['cache-control']]).toEqual([200, 'done', 'private, no-store'])
    moveTheClock(1)
    expect(codeOf(await danger(browser))).toEqual([401, 'REAUTHENTICATION_REQUIRED'])
    // To use the session is no proof, however often.
    await browser.get()
    expect((await danger(browser)).status).toBe(401)
  })

  test('sends a browser to the page where users prove who they are, and back to where it wanted to go', async () => {
    const { logIn } = guarded(express)
    const browser = await logIn()
    moveTheClock(HOUR)
    const sent = await danger(browser, asPage, '/danger?id=7')
    expect([sent.status, sent.headers.location]).toEqual([303, '/confirm?returnTo=%2Fdanger%3Fid%3D7'])
    expect((await browser.get(sent.headers.location, asPage)).text).toBe('the form')
    const wrong = await browser.post(sent.headers.location, { ...asPage, 'X-As': 'nobody' })
    expect(wrong.headers.location).toBe('/confirm?failed&returnTo=%2Fdanger%3Fid%3D7')
    const right = await browser.post(wrong.headers.location, asPage)
    expect([right.status, right.headers.location]).toEqual([303, '/danger?id=7'])
    expect((await browser.get(right.headers.location, asPage)).text).toBe('done')
  })

  test('leads back to the page of a form that was sent, if it is one of this host', async () => {
    const { logIn } = guarded(express)
    const browser = await logIn()
    moveTheClock(HOUR)
    const send = async (Referer: string) =>
      (await browser.post('/danger', { ...asForm, Referer })).headers.location
    expect(await send('http://shop.example/settings?tab=2#x')).toBe('/confirm?returnTo=%2Fsettings%3Ftab%3D2')
    expect(await send('https://evil.example/settings')).toBe('/confirm')
    expect(await send('no address')).toBe('/confirm')
    expect((await browser.post('/danger', asForm)).headers.location).toBe('/confirm')
  })

  test('sends a stranger the same way, and from there to the login page', async () => {
    const { visitor } = guarded(express)
    expect(codeOf(await danger(visitor()))).toEqual([401, 'UNAUTHENTICATED'])
    const sent = await danger(visitor(), asPage)
    expect(sent.headers.location).toBe('/confirm?returnTo=%2Fdanger')
    const further = await visitor().get(sent.headers.location, asPage)
    expect(further.headers.location).toBe('/login-page?returnTo=%2Fconfirm%3FreturnTo%3D%252Fdanger')
  })

  test('is a 503 where the store fails, whatever onStoreError says', async () => {
    const { logIn, store } = guarded(express, { onStoreError: 'anonymous' })
    const browser = await logIn()
    store.breakAt('get', 'throws')
    expect((await danger(browser, asPage)).status).toBe(503)
  })
})

describe('the methods of requireRecentLogin()', () => {
  const open = async (methods: RequireRecentLoginOptions['methods'], method?: string | string[]) => {
    const { visitor } = guarded(express5, {}, { within: '10m', methods })
    const browser = visitor()
    await browser.run((session) => session.login(ann, { method }))
    return browser
  }
  const again = (browser: Visitor, method?: string) =>
    browser.run((session, req) => session.reauthenticate(req.user!, { method }))

  test('are those of which one was used within the time', async () => {
    const browser = await open(['otp', 'passkey'], 'password')
    expect((await danger(browser)).status).toBe(401)
    await again(browser, 'passkey')
    expect((await danger(browser)).status).toBe(200)
  })

  test('each count from their own time: another proof does not make an old one new', async () => {
    const browser = await open('password', 'password')
    moveTheClock(10 * MINUTE)
    await again(browser, 'otp')
    expect(codeOf(await danger(browser))).toEqual([401, 'REAUTHENTICATION_REQUIRED'])
    await again(browser, 'password')
    expect((await danger(browser)).status).toBe(200)
  })

  test('are needed where they are named, and not where they are not', async () => {
    expect((await danger(await open('password'))).status).toBe(401)
    expect((await danger(await open(undefined))).status).toBe(200)
  })

  test('are at most eight in a session, the newest', async () => {
    const { logIn, sessions } = guarded()
    const browser = await logIn()
    for (let at = 0; at < 10; at += 1) {
      moveTheClock(1)
      await again(browser, `method-${at % 9}`)
    }
    const { methods } = (await sessions.find(browser.id))!
    expect(methods.map(({ method }) => method)).toEqual([0, 8, 7, 6, 5, 4, 3, 2].map((at) => `method-${at}`))
    expect(methods[0]!.at).toBe(Date.now())
  })
})

describe('sessionOf(req).hasRecentLogin()', () => {
  const has = async (visitor: Visitor, recent: object) =>
    (await visitor.run((session) => session.hasRecentLogin(recent as never))).body as unknown

  test('says what the guard would say', async () => {
    const { visitor } = guarded()
    const browser = visitor()
    await browser.post('/sign-in')
    moveTheClock(10 * MINUTE - 1)
    expect(await has(browser, { within: '10m' })).toBe(true)
    expect(await has(browser, { within: '10m', methods: 'password' })).toBe(true)
    expect(await has(browser, { within: '10m', methods: ['otp'] })).toBe(false)
    moveTheClock(1)
    expect(await has(browser, { within: '10m' })).toBe(false)
  })

  test('is false for a guest and for a stranger', async () => {
    const { visitor } = guarded()
    const guest = visitor()
    await guest.run((session) => session.set('cart', ['tea']))
    expect([await has(guest, { within: '1d' }), await has(visitor(), { within: '1d' })]).toEqual([
      false,
      false,
    ])
  })

  test('refuses an option that there is not', async () => {
    expect(await has(guarded().visitor(), { within: '1d', method: 'otp' })).toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining('Did you mean methods?'),
    })
  })
})

test.each([
  [undefined, "must be an object such as { within: '10m' }"],
  [{}, 'The option within of requireRecentLogin() is undefined, which is not a duration'],
  [{ within: 'soon' }, 'The option within of requireRecentLogin() is "soon", which is not a duration'],
  [{ within: 0 }, 'within of requireRecentLogin() must be longer than 0'],
  [{ within: '1m', method: 'otp' }, 'Did you mean methods?'],
  [{ within: '1m', methods: [] }, 'methods of requireRecentLogin() must be a name such as'],
  [{ within: '1m', loginPage: '' }, 'loginPage of requireRecentLogin() must be a path'],
  [{ headers: {}, socket: {} }, "Write requireRecentLogin({ within: '10m' })"],
])('requireRecentLogin() refuses the options %j at the start', (options, words) => {
  expect(() => requireRecentLogin(options as never)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(words) }),
  )
})

test('a guard in front of its own page says so, in place of sending the browser round for ever', async () => {
  const { logIn } = site(express5, {}, (app) => {
    app.use('/confirm', requireRecentLogin(withinTen))
  })
  const browser = await logIn()
  moveTheClock(HOUR)
  expect((await browser.get('/confirm', asPage)).body).toMatchObject({
    code: 'OPTION_INVALID',
    message: expect.stringContaining('requireRecentLogin() guards its own loginPage /confirm'),
  })
})

describe.each(styles)('a re-authentication with a store that is %s', (style) => {
  const open = async (options: SiteOptions = {}) => {
    const made = guarded(express5, { style, ...options })
    const browser = made.visitor()
    await browser.post('/sign-in')
    await browser.run((session) => session.set('cart', ['tea']))
    const before = { token: browser.token, id: browser.id, copy: browser.copy() }
    moveTheClock(30 * MINUTE)
    return { ...made, browser, before, events: eventsOf(made.sessions) }
  }

  test('is a new session with a new secret and the data, and the old one is good for nothing at once', async () => {
    const { browser, before, sessions, events } = await open()
    const res = await browser.post('/confirm', asScript)
    expect([res.status, res.body]).toEqual([200, { user: ann, redirectTo: '/account' }])
    expect(browser.id).not.toBe(before.id)
    expect(browser.token.slice(37)).not.toBe(before.token.slice(37))
    expect((await browser.run((session) => session.get('cart') ?? null)).body).toEqual(['tea'])
    expect([await browser.user(), await before.copy.user()]).toEqual([ann, null])
    const now = Date.now()
    expect(await sessions.list(ann.id)).toMatchObject([
      { id: browser.id, createdAt: now, authenticatedAt: now, methods: [{ method: 'password', at: now }] },
    ])
    expect(events.map(({ name, event }) => [name, 'cause' in event && event.cause])).toEqual([
      ['logout', 'reauthentication'],
      ['login', 'reauthentication'],
    ])
    expect(events[0]!.event).toMatchObject({ sessionId: before.id, userId: 'ann', replaced: true })
    expect(events[1]!.event).toMatchObject({ sessionId: browser.id, userId: 'ann' })
  })

  test('loses no write that was acknowledged in that moment', async () => {
    const { browser, store } = await open()
    const other = browser.copy()
    store.breakNext('insert', async (work) => {
      await other.run((session) => session.set('late', 1))
      return work()
    })
    await browser.post('/confirm', asScript)
    const { body } = await browser.run((session) => [session.get('cart'), session.get('late')])
    expect(body).toEqual([['tea'], 1])
    // And what a request writes later that came before is refused: it would be lost.
    const late = await browser.copy().run(async (session) => {
      await browser.post('/confirm', asScript)
      await session.set('later', 1)
    })
    expect(late.body).toMatchObject({ code: 'SESSION_ENDED' })
  })

  test('does not go on with a session that was ended elsewhere in that moment', async () => {
    const { browser, store, sessions } = await open()
    store.breakNext('insert', async (work) => {
      await sessions.revokeAll(ann.id)
      return work()
    })
    const res = await browser.post('/confirm', asScript)
    expect([res.status, setCookies(res)]).toEqual([401, []])
    expect(res.body).toMatchObject({ error: { code: 'SESSION_ENDED' } })
    await browser.get()
    expect(await sessions.list(ann.id)).toEqual([])
  })

  test('is no theft for the requests that come with the old cookie meanwhile', async () => {
    const { browser, before, store, events, sessions } = await open({ onReuse: 'endAll' })
    // The mark is written; to remove the record fails.
    store.breakAt('delete', 'throws')
    expect((await browser.post('/confirm', asScript)).status).toBe(200)
    store.mend()
    expect(await before.copy.user()).toBeNull()
    expect(await browser.user()).toEqual(ann)
    expect(events.map(({ name }) => name)).not.toContain('reuse')
    expect(await sessions.list(ann.id)).toHaveLength(1)
  })
})

describe('a re-authentication', () => {
  const open = async (options: SiteOptions = {}) => {
    const made = guarded(express5, options)
    const browser = made.visitor()
    await browser.post('/sign-in')
    return { ...made, browser, events: eventsOf(made.sessions) }
  }

  test('of another user is refused, and changes nothing', async () => {
    const { browser, events, sessions } = await open()
    const { id } = browser
    const res = await browser.post('/confirm', { ...asScript, 'X-As': 'bob' })
    expect(codeOf(res)).toEqual([403, 'OTHER_USER'])
    expect([setCookies(res), browser.id, await browser.user()]).toEqual([[], id, ann])
    expect(await sessions.list('bob')).toEqual([])
    expect(events).toMatchObject([
      { name: 'loginRefused', event: { reason: 'OTHER_USER', userId: 'ann', sessionId: id } },
    ])
  })

  test('of a stranger and of a guest is refused before anybody is asked for a password', async () => {
    const asked = jest.fn(() => ann)
    const { visitor } = site(express5, {}, (app) => {
      app.post('/confirm', reauthenticate(asked))
    })
    const guest = visitor()
    await guest.run((session) => session.set('cart', ['tea']))
    expect(codeOf(await guest.post('/confirm', asScript))).toEqual([401, 'UNAUTHENTICATED'])
    expect(codeOf(await visitor().post('/confirm', asScript))).toEqual([401, 'UNAUTHENTICATED'])
    expect(asked).not.toHaveBeenCalled()
    const byHand = await guest.run((session) => session.reauthenticate(ann))
    expect(byHand.body).toMatchObject({ code: 'UNAUTHENTICATED' })
  })

  test('that fails is the same 401 as a failed login, with its event', async () => {
    const { browser, events } = await open()
    const res = await browser.post('/confirm', { ...asScript, 'X-As': 'nobody' })
    expect(codeOf(res)).toEqual([401, 'LOGIN_REFUSED'])
    expect(events.map(({ name }) => name)).toEqual(['loginRefused'])
    expect(await browser.user()).toEqual(ann)
  })

  test('keeps the lifetime of its session, counted from now, unless another one is given', async () => {
    const { visitor, store } = site(express5)
    const browser = visitor()
    await browser.run((session) => session.login(ann, { lifetime: { absolute: '2d', persistent: false } }))
    moveTheClock(DAY)
    const res = await browser.run((session, req) => session.reauthenticate(req.user!))
    expect(setCookies(res)[0]).not.toContain('Max-Age')
    expect(await store.get(browser.id)).toMatchObject({ absoluteExpiresAt: Date.now() + 2 * DAY })
    await browser.run((session, req) => session.reauthenticate(req.user!, { lifetime: { absolute: '1h' } }))
    expect(await store.get(browser.id)).toMatchObject({ absoluteExpiresAt: Date.now() + HOUR })
  })

  test('finds the user as loadUser has them now, and a user who is gone can’t', async () => {
    const users = new Map([['ann', { ...ann, rank: 1 }]])
    const { logIn } = guarded(express5, { loadUser: (id: string) => users.get(id) })
    const browser = await logIn()
    users.set('ann', { ...ann, rank: 2 })
    await browser.post('/confirm', asScript)
    expect(await browser.user()).toEqual({ ...ann, rank: 2 })
    users.clear()
    expect(codeOf(await browser.post('/confirm', asScript))).toEqual([401, 'UNAUTHENTICATED'])
  })

  test('fits into a limit of one session', async () => {
    const { browser, sessions } = await open({ maxSessions: 1, whenFull: 'refuse' })
    expect((await browser.post('/confirm', asScript)).status).toBe(200)
    expect((await browser.post('/confirm', asScript)).status).toBe(200)
    expect(await sessions.list(ann.id)).toHaveLength(1)
  })

  test('is not for pages of other origins, by hand as by the route', async () => {
    const { browser } = await open()
    const foreign = { ...asScript, 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }
    expect(codeOf(await browser.post('/confirm', foreign))).toEqual([403, 'CROSS_ORIGIN'])
    const get = { 'Sec-Fetch-Site': 'cross-site' }
    const refused = await browser.run((session, req) => session.reauthenticate(req.user!), get, 'GET')
    expect(refused.body).toMatchObject({ code: 'CROSS_ORIGIN' })
    const callback = await browser.run(
      (session, req) => session.reauthenticate(req.user!, { crossSite: true }),
      get,
      'GET',
    )
    expect(setCookies(callback)).toHaveLength(1)
  })

  test('needs headers that have not been sent', async () => {
    const { browser, sessions } = await open()
    const failures: unknown[] = []
    await browser.run(async (session, req, res) => {
      res.write('early')
      await session.reauthenticate(req.user!).catch((error: unknown) => failures.push(error))
      res.end()
    })
    expect(failures).toEqual([expect.objectContaining({ code: 'HEADERS_SENT' })])
    expect(await sessions.list(ann.id)).toHaveLength(1)
  })

  test.each([
    [{ keep: ['cart'] }, 'sessionOf(req).reauthenticate() has no option "keep"'],
    [{ method: 7 }, 'The option method of sessionOf(req).reauthenticate() must be a name'],
    [null, 'The options of sessionOf(req).reauthenticate() must be an object, not null'],
  ])('refuses the options %j', async (options, words) => {
    const { browser } = await open()
    const res = await browser.run((session, req) => session.reauthenticate(req.user!, options as never))
    expect(res.body).toMatchObject({ code: 'OPTION_INVALID', message: expect.stringContaining(words) })
  })

  test('of a route is checked at the start', () => {
    const refusal = (words: string) =>
      expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(words) })
    expect(() => reauthenticate(() => ann, { keep: ['a'] } as never)).toThrow(refusal('no option "keep"'))
    expect(() => reauthenticate('ann' as never)).toThrow(refusal('reauthenticate() needs a function'))
    expect(() => reauthenticate({ headers: {}, socket: {} } as never)).toThrow(
      refusal('Write reauthenticate(authenticate)'),
    )
  })

  test('in Authorization gives the client its new token in the body, and no cookie', async () => {
    const { visitor, sessions } = guarded(express5, { bearer: true })
    const asked = await visitor().post('/sign-in', { 'Session-Via': 'bearer' })
    const by = (res: { body: { token?: string } }) => ({
      ...asScript,
      Authorization: `Bearer ${res.body.token}`,
    })
    moveTheClock(HOUR)
    const late = await visitor().get('/danger', by(asked))
    expect(codeOf(late)).toEqual([401, 'REAUTHENTICATION_REQUIRED'])
    expect(late.headers['www-authenticate']).toBe('Bearer error="insufficient_user_authentication"')
    const confirmed = await visitor().post('/confirm', by(asked))
    expect([confirmed.status, setCookies(confirmed)]).toEqual([200, []])
    expect((await visitor().get('/danger', by(confirmed))).text).toBe('done')
    expect(codeOf(await visitor().get('/danger', by(asked)))).toEqual([401, 'UNAUTHENTICATED'])
    expect(await sessions.list(ann.id)).toMatchObject([{ via: 'bearer' }])
  })

  test('by login() makes a session of its own: nothing of the one before is kept', async () => {
    const { browser } = await open()
    await browser.run((session) => session.set('cart', ['tea']))
    await browser.post('/sign-in')
    expect((await browser.run((session) => session.get('cart') ?? null)).body).toBeNull()
  })
})
