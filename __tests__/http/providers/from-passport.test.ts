import { connect } from 'node:net'
import express, { type Request } from 'express'
import { fromPassport, login, oauthState, sessionMiddleware, createSessions } from 'express-sid'
import passport from 'passport'
import { eventsOf } from '../../support/core.js'
import { listen } from '../../support/listen.js'
import { ann } from '../../support/people.js'
import { answerWithCode } from '../../support/site.js'
import { expectNoUnhandledRejection } from '../../support/unhandled.js'
import { Visitor } from '../../support/visitor.js'

// What login() makes of each thing that a strategy can do.

class Does extends passport.Strategy {
  override name = 'does'
  constructor(private readonly what: (strategy: Does, req: Request, options: object) => void) {
    super()
  }
  override authenticate(req: Request, options: object): void {
    this.what(this, req, options)
  }
}

function site(what: (strategy: Does, req: Request, options: object) => void, options: object = {}) {
  const own = new passport.Passport()
  own.use(new Does(what))
  const sessions = createSessions()
  const errors: unknown[] = []
  const app = express()
  app.use(sessionMiddleware(sessions))
  app.all('/login', login(fromPassport(own, 'does', options)))
  app.use(answerWithCode(errors))
  return { app, errors, events: eventsOf(sessions), visitor: new Visitor(app) }
}

const reasons = (events: { name: string; event: object }[]) =>
  events.map(({ event }) => 'reason' in event && event.reason)

describe('a strategy that', () => {
  expectNoUnhandledRejection()

  test('succeeds logs in, and no session of passport is asked for', async () => {
    const { visitor } = site((strategy) => strategy.success(ann))
    expect((await visitor.login()).text).toBe('Logged In')
  })

  test.each([
    ['a message', { message: 'wrong password' }, 'wrong password'],
    ['a text', 'wrong password', 'wrong password'],
    ['nothing', undefined, undefined],
    ['something else', { message: 7 }, undefined],
  ])('fails is refused: with %s', async (_name, info, reason) => {
    const { visitor, events } = site((strategy) => strategy.fail(info as never))
    expect((await visitor.login()).status).toBe(401)
    expect(reasons(events)).toEqual([reason])
  })

  test('passes is refused', async () => {
    const { visitor } = site((strategy) => strategy.pass())
    expect((await visitor.login()).status).toBe(401)
  })

  test('has an error fails the request, as one that throws does', async () => {
    const broken = [
      site((strategy) => strategy.error(new Error('down'))),
      site(() => {
        throw new Error('down')
      }),
    ]
    for (const { visitor, errors } of broken) {
      expect((await visitor.login()).status).toBe(500)
      expect(errors).toMatchObject([{ message: 'down' }])
    }
  })

  test('redirects sends the visitor away: no refusal, no event, and no cache', async () => {
    const { visitor, events, errors } = site((strategy) => strategy.redirect('https://idp.example/?x=1'))
    const res = await visitor.login()
    expect([res.status, res.headers.location]).toEqual([302, 'https://idp.example/?x=1'])
    expect(res.headers['cache-control']).toBe('no-store')
    expect([events, errors]).toEqual([[], []])
  })

  test('redirects, or waits for ever, is not waited for when the response is over', async () => {
    for (const end of ['redirect', 'hang up']) {
      const own = new passport.Passport()
      own.use(new Does((strategy) => end === 'redirect' && strategy.redirect('https://idp.example/')))
      let settled: Promise<unknown> | undefined
      const app = express()
      app.post('/login', (req) => {
        settled = Promise.resolve(fromPassport(own, 'does')(req))
        if (end === 'hang up') req.socket.destroy()
      })
      await new Visitor(app).login().catch(() => undefined)
      expect(await settled).toBeUndefined()
    }
  })

  test('responds itself is left alone', async () => {
    const { visitor, events } = site((_strategy, req) => void req.res!.send('<form>'))
    expect((await visitor.login()).text).toBe('<form>')
    expect(events).toEqual([])
  })

  test('waits for ever is forgotten when the visitor goes', async () => {
    const { app, events, errors } = site(() => undefined)
    const { port, close } = await listen(app)
    const socket = connect(port, '127.0.0.1')
    socket.write('POST /login HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n')
    await new Promise((resolve) => setTimeout(resolve, 50))
    socket.destroy()
    await close()
    expect([events, errors]).toEqual([[], []])
  })

  test('takes options gets them', async () => {
    let seen: object = {}
    const { visitor } = site(
      (strategy, _req, options) => {
        seen = options
        strategy.success(ann)
      },
      { scope: ['email'] },
    )
    await visitor.login()
    expect(seen).toMatchObject({ scope: ['email'], session: false })
  })
})

test('several strategies are tried in their order', async () => {
  const own = new passport.Passport()
  own.use('one', new Does((strategy) => strategy.fail({ message: 'no token' })))
  own.use('other', new Does((strategy) => strategy.success(ann)))
  const app = express()
  app.use(sessionMiddleware())
  app.post('/login', login(fromPassport(own, ['one', 'other'])))
  expect((await new Visitor(app).login()).status).toBe(200)
})

test.each([
  [() => fromPassport({} as never, 'x'), 'needs passport first'],
  [() => fromPassport(passport, ''), 'needs the name of a strategy'],
  [() => fromPassport(passport, []), 'needs the name of a strategy'],
  [() => fromPassport(passport, 'x', 7 as never), 'must be an object'],
  [() => fromPassport(passport, 'x', { successRedirect: '/' }), 'redirect'],
  [() => fromPassport(passport, 'x', { session: true }), 'login() starts the session'],
  [() => oauthState({ timeOut: '1m' } as never), 'Did you mean timeout?'],
  [() => oauthState({ timeout: 0 }), 'longer than 0'],
  [() => oauthState({ maxPending: 0 }), 'an integer from 1 to 100'],
  [() => login(() => ann, { redirect: 7 as never }), 'a path or an address'],
])('what can’t work is refused at the start: %s', (make, message) => {
  expect(make).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(message) }),
  )
})

test('where login() leads may be decided later, by a promise; nothing is the text', async () => {
  const app = express()
  app.use(sessionMiddleware())
  const redirect = async (req: Request) => (req.query.to as string | undefined) || undefined
  app.post(
    '/login',
    login(() => ann, { redirect }),
  )
  expect((await new Visitor(app).post('/login?to=/x')).headers.location).toBe('/x')
  expect((await new Visitor(app).post('/login')).text).toBe('Logged In')
})
