import { login, sessionOf, SessionError, sessionMiddleware } from 'express-sid'
import { ann } from '../../support/people.js'
import { expresses, site } from '../../support/site.js'

// Where an identity provider's page may post to, with a cookie that comes along.

const posted = {
  'Sec-Fetch-Site': 'cross-site',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
  Origin: 'https://idp.example',
  'X-Forwarded-Proto': 'https',
}

describe.each(expresses)('crossSitePaths, on %s', (_name, express) => {
  function shop(crossSitePaths: string[] = ['/auth/callback']) {
    return site(express, { cookie: { sameSite: 'none' }, crossSitePaths }, (app) => {
      app.post(
        '/auth/callback',
        login(() => ann, { crossSite: true }),
      )
      app.post(['/auth/who', '/who'], (req, res) => {
        const { id, user, reason } = sessionOf(req)
        res.json({ id: id ?? null, user: user ?? null, own: req.user ?? null, reason })
      })
      app.post('/auth/write', (req, res, next) => {
        sessionOf(req)
          .set('a', 1)
          .then(() => res.end(), next)
      })
      app.post('/auth/leave', (req, res, next) => {
        sessionOf(req)
          .logout()
          .then((was) => res.json(was), next)
      })
    })
  }

  test('a form of another site reaches the route as a stranger', async () => {
    const { logIn } = shop(['/auth/who'])
    const visitor = await logIn()
    const { status, body } = await visitor.post('/auth/who', posted)
    expect([status, body]).toEqual([200, { id: null, user: null, own: null, reason: 'crossOrigin' }])
    // And the visitor is logged in as before.
    expect(await visitor.user()).toEqual(ann)
  })

  test('its login ends what the browser held', async () => {
    const { logIn, sessions } = shop()
    const visitor = await logIn()
    const before = visitor.id
    expect((await visitor.post('/auth/callback', posted)).status).toBe(200)
    expect(visitor.id).not.toBe(before)
    expect((await sessions.list('ann')).map(({ id }) => id)).toEqual([visitor.id])
  })

  test('it can write nothing, and its logout ends what the browser held', async () => {
    const { logIn } = shop(['/auth/write', '/auth/leave'])
    const visitor = await logIn()
    expect((await visitor.post('/auth/write', posted)).status).toBe(401)
    expect(await visitor.user()).toEqual(ann)
    expect((await visitor.post('/auth/leave', posted)).body).toBe(true)
    expect(await visitor.user()).toBeNull()
  })

  test.each(['/who', '/auth/who/', '/Auth/who', '/auth/%77ho', '/auth'])(
    'everywhere else it is refused: %s',
    async (path) => {
      const { logIn } = shop(['/auth/who'])
      const visitor = await logIn()
      expect((await visitor.post(path, posted)).status).toBe(403)
    },
  )

  test('the query does not count, and the path is that of the site, not of a mount', async () => {
    const { logIn } = shop(['/auth/who'])
    const visitor = await logIn()
    expect((await visitor.post('/auth/who?x=1', posted)).status).toBe(200)
    const mounted = site(express, {}, (app) => {
      app.use('/sub', sessionMiddleware({ cookie: { sameSite: 'none' }, crossSitePaths: ['/sub/cb'] }))
      app.post(
        '/sub/login',
        login(() => ann),
      )
      app.post(['/sub/cb', '/cb'], (_req, res) => void res.end())
    })
    const other = mounted.visitor()
    await other.post('/sub/login')
    expect((await other.post('/sub/cb', posted)).status).toBe(200)
  })

  test('a page of our own is who it is there', async () => {
    const { logIn } = shop(['/auth/who'])
    const visitor = await logIn()
    expect((await visitor.post('/auth/who')).body).toMatchObject({ user: ann })
  })

  test('a secret does not rotate for it', async () => {
    const { logIn } = shop(['/auth/who'])
    const visitor = await logIn()
    jest.useFakeTimers({
      now: Date.now() + 3_700_000,
      doNotFake: [
        'nextTick',
        'setImmediate',
        'setTimeout',
        'clearTimeout',
        'setInterval',
        'clearInterval',
        'queueMicrotask',
      ],
    })
    try {
      const res = await visitor.post('/auth/who', posted)
      expect(res.headers['set-cookie']).toBeUndefined()
    } finally {
      jest.useRealTimers()
    }
  })
})

test.each([['/a'], [['a']], [['/a?b']], [['/a#b']], [['/a/*']], [[7]], [null]])(
  '%j is refused at the start',
  (crossSitePaths) => {
    const make = () => sessionMiddleware({ crossSitePaths: crossSitePaths as never })
    expect(make).toThrow(SessionError)
    expect(make).toThrow(/crossSitePaths/)
  },
)
