import type { SessionRecord } from 'express-sid'
import { MINUTE, moveTheClock, SECOND, stopTheClock } from '../../support/core.js'
import { setCookies } from '../../support/visitor.js'
import { boundName, site, type Browser, type Jar, type Site } from './site.js'

// What a request of a bound session may do when it does not come from the device.

beforeEach(() => stopTheClock())
afterEach(() => jest.useRealTimers())

const TTL = 10 * MINUTE
const SLACK = 5 * MINUTE

/** A browser whose session is bound, and has been for a while: it has just renewed its proof. */
async function boundFor(options: Parameters<typeof site>[0] = {}) {
  const made = site(options)
  const browser = made.browser()
  await browser.bind()
  moveTheClock(TTL)
  await browser.refresh()
  await browser.refresh()
  return { ...made, browser, thief: browser.jar, browser2: made.browser }
}

const namesOf = ({ seen }: Pick<Site, 'seen'>) => seen.map(({ name }) => name)
const staleIn = ({ seen }: Pick<Site, 'seen'>) => seen.filter(({ name }) => name === 'stale')
const isIn = async (browser: Browser, jar: Jar) => (await browser.get('/guarded', jar)).status === 200

describe('a copy', () => {
  it('of both cookies dies with the proof: after ttl and slack, whatever the browser does meanwhile', async () => {
    const { browser, thief } = await boundFor()
    expect(await isIn(browser, thief)).toBe(true)
    moveTheClock(TTL)
    await browser.refresh()
    expect(await isIn(browser, thief)).toBe(true)
    moveTheClock(SLACK - 1)
    expect(await isIn(browser, thief)).toBe(true)
    moveTheClock(1)
    expect(await isIn(browser, thief)).toBe(false)
    expect(await isIn(browser, browser.jar)).toBe(true)
  })

  it('of the session’s cookie alone is useless at once', async () => {
    const { browser, thief } = await boundFor()
    const { sid } = thief
    for (const jar of [{ sid }, { sid, bound: 'A'.repeat(43) }, { sid, bound: '' }]) {
      expect(await isIn(browser, jar)).toBe(false)
    }
    expect(await isIn(browser, browser.jar)).toBe(true)
  })

  it('of the bound cookie alone opens nothing', async () => {
    const { browser, thief } = await boundFor()
    expect((await browser.get('/', { bound: thief.bound })).body).toMatchObject({ user: null, id: null })
  })

  it('with the bound cookie of another session of the same user is useless', async () => {
    const made = await boundFor()
    const other = made.browser2()
    await other.bind()
    expect(await isIn(made.browser, { sid: made.thief.sid, bound: other.jar.bound })).toBe(false)
  })

  it('made before the binding lives on for the slack, and no longer', async () => {
    const made = site()
    const browser = made.browser()
    await browser.login()
    const thief = browser.jar
    await browser.register()
    expect(await isIn(browser, thief)).toBe(true)
    await browser.refresh()
    moveTheClock(SLACK)
    expect(await isIn(browser, thief)).toBe(true)
    moveTheClock(1)
    expect(await isIn(browser, thief)).toBe(false)
    expect(await isIn(browser, browser.jar)).toBe(true)
  })

  it('can not be made good by what a dump of the store holds', async () => {
    const { store, browser, thief } = await boundFor()
    const record = store.inner.get(browser.sessionId) as SessionRecord
    const strings = JSON.stringify(record).match(/[\w-]{43}/g)!
    expect(strings.length).toBeGreaterThan(4)
    for (const text of strings) {
      expect(await isIn(browser, { sid: thief.sid, bound: text })).toBe(false)
      for (const proof of [text, browser.device.proof(text)]) {
        expect((await browser.refresh(proof)).status).toBe(403)
      }
    }
    // Nor does it hold what the browser has.
    expect(JSON.stringify(record)).not.toContain(thief.bound)
    expect(JSON.stringify(record)).not.toContain('"d"')
  })
})

