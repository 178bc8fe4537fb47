import { inspect } from 'node:util'
import { requireUser, sessionOf } from 'express-sid'
import request from 'supertest'
import type { SessionRecord } from '../../src/record.js'
import { DAY, eventsOf, HOUR, MINUTE, moveTheClock, stopTheClock } from '../support/core.js'
import { styles } from '../support/faulty-store.js'
import { chrome, firefox } from '../support/people.js'
import { express5, expresses, site, type SiteOptions } from '../support/site.js'
import { cookieOf, setCookies } from '../support/visitor.js'

beforeEach(() => stopTheClock())
afterEach(() => jest.useRealTimers())

const EVERY = HOUR
const GRACE = 5 * MINUTE

describe.each(expresses)('the cookie of a login on %s', (_, module) => {
  /** A site on which Ann is logged in, and one browser's requests to it. */
  async function visit(options: SiteOptions = {}) {
    const { app, sessions, store } = site(module, options, (made) => {
      made.get('/page', (req, res) => void res.send(`hello ${req.user === undefined ? 'stranger' : 'Ann'}`))
      made.get('/cached', (_req, res) => void res.set('Cache-Control', 'public, max-age=3600').send('hello'))
      made.get('/account', requireUser({ loginPage: '/login' }), (req, res) => void res.json(req.user))
      made.get('/sessions', (req, res, next) => {
        sessionOf(req)
          .list()
          .then((found) => res.json(found), next)
      })
      made.get('/redirect', (_req, res) => res.redirect('/page'))
      made.get('/broken', () => {
        throw new Error('broken')
      })
    })
    const ask = (path: string, cookie: string, headers: Record<string, string> = {}, method = 'GET') => {
      const name = method.toLowerCase() as 'get' | 'head' | 'post' | 'options'
      const asked = request(app)[name](path)
      return asked.set({ 'User-Agent': chrome.userAgent, Cookie: cookie, ...headers })
    }
    const first = cookieOf(await ask('/login', '', {}, 'POST'))
    const seen = eventsOf(sessions)
    return { app, sessions, store, ask, first, seen }
  }

  it('is replaced after an hour, until the same absolute deadline, and no cache may keep that response', async () => {
    const { ask, first } = await visit({ absoluteTimeout: '30d' })
    expect(setCookies(await ask('/page', first))).toEqual([])
    moveTheClock(EVERY)
    const res = await ask('/page', first)
    expect(res.text).toBe('hello Ann')
    const [line] = setCookies(res)
    expect(line).toBe(
      `${cookieOf(res)}; Max-Age=${(30 * DAY - EVERY) / 1000}; Path=/; HttpOnly; SameSite=Lax`,
    )
    expect(cookieOf(res).slice(0, 63)).toBe(first.slice(0, 63))
    expect(res.headers).toMatchObject({ 'cache-control': 'no-store', vary: 'Cookie' })
    // Between rotations nothing is set, and nothing kept from caches.
    const next = await ask('/page', cookieOf(res))
    expect(setCookies(next)).toEqual([])
    expect(next.headers['cache-control']).toBeUndefined()
  })

  it('is not kept by a cache that the route invites to', async () => {
    const { ask, first } = await visit()
    moveTheClock(EVERY)
    const res = await ask('/cached', first)
    expect(setCookies(res)).toHaveLength(1)
    expect(res.headers['cache-control']).toBe('no-store')
    expect((await ask('/cached', cookieOf(res))).headers['cache-control']).toBe('public, max-age=3600')
  })

  it.each([
    ['a page', '/page', { 'Sec-Fetch-Dest': 'document' }, 'GET', 200],
    ['a frame', '/page', { 'Sec-Fetch-Dest': 'iframe' }, 'GET', 200],
    ['a fetch', '/page', { 'Sec-Fetch-Dest': 'empty' }, 'GET', 200],
    ['HEAD', '/page', {}, 'HEAD', 200],
    ['OPTIONS', '/page', {}, 'OPTIONS', 200],
    ['a redirect', '/redirect', {}, 'GET', 302],
    ['a page that is not there', '/nothing', {}, 'GET', 404],
    ['an error', '/broken', {}, 'GET', 500],
  ] as const)('is replaced by the response to %s', async (_name, path, headers, method, status) => {
    const { ask, first, seen } = await visit()
    moveTheClock(EVERY)
    const res = await ask(path, first, headers, method)
    expect(res.status).toBe(status)
    expect(setCookies(res)).toHaveLength(1)
    expect(res.headers['cache-control']).toBe('no-store')
    expect(seen.map(({ name }) => name)).toEqual(['rotate'])
    expect((await ask('/page', cookieOf(res))).text).toBe('hello Ann')
  })

  it('is replaced by a 304, which no cache may keep either', async () => {
    const { ask, first } = await visit()
    const { etag } = (await ask('/page', first)).headers as { etag: string }
    moveTheClock(EVERY)
    const res = await ask('/page', first, { 'If-None-Match': etag })
    expect(res.status).toBe(304)
    expect(setCookies(res)).toHaveLength(1)
    expect(res.headers['cache-control']).toBe('no-store')
  })

  it.each<Record<string, string>>([
    ...['image', 'style', 'script', 'font', 'video', 'worker', 'manifest', 'object'].map((dest) => ({
      'Sec-Fetch-Dest': dest,
    })),
    { 'Sec-Fetch-Dest': 'document', 'Sec-Purpose': 'prefetch' },
    { 'Sec-Fetch-Dest': 'document', 'Sec-Purpose': 'prefetch;prerender' },
    { 'Sec-Fetch-Dest': 'empty', Purpose: 'prefetch' },
    { 'User-Agent': firefox.userAgent },
  ])('is never replaced by the response to %j', async (headers) => {
    const { ask, first, seen } = await visit()
    moveTheClock(EVERY)
    const res = await ask('/page', first, headers)
    expect(setCookies(res)).toEqual([])
    expect(seen.filter(({ name }) => name === 'rotate')).toEqual([])
    // The next page gets it.
    expect(setCookies(await ask('/page', first))).toHaveLength(1)
  })

  it('is cleared by a logout and replaced by a login, where the same response would have rotated it', async () => {
    const { ask, first } = await visit()
    moveTheClock(EVERY)
    const again = await ask('/login', first, {}, 'POST')
    expect(setCookies(again)).toHaveLength(1)
    expect(cookieOf(again).slice(0, 40)).not.toBe(first.slice(0, 40))
    moveTheClock(EVERY)
    const out = await ask('/logout', cookieOf(again), {}, 'POST')
    expect(setCookies(out)).toHaveLength(1)
    expect(setCookies(out)[0]).toMatch(/^sid=; Max-Age=0/)
  })

  it('shows nothing of its hashes: not in lists, not in events, not in pages', async () => {
    const { ask, first, sessions, store, seen } = await visit()
    moveTheClock(EVERY)
    const next = cookieOf(await ask('/page', first))
    moveTheClock(GRACE)
    const page = await ask('/sessions', next)
    const id = next.slice(4, 40)
    const record = (await store.get(id)) as SessionRecord
    const text = inspect([page.body, await sessions.list('ann'), await sessions.find(id), seen], { depth: 9 })
    expect(text).toContain(id)
    const hidden = [record.secretHash, record.priorHash!, record.seriesHash, first.slice(41), next.slice(41)]
    for (const secret of hidden) {
      expect(secret.length).toBeGreaterThan(40)
      expect(text).not.toContain(secret)
    }
    expect(text).not.toMatch(/nextHash|priorHash|priorUntil|rotatedAt|unusedRotations|endedBy/)
  })
})

