import { createSessions, login, memoryStore, requireUser, type SessionOptions } from 'express-sid'
import request from 'supertest'
import { agents, cookieOf, expresses, makeApp, setCookies } from '../http/support/apps.js'
import { DAY, HOUR, MINUTE, moveTheClock, stopTheClock } from '../support/core.js'
import { runBlock } from '../docs/support/page.js'

// The stricter settings of docs/security.md, as they stand there.

const ann = { id: 'ann', name: 'Ann' }

beforeEach(() => stopTheClock())
afterEach(() => jest.useRealTimers())

function siteWith(text: string) {
  const made: SessionOptions[] = []
  const users = new Map([['ann', ann]])
  runBlock(text, {
    store: memoryStore(),
    findActiveUser: (id: string) => users.get(id),
    createSessions: (options: SessionOptions) => made.push(options),
  })
  const { app } = makeApp(expresses[0][1], createSessions(made[0]), (routes) => {
    routes.set('trust proxy', true)
    routes.post(
      '/login',
      login(() => ann),
    )
    routes.get('/me', requireUser(), (_req, res) => res.end())
  })
  const logIn = async () => request(app).post('/login').set('User-Agent', agents.chrome)
  const me = async (cookie: string, headers: Record<string, string> = {}) =>
    (
      await request(app)
        .get('/me')
        .set({ Cookie: cookie, 'User-Agent': agents.chrome, ...headers })
    ).status
  return { logIn, me, users }
}

const aal2 = `idleTimeout: '1h'`
const aal3 = `idleTimeout: '15m'`

/** Uses the session in such steps, and says how long it lived. */
async function lifeInSteps(me: (cookie: string) => Promise<number>, cookie: string, step: number) {
  for (let lived = 0; ; lived += step) {
    if ((await me(cookie)) !== 200) return lived
    moveTheClock(step)
  }
}

describe('the stricter settings', () => {
  test('for AAL2 end an unused session after an hour', async () => {
    const { logIn, me } = siteWith(aal2)
    const [first, second] = [cookieOf(await logIn()), cookieOf(await logIn())]
    moveTheClock(HOUR - 1)
    expect(await me(first)).toBe(200)
    moveTheClock(1)
    expect([await me(first), await me(second)]).toEqual([200, 401])
  })

  test('for AAL2 end a session in constant use after a day', async () => {
    const { logIn, me } = siteWith(aal2)
    expect(await lifeInSteps(me, cookieOf(await logIn()), 30 * MINUTE)).toBe(DAY)
  })

  test('for AAL2 let the cookie end with the browser, and let in nobody who was locked meanwhile', async () => {
    const { logIn, me, users } = siteWith(aal2)
    const res = await logIn()
    expect(setCookies(res)).toEqual([
      expect.stringMatching(/^__Host-Http-sid=[^;]{102}; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
    ])
    expect(await me(cookieOf(res))).toBe(200)
    users.delete('ann')
    expect(await me(cookieOf(res))).toBe(401)
  })

  test('for AAL3 end an unused session after a quarter of an hour, and any after half a day', async () => {
    const { logIn, me } = siteWith(aal3)
    const unused = cookieOf(await logIn())
    moveTheClock(15 * MINUTE)
    expect(await me(unused)).toBe(401)
    expect(await lifeInSteps(me, cookieOf(await logIn()), 10 * MINUTE)).toBe(12 * HOUR)
  })

  test('for AAL3 know nobody in another network, and send the cookie to nobody who comes from elsewhere', async () => {
    const { logIn, me } = siteWith(aal3)
    const res = await logIn()
    expect(setCookies(res)[0]).toMatch(/; SameSite=Strict$/)
    expect(await me(cookieOf(res), { 'X-Forwarded-For': '203.0.113.7' })).toBe(401)
    expect(await me(cookieOf(res))).toBe(200)
  })
})
