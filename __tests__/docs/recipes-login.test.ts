import { createHash, randomBytes } from 'node:crypto'
import { createSessions, fromPassport, requireUser, sessionMiddleware, userOf } from 'express-sid'
import passport from 'passport'
import { Strategy as LocalStrategy } from 'passport-local'
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible'
import { createClient } from 'redis'
import type { Express, Request } from 'express'
import { MINUTE, moveTheClock, stopTheClock } from '../support/core.js'
import { needs, urls } from '../support/needs.js'
import { ann, bob } from '../support/people.js'
import { Visitor } from '../support/visitor.js'
import { bareApp, runRecipe } from './support/recipes.js'

// The recipes of docs/recipes.md about logging in, as they stand there.

const fromForm = { 'Content-Type': 'application/x-www-form-urlencoded', 'Sec-Fetch-Site': 'same-origin' }
const fromElsewhere = { ...fromForm, 'Sec-Fetch-Site': 'cross-site', Origin: 'https://idp.example' }
const asPage = { Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' }

const withSessions = (app: Express) => void app.use(sessionMiddleware())
const withMe = (app: Express) => void app.get('/me', requireUser(), (req, res) => void res.json(userOf(req)))

afterEach(() => jest.useRealTimers())

describe('the limit on password guesses', () => {
  function site() {
    const checked: string[] = []
    const authenticate = ({ body }: Request) => {
      checked.push(body.email)
      return body.password === 'right' ? { id: body.email } : undefined
    }
    const app = bareApp(withSessions, (routes) => {
      routes.set('trust proxy', true)
      runRecipe('limitGuesses', { app: routes, RateLimiterMemory, authenticate })
    })
    const guess = async (email: string, password: string, ip = '203.0.113.7') =>
      new Visitor(app, { ip }).post('/login', fromForm).send(`email=${email}&password=${password}`)
    return { guess, checked }
  }

  test('stops the eleventh wrong password for one account, and checks no password then, also the right one', async () => {
    const { guess, checked } = site()
    for (let n = 0; n < 10; n += 1) {
      expect((await guess('ann@example.com', 'wrong')).headers.location).toBe('/login?failed')
    }
    const stopped = await guess(' ANN@example.com', 'right')
    expect([stopped.status, stopped.headers['retry-after']]).toEqual([429, expect.stringMatching(/^\d+$/)])
    expect(checked).toHaveLength(10)
  })

  test('stops simultaneous guesses as well', async () => {
    const { guess, checked } = site()
    const all = await Promise.all(Array.from({ length: 30 }, () => guess('ann@example.com', 'wrong')))
    expect(all.filter(({ status }) => status === 429)).toHaveLength(20)
    expect(checked).toHaveLength(10)
  })

  test('leaves other accounts and other addresses alone', async () => {
    const { guess } = site()
    for (let n = 0; n < 11; n += 1) await guess('ann@example.com', 'wrong')
    expect((await guess('bob@example.com', 'right')).headers.location).toBe('/')
    expect((await guess('ann@example.com', 'right', '198.51.100.20')).headers.location).toBe('/')
  })

  test('forgets the mistakes of who knows the password', async () => {
    const { guess } = site()
    for (let round = 0; round < 3; round += 1) {
      for (let n = 0; n < 9; n += 1) await guess('ann@example.com', 'wrong')
      expect((await guess('ann@example.com', 'right')).headers.location).toBe('/')
    }
  })

  test('stops one address that tries many accounts, and many addresses that try one', async () => {
    const one = site()
    for (let n = 0; n < 100; n += 1) await one.guess(`user${n}@example.com`, 'wrong')
    expect((await one.guess('ann@example.com', 'right')).status).toBe(429)
    const many = site()
    for (let n = 0; n < 100; n += 1) await many.guess('ann@example.com', 'wrong', `192.0.2.${n}`)
    expect((await many.guess('ann@example.com', 'right')).status).toBe(429)
  })
})

needs('redis')('the limit on several machines', () => {
  interface Guesses {
    byBoth: RateLimiterRedis
  }
  const machine = async () => {
    const redisClient = createClient({ url: urls.redis, disableOfflineQueue: true })
    redisClient.on('error', () => undefined)
    await redisClient.connect()
    const globals = { redisClient, RateLimiterMemory, RateLimiterRedis }
    const { byBoth } = runRecipe('insuranceLimiter', globals, 'return guesses') as Guesses
    return { redisClient, byBoth }
  }
  const key = `limit-${process.pid}`
  const tries = async ({ byBoth }: Guesses, count: number) => {
    const all = await Promise.allSettled(Array.from({ length: count }, () => byBoth.consume(key)))
    return all.filter(({ status }) => status === 'fulfilled').length
  }

  test('is one for all of them, and goes on where Redis is away', async () => {
    const [one, other] = [await machine(), await machine()]
    expect([await tries(one, 6), await tries(other, 6)]).toEqual([6, 4])
    await one.byBoth.delete(key)
    one.redisClient.destroy()
    expect(await tries(one, 30)).toBe(10)
    other.redisClient.destroy()
  })
})

describe('a magic link', () => {
  function site() {
    const mails: string[] = []
    const sendMail = async (_to: string, text: string) => void mails.push(text)
    const findUserByEmail = async (email: string) =>
      email === 'ann@example.com' ? { ...ann, email } : undefined
    const app = bareApp(withSessions, withMe, (routes) => {
      runRecipe('hashOf', { app: routes, createHash, randomBytes, sendMail, findUserByEmail })
    })
    const ask = async (email = 'ann@example.com') =>
      new Visitor(app).post('/login/mail', fromForm).send(`email=${email}`)
    const pathIn = (mail: string) => new URL(mail).pathname + new URL(mail).search
    return { mails, app, ask, link: async () => (await ask(), pathIn(mails.at(-1)!)) }
  }

  test('logs nobody in when it is opened, however often, and does so by its button, once', async () => {
    const { app, link } = site()
    const path = await link()
    const [scanner, visitor] = [new Visitor(app), new Visitor(app)]
    for (let n = 0; n < 3; n += 1) expect((await scanner.get(path)).status).toBe(200)
    expect((await scanner.get('/me')).status).toBe(401)
    const opened = await visitor.get(path, asPage)
    expect(opened.text).toContain('<form method="post"><button>')
    expect(opened.headers['cache-control']).toBe('no-store')
    expect((await visitor.post(path, fromForm)).headers.location).toBe('/')
    expect((await visitor.get('/me')).body).toMatchObject(ann)
    expect((await new Visitor(app).post(path, fromForm)).headers.location).toBe('/login?failed')
  })

  test('is good for a quarter of an hour', async () => {
    stopTheClock()
    const { app, link } = site()
    const path = await link()
    moveTheClock(15 * MINUTE)
    expect((await new Visitor(app).post(path, fromForm)).headers.location).toBe('/login?failed')
  })

  test('can’t be posted by a page of another site', async () => {
    const { app, link } = site()
    expect((await new Visitor(app).post(await link(), fromElsewhere)).status).toBe(403)
  })

  test('is asked for with the same response, known or not', async () => {
    const { ask, mails } = site()
    const [known, unknown] = [await ask(), await ask('nobody@example.com')]
    expect([known.status, known.text]).toEqual([unknown.status, unknown.text])
    expect(mails).toHaveLength(1)
  })
})

test('a callback of OAuth logs in a visitor who comes from the provider’s page', async () => {
  const app = bareApp(withSessions, withMe, (routes) => {
    runRecipe('verifyCallback', { app: routes, verifyCallback: () => ann })
  })
  const visitor = new Visitor(app)
  expect((await visitor.get('/auth/callback?code=1', fromElsewhere)).headers.location).toBe('/')
  expect((await visitor.get('/me')).body).toEqual(ann)
})

test('a strategy of passport without a provider logs in, and the visitor comes back to the page', async () => {
  const own = new passport.Passport()
  own.use(
    new LocalStrategy({ usernameField: 'email' }, (email, password, done) =>
      done(null, email === 'bob' && password === 'right' ? bob : false),
    ),
  )
  const app = bareApp(withSessions, withMe, (routes) => {
    runRecipe("fromPassport(passport, 'local')", { app: routes, passport: own, fromPassport })
  })
  const visitor = new Visitor(app)
  expect((await visitor.post('/login', fromForm).send('email=bob&password=wrong')).status).toBe(401)
  const login = visitor.post('/login?returnTo=%2Fme', fromForm).send('email=bob&password=right')
  expect((await login).headers.location).toBe('/me')
  expect((await visitor.get('/me')).body).toEqual(bob)
})

describe('SAML single logout', () => {
  interface Message {
    nameId: string
    name?: string
    sessionIndex?: string
    signed?: string
  }
  /** Stands for a SAML library: what it verifies is not this package's. */
  const verify = async (body: Message) => {
    if (body.signed !== 'yes') throw Object.assign(new Error('the signature is wrong'), { status: 400 })
    return body
  }
  function site() {
    const sessions = createSessions()
    const logoutResponseUrl = () => 'https://idp.example/done'
    const library = { verifyLogoutRequest: verify, verifyLoginResponse: verify, logoutResponseUrl }
    const app = bareApp(
      (routes) => void runRecipe("'/saml/logout'", { app: routes, sessions, ...library }),
      withMe,
    )
    const post = (visitor: Visitor, path: string, message: Message) =>
      visitor.post(path, fromElsewhere).send(new URLSearchParams({ ...message }).toString())
    const logIn = async (nameId: string, sessionIndex: string) => {
      const visitor = new Visitor(app)
      await post(visitor, '/saml/login', { nameId, name: nameId, sessionIndex, signed: 'yes' })
      return visitor
    }
    const isIn = async (visitor: Visitor) => (await visitor.get('/me')).status === 200
    // The provider's page posts without our Lax cookie; so may the provider itself.
    return { logIn, isIn, logout: (message: Message) => post(new Visitor(app), '/saml/logout', message) }
  }

  test('ends the one session that it names, without its cookie', async () => {
    const { logIn, isIn, logout } = site()
    const [laptop, phone] = [await logIn('ann', 's1'), await logIn('ann', 's2')]
    expect([await isIn(laptop), await isIn(phone)]).toEqual([true, true])
    const res = await logout({ nameId: 'ann', sessionIndex: 's1', signed: 'yes' })
    expect([res.status, res.headers.location]).toEqual([303, 'https://idp.example/done'])
    expect([await isIn(laptop), await isIn(phone)]).toEqual([false, true])
  })

  test('ends all of the user’s sessions if it names none, and nobody else’s', async () => {
    const { logIn, isIn, logout } = site()
    const [laptop, phone, other] = [
      await logIn('ann', 's1'),
      await logIn('ann', 's2'),
      await logIn('bob', 's3'),
    ]
    await logout({ nameId: 'ann', signed: 'yes' })
    expect([await isIn(laptop), await isIn(phone), await isIn(other)]).toEqual([false, false, true])
  })

  test('ends nothing if it is not verified', async () => {
    const { logIn, isIn, logout } = site()
    const laptop = await logIn('ann', 's1')
    expect((await logout({ nameId: 'ann' })).status).toBe(400)
    expect(await isIn(laptop)).toBe(true)
  })
})