describe('a stale request', () => {
  it('has no user and no session, but the session lives on', async () => {
    const { browser, thief, store } = await boundFor()
    const before = store.inner.get(browser.sessionId)
    moveTheClock(2 * MINUTE)
    const res = await browser.get('/', { sid: thief.sid })
    expect(res.body).toEqual({ user: null, id: null, isBound: false })
    expect(setCookies(res)).toEqual([])
    // It does not keep the session alive either.
    expect(store.inner.get(browser.sessionId)).toEqual(before)
    expect((await browser.get('/')).body).toMatchObject({ user: { id: 'ann' }, isBound: true })
  })

  it('gets BINDING_REQUIRED from requireUser, or the login page where a person waits', async () => {
    const { browser, thief } = await boundFor()
    const jar = { sid: thief.sid }
    expect(await browser.get('/guarded', jar)).toMatchObject({
      status: 401,
      body: { code: 'BINDING_REQUIRED' },
    })
    const page = await browser.get('/page', jar, { 'sec-fetch-mode': 'navigate' })
    expect([page.status, page.headers.location]).toEqual([303, '/login?returnTo=%2Fpage'])
  })

  it('can not write, and never starts a guest in the place of the login', async () => {
    const { browser, thief, store } = await boundFor()
    const calls = store.calls.length
    const res = await browser.post('/cart', { sid: thief.sid })
    expect([res.status, res.body.code, setCookies(res)]).toEqual([401, 'BINDING_REQUIRED', []])
    expect(new Set(store.calls.slice(calls))).toEqual(new Set(['get']))
  })

  it('sees no list of sessions', async () => {
    const { browser, thief } = await boundFor()
    expect((await browser.get('/list', { sid: thief.sid })).body).toEqual([])
    expect((await browser.get('/list')).body).toMatchObject([{ isBound: true, current: true }])
  })

  it('can log out: that ends the session', async () => {
    const { browser, thief, store } = await boundFor()
    const { sessionId } = browser
    const res = await browser.post('/logout', { sid: thief.sid })
    expect(res.text).toBe('Logged Out')
    expect(setCookies(res).map((line) => line.split('=')[0])).toEqual(['__Host-sid', boundName(thief.sid)])
    expect(store.inner.get(sessionId)).toBeUndefined()
  })

  it('can log in: that is a new session, offered again, and ends the old one', async () => {
    const { browser, store } = await boundFor()
    const { sessionId } = browser
    browser.jar = { sid: browser.jar.sid }
    await browser.login()
    expect(store.inner.get(sessionId)).toBeUndefined()
    expect(browser.sessionId).not.toBe(sessionId)
    await browser.register()
    expect((await browser.refresh()).status).toBe(200)
  })

  it.each<[string, (thief: Jar) => Jar, number]>([
    ['missing', ({ sid }) => ({ sid }), 0],
    ['unknown', ({ sid }) => ({ sid, bound: 'A'.repeat(43) }), 0],
    ['expired', (thief) => thief, TTL + SLACK],
  ])('whose bound cookie is %s sends an event, once in a touchInterval', async (reason, copy, later) => {
    const made = await boundFor()
    const { browser, thief } = made
    moveTheClock(later)
    expect(await isIn(browser, copy(thief))).toBe(false)
    await isIn(browser, copy(thief))
    const event = { sessionId: browser.sessionId, userId: 'ann', reason, client: expect.anything() }
    expect(staleIn(made)).toMatchObject([{ name: 'stale', event }])
    moveTheClock(5 * MINUTE)
    await isIn(browser, copy(thief))
    expect(staleIn(made)).toHaveLength(2)
  })

  it('by who knows the id alone is nobody’s: no event', async () => {
    const made = await boundFor()
    const events = namesOf(made).length
    await isIn(made.browser, { sid: `${made.browser.sessionId}.${'A'.repeat(65)}` })
    expect(namesOf(made)).toHaveLength(events)
  })
})

describe('a browser that could not renew the proof', () => {
  const skipped = (id: string) => ({ 'secure-session-skipped': `unreachable;session_identifier="${id}"` })

  it('gets a 503 and may come again: its login is not to be lost', async () => {
    const made = await boundFor()
    const { browser } = made
    const jar = { sid: browser.jar.sid }
    for (const path of ['/guarded', '/page']) {
      const res = await browser.get(path, jar, {
        ...skipped(browser.sessionId),
        'sec-fetch-mode': 'navigate',
      })
      expect([res.status, res.body.code, res.headers['retry-after']]).toEqual([
        503,
        'BINDING_UNAVAILABLE',
        '60',
      ])
    }
    expect(await browser.post('/cart', jar, skipped(browser.sessionId))).toMatchObject({
      status: 503,
      body: { code: 'BINDING_UNAVAILABLE' },
    })
    expect(staleIn(made)).toMatchObject([{ event: { reason: 'skipped' } }])
  })

  it('of another session is a stale one', async () => {
    const { browser } = await boundFor()
    const headers = skipped('019a0000-0000-7000-8000-000000000000')
    expect((await browser.get('/guarded', { sid: browser.jar.sid }, headers)).status).toBe(401)
  })

  it('is let in while its bound cookie is good', async () => {
    const { browser } = await boundFor()
    expect((await browser.get('/guarded', browser.jar, skipped(browser.sessionId))).status).toBe(200)
  })
})