describe.each(styles)('an outdated cookie, with a store that is %s', (style) => {
  async function stolen(options: SiteOptions = {}) {
    const { app, sessions, store } = site(express5, { style, storeTimeout: 200, ...options }, (made) => {
      made.get('/page', (req, res) => void res.send(req.user === undefined ? 'stranger' : 'Ann'))
      made.get('/account', requireUser(), (req, res) => void res.json(req.user))
      made.get('/home', requireUser({ loginPage: '/login' }), (req, res) => void res.json(req.user))
    })
    const ask = (path: string, cookie: string, accept = 'application/json') =>
      request(app).get(path).set({ Cookie: cookie, Accept: accept })
    const copied = cookieOf(await request(app).post('/login'))
    moveTheClock(EVERY)
    const current = cookieOf(await ask('/page', copied))
    moveTheClock(GRACE)
    await ask('/page', current)
    moveTheClock(GRACE)
    return { app, sessions, store, ask, copied, current, seen: eventsOf(sessions) }
  }

  it('is a stranger to open pages, and a 401 with its reason where a user is required', async () => {
    const { ask, copied, seen } = await stolen({ onReuse: 'report' })
    expect((await ask('/page', copied)).text).toBe('stranger')
    const refused = await ask('/account', copied, 'application/json')
    expect([refused.status, refused.body]).toMatchObject([401, { error: { code: 'SECRET_REUSED' } }])
    expect(setCookies(refused)).toEqual([])
    const sent = await ask('/home', copied, 'text/html')
    expect([sent.status, sent.headers.location]).toEqual([303, '/login?returnTo=%2Fhome'])
    expect(seen.map(({ name }) => name)).toEqual(['reuse'])
  })

  it('that is only reported may be replaced by a guest: a login that keeps its state there can begin', async () => {
    const keep = async (options: SiteOptions) => {
      const { app, copied, current, ask } = await stolen(options)
      app.post('/keep', (req, res, next) => {
        sessionOf(req)
          .set('state', 'x')
          .then(() => res.end(), next)
      })
      const res = await request(app).post('/keep').set({ Cookie: copied, Accept: 'application/json' })
      return { res, copied, isOwnerIn: (await ask('/page', current)).text === 'Ann' }
    }
    const reported = await keep({ onReuse: 'report' })
    expect([reported.res.status, reported.isOwnerIn]).toEqual([200, true])
    expect(cookieOf(reported.res).slice(0, 40)).not.toBe(reported.copied.slice(0, 40))
    const ended = await keep({ onReuse: 'end' })
    expect([ended.res.status, setCookies(ended.res)]).toEqual([401, []])
  })

  it('ends the session for both holders', async () => {
    const { ask, copied, current } = await stolen()
    expect((await ask('/page', copied)).text).toBe('stranger')
    expect((await ask('/page', current)).text).toBe('stranger')
  })

  it.each(['throws', 'rejects', 'hangs'] as const)(
    'is a 503 while the store %s on writes: nothing has ended, nothing is cleared, nobody is let in',
    async (fault) => {
      const { ask, copied, current, store, seen } = await stolen({ onStoreError: 'fail' })
      store.breakAt('update', fault)
      const res = await ask('/page', copied)
      expect(res.status).toBe(503)
      expect(setCookies(res)).toEqual([])
      store.mend()
      expect((await ask('/page', current)).text).toBe('Ann')
      expect(seen.filter(({ name }) => name === 'reuse')).toEqual([])
      expect((await ask('/page', copied)).text).toBe('stranger')
      expect((await ask('/page', current)).text).toBe('stranger')
    },
  )
})
