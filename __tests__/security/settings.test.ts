import { createSessions, memoryStore, requireUser, type SessionOptions } from 'express-sid'
import { DAY, HOUR, MINUTE, moveTheClock, stopTheClock } from '../support/core.js'
import { ann, chromeElsewhere } from '../support/people.js'
import { express5, site } from '../support/site.js'
import { setCookies, type Visitor } from '../support/visitor.js'
import { runBlock } from '../docs/support/page.js'

// The stricter settings of docs/security.md, as they stand there.

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
  const { visitor, logIn } = site(express5, createSessions(made[0]), (routes) => {
    routes.set('trust proxy', true)
    routes.get('/me', requireUser(), (_req, res) => res.end())
  })
  return { visitor, logIn, users }
}

const me = async (browser: Visitor) => (await browser.get('/me')).status

const aal2 = `idleTimeout: '1h'`
const aal3 = `idleTimeout: '15m'`

/** Uses the session in such steps, and says how long it lived. */
async function lifeInSteps(browser: Visitor, step: number) {
  for (let lived = 0; ; lived += step) {
    if ((await me(browser)) !== 200) return lived
    moveTheClock(step)
  }
}

describe('the stricter settings', () => {
  test('for AAL2 end an unused session after an hour', async () => {
    const { logIn } = siteWith(aal2)
    const [first, second] = [await logIn(), await logIn()]
    moveTheClock(HOUR - 1)
    expect(await me(first)).toBe(200)
    moveTheClock(1)
    expect([await me(first), await me(second)]).toEqual([200, 401])
  })

  test('for AAL2 end a session in constant use after a day', async () => {
    expect(await lifeInSteps(await siteWith(aal2).logIn(), 30 * MINUTE)).toBe(DAY)
  })

  test('for AAL2 let the cookie end with the browser, and let in nobody who was locked meanwhile', async () => {
    const { visitor, users } = siteWith(aal2)
    const browser = visitor()
    expect(setCookies(await browser.login())).toEqual([
      expect.stringMatching(/^__Host-Http-sid=[^;]{102}; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
    ])
    expect(await me(browser)).toBe(200)
    users.delete('ann')
    expect(await me(browser)).toBe(401)
  })

  test('for AAL3 end an unused session after a quarter of an hour, and any after half a day', async () => {
    const { logIn } = siteWith(aal3)
    const unused = await logIn()
    moveTheClock(15 * MINUTE)
    expect(await me(unused)).toBe(401)
    expect(await lifeInSteps(await logIn(), 10 * MINUTE)).toBe(12 * HOUR)
  })

  test('for AAL3 know nobody in another network, and send the cookie to nobody who comes from elsewhere', async () => {
    const { visitor } = siteWith(aal3)
    const browser = visitor()
    expect(setCookies(await browser.login())[0]).toMatch(/; SameSite=Strict$/)
    expect(await me(browser.copy(chromeElsewhere))).toBe(401)
    expect(await me(browser)).toBe(200)
  })
})