describe('a bound session', () => {
  it('does not rotate: its copies are useless. One that is not bound does', async () => {
    const made = await boundFor({ rotateEvery: '1h' })
    const { browser } = made
    moveTheClock(60 * MINUTE)
    await browser.refresh()
    await browser.refresh()
    expect(setCookies(await browser.get('/'))).toEqual([])
    const other = made.browser2()
    await other.login()
    await other.register()
    moveTheClock(60 * MINUTE)
    expect(setCookies(await other.get('/'))).toHaveLength(1)
  })

  it('costs no write between two touches', async () => {
    const { browser, store } = await boundFor({ rotateEvery: '1h' })
    moveTheClock(60 * MINUTE)
    await browser.refresh()
    await browser.refresh()
    await browser.get('/')
    const calls = store.calls.length
    for (let count = 0; count < 5; count += 1) await browser.get('/')
    expect(new Set(store.calls.slice(calls))).toEqual(new Set(['get']))
  })

  it('that was bound while its secret rotated goes on with both secrets, and a settled one', async () => {
    const made = site({ rotateEvery: '10m', deviceBinding: { ttl: '1h' } })
    const browser = made.browser()
    await browser.login()
    await browser.register()
    const old = browser.jar.sid
    moveTheClock(10 * MINUTE)
    const [line] = setCookies(await browser.get('/'))
    const next = /__Host-sid=([^;]+)/.exec(line!)![1]!
    await browser.refresh()
    const { bound } = browser.jar
    expect([await isIn(browser, { sid: old, bound }), await isIn(browser, { sid: next, bound })]).toEqual([
      true,
      true,
    ])
    moveTheClock(SLACK)
    expect([await isIn(browser, { sid: next, bound }), await isIn(browser, { sid: old, bound })]).toEqual([
      true,
      true,
    ])
    moveTheClock(SLACK)
    expect(await isIn(browser, { sid: next, bound })).toBe(true)
  })

  it('is ended by the use of a superseded secret, as any other', async () => {
    const made = site({ rotateEvery: '10m', deviceBinding: { ttl: '1h' } })
    const browser = made.browser()
    await browser.login()
    await browser.register()
    const old = browser.jar.sid
    moveTheClock(10 * MINUTE)
    const [line] = setCookies(await browser.get('/'))
    const next = /__Host-sid=([^;]+)/.exec(line!)![1]!
    moveTheClock(SLACK)
    await browser.get('/', { sid: next })
    await browser.refresh()
    const { bound } = browser.jar
    moveTheClock(SLACK)
    expect((await browser.get('/guarded', { sid: old, bound })).body).toMatchObject({ code: 'SECRET_REUSED' })
    expect(namesOf(made)).toContain('reuse')
  })

  it('shows in the lists of the user and of the manager', async () => {
    const { sessions, browser } = await boundFor()
    expect(await sessions.list('ann')).toMatchObject([{ isBound: true }])
    expect(await sessions.find(browser.sessionId)).toMatchObject({ isBound: true })
  })

  it('is an ordinary one where the option was turned off again', async () => {
    const { store, browser } = await boundFor()
    const plain = site({ store, deviceBinding: false })
    const there = plain.browser()
    const res = await there.get('/', { sid: browser.jar.sid })
    expect(res.body).toMatchObject({ user: { id: 'ann' }, isBound: false })
    expect(await plain.sessions.list('ann')).toMatchObject([{ isBound: false }])
    moveTheClock(60 * MINUTE)
    expect(setCookies(await there.get('/', { sid: browser.jar.sid }))).toHaveLength(1)
  })
})

describe('a route that wants a bound session', () => {
  it('refuses one that is not bound, with 403', async () => {
    const browser = site().browser()
    expect(await browser.get('/bound')).toMatchObject({ status: 401 })
    await browser.login()
    expect(await browser.get('/bound')).toMatchObject({ status: 403, body: { code: 'UNBOUND' } })
    await browser.register()
    expect((await browser.get('/bound')).status).toBe(403)
    await browser.refresh()
    expect((await browser.get('/bound')).text).toBe('in')
  })

  it('says that the option is off', async () => {
    const browser = site({ deviceBinding: false }).browser()
    await browser.post('/login')
    expect(await browser.get('/bound')).toMatchObject({ status: 500, body: { code: 'OPTION_INVALID' } })
  })
})

describe("with unbound: 'refuse'", () => {
  it('a browser has two minutes after the login to bind its session', async () => {
    const browser = site({ deviceBinding: { unbound: 'refuse' } }).browser()
    await browser.login()
    moveTheClock(2 * MINUTE - SECOND)
    expect((await browser.get('/guarded')).status).toBe(200)
    moveTheClock(SECOND)
    expect(await browser.get('/guarded')).toMatchObject({ status: 403, body: { code: 'UNBOUND' } })
    await browser.register()
    await browser.refresh()
    expect((await browser.get('/guarded')).status).toBe(200)
  })
})

test('browsers that can not bind sessions are let in as ever', async () => {
  const made = site({ rotateEvery: false })
  const browser = made.browser()
  await browser.login()
  for (let hour = 0; hour < 24; hour += 1) {
    moveTheClock(60 * MINUTE)
    expect((await browser.get('/')).body).toMatchObject({ user: { id: 'ann' }, isBound: false })
  }
  expect(namesOf(made)).toEqual(['login'])
})
