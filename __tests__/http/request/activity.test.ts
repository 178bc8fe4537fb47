import type { ErrorRequestHandler } from 'express'
import { sessionOf, type SessionOptions } from 'express-sid'
import { HOUR, MINUTE, moveTheClock, stopTheClock } from '../../support/core.js'
import { styles } from '../../support/faulty-store.js'
import { express5, expresses, site, type ExpressModule, type SiteOptions } from '../../support/site.js'
import { turns } from '../../support/stores.js'
import { setCookies } from '../../support/visitor.js'

// The option `touch`: which requests are an activity of their user.

beforeEach(() => stopTheClock())
afterEach(() => jest.useRealTimers())

const touch: SessionOptions['touch'] = (req) => !req.path.startsWith('/poll')

function pollable(express: ExpressModule = express5, options: SiteOptions = {}) {
  return site(express, { idleTimeout: '1h', touch, ...options }, (app) => {
    const router = express.Router()
    router.get('/news', (req, res) => void res.json(req.user ?? null))
    router.get('/write', (req, res, next) => {
      sessionOf(req)
        .update('polls', (count = 0) => Number(count) + 1)
        .then((count) => res.json(count), next)
    })
    app.use('/poll', router)
  })
}

describe.each(expresses)('a request that is no activity on %s', (_, express) => {
  test.each(styles)('lets its session end, with a store that is %s', async (style) => {
    const { logIn, store } = pollable(express, { style })
    const browser = await logIn()
    for (let minute = 0; minute < 60; minute += 6) {
      expect((await browser.get('/poll/news')).body).toEqual({ id: 'ann', name: 'Ann' })
      moveTheClock(6 * MINUTE)
    }
    await turns()
    expect(store.calls).not.toContain('update')
    expect((await browser.get('/poll/news')).body).toBeNull()
  })

  test('lets it end also where each one writes data and the secret rotates', async () => {
    const { logIn } = pollable(express, { rotateEvery: '10m', rotationGrace: '5m' })
    const browser = await logIn()
    let cookies = 0
    for (let polls = 1; polls <= 10; polls += 1) {
      const res = await browser.get('/poll/write')
      expect(res.body).toBe(polls)
      cookies += setCookies(res).length
      moveTheClock(6 * MINUTE)
    }
    expect(cookies).toBeGreaterThan(2)
    expect((await browser.get('/poll/news')).body).toBeNull()
  })
})

describe('the option touch', () => {
  test('leaves all other requests as they are: they move the deadline, and so do their writes', async () => {
    const { logIn, sessions } = pollable()
    const browser = await logIn()
    moveTheClock(50 * MINUTE)
    await browser.get()
    moveTheClock(1000)
    await browser.run((session) => session.set('n', 1))
    expect(await sessions.find(browser.id)).toMatchObject({ expiresAt: Date.now() + HOUR })
  })

  test('is asked once for a request with a cookie, and not for strangers', async () => {
    const asked = jest.fn(() => true)
    const { visitor, logIn } = pollable(express5, { touch: asked })
    await visitor().get()
    const browser = await logIn()
    expect(asked).not.toHaveBeenCalled()
    moveTheClock(50 * MINUTE)
    await browser.run((session) => session.set('n', 1))
    expect(asked).toHaveBeenCalledTimes(1)
  })

  test.each([
    ['nothing', () => undefined, 'not undefined'],
    ['a promise', async () => true, 'not a promise'],
  ])('fails a request for which it returns %s', async (_what, broken, words) => {
    const { logIn } = pollable(express5, { touch: broken as never })
    const res = await (await logIn()).get()
    expect([res.status, res.body.code]).toEqual([500, 'OPTION_INVALID'])
    expect(res.body.message).toContain(`The option touch must return true or false, ${words}`)
  })

  test('fails a request for which it throws', async () => {
    const { logIn, errors } = pollable(express5, {
      touch: () => {
        throw new Error('no path')
      },
    })
    expect((await (await logIn()).get()).status).toBe(500)
    expect(errors).toEqual([new Error('no path')])
  })

  test('starts no guest in such a request, whose cookie would replace the login', async () => {
    const written: unknown[] = []
    const made = site(express5, { touch: () => Promise.reject(new Error('no')) as never }, (app) => {
      app.use((async (error, req, _res, next) => {
        try {
          await sessionOf(req).set('failed', true)
        } catch (failure) {
          written.push(failure)
        }
        next(error)
      }) satisfies ErrorRequestHandler)
    })
    const browser = await made.logIn()
    const res = await browser.get()
    expect([res.status, setCookies(res)]).toEqual([500, []])
    expect(written).toEqual([expect.objectContaining({ code: 'OPTION_INVALID' })])
  })
})
