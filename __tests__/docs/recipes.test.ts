import { createSessions, login, requireUser, type Sessions } from 'express-sid'
import request from 'supertest'
import { expresses, site } from '../support/site.js'
import { cookieOf } from '../support/visitor.js'
import { moveTheClock, MINUTE, stopTheClock } from '../support/core.js'
import { runBlock } from './support/page.js'

// What docs/security.md tells applications to do, as it stands there.

const express5 = expresses[0][1]
const ann = { id: 'ann', name: 'Ann' }

afterEach(() => jest.useRealTimers())

const logIn = login(() => ann)
describe('at most five sessions a user', () => {
  function limited() {
    const sessions = createSessions()
    runBlock('others.slice(4)', { sessions })
    const { app } = site(express5, sessions, (routes) => {
      routes.post('/login', logIn)
      routes.get('/me', requireUser(), (_req, res) => res.end())
    })
    return { sessions, app }
  }

  /** The listener is not waited for: it has had its turns when the number stands still. */
  async function settled(sessions: Sessions): Promise<number> {
    let [before, now] = [-1, 0]
    for (; before !== now; [before, now] = [now, (await sessions.list('ann')).length]) {
      for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
    }
    return now
  }

  test('are those used last: a sixth login ends the one that was used longest ago', async () => {
    stopTheClock()
    const { sessions, app } = limited()
    const cookies: string[] = []
    for (let n = 0; n < 6; n += 1) {
      cookies.push(cookieOf(await request(app).post('/login')))
      moveTheClock(MINUTE)
      await request(app).get('/me').set('Cookie', cookies[0]!)
    }
    expect(await settled(sessions)).toBe(5)
    const statuses = cookies.map(
      async (cookie) => (await request(app).get('/me').set('Cookie', cookie)).status,
    )
    expect(await Promise.all(statuses)).toEqual([200, 401, 200, 200, 200, 200])
  })

  test('are five after twenty simultaneous logins too', async () => {
    const { sessions, app } = limited()
    await Promise.all(Array.from({ length: 20 }, async () => request(app).post('/login')))
    expect(await settled(sessions)).toBe(5)
  })
})
