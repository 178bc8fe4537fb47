import { login, requireUser, sessionOf, userOf } from 'express-sid'
import { MINUTE, moveTheClock, stopTheClock } from '../../support/core.js'
import { ann } from '../../support/people.js'
import { expresses, site as siteOn, type ExpressModule, type SiteOptions } from '../../support/site.js'

function site(module: ExpressModule, options?: SiteOptions) {
  return siteOn(module, options, (routes) => {
    routes.get('/account', requireUser(), (req, res) => void res.json(userOf(req)))
    routes.get('/unguarded', (req, res) => void res.json(userOf(req)))
    // Another package may set req.user by its own rules.
    routes.use('/other', (req, _res, next) => next(void (req.user = ann)))
    routes.get('/other', (req, res) => void res.json(userOf(req)))
    routes.post('/login-here', (req, res, next) => {
      sessionOf(req)
        .login(ann)
        .then(() => res.json(userOf(req)), next)
    })
    routes.post('/logout-here', (req, res, next) => {
      sessionOf(req)
        .logout()
        .then(() => res.json(userOf(req)))
        .catch(next)
    })
  })
}

afterEach(() => jest.useRealTimers())

describe.each(expresses)('userOf() on %s', (_name, module) => {
  test('is the user, who is the same as req.user', async () => {
    const browser = await site(module).logIn()
    expect((await browser.get('/account')).body).toEqual(ann)
    expect(await browser.run((_session, req) => userOf(req) === req.user)).toMatchObject({ body: true })
  })

  test('is the user of a login in the same request', async () => {
    expect((await site(module).visitor().post('/login-here')).body).toEqual(ann)
  })

  test('throws UNAUTHENTICATED for strangers, for guests and after a logout in the same request', async () => {
    const { visitor, logIn } = site(module)
    const guest = visitor()
    await guest.run((session) => session.set('a', 1))
    const user = await logIn()
    const asked = [visitor().get('/unguarded'), guest.get('/unguarded'), user.post('/logout-here')]
    for (const { status, body } of await Promise.all(asked)) {
      expect([status, body.code]).toEqual([401, 'UNAUTHENTICATED'])
      expect(body.message).toContain('requireUser()')
    }
  })

  test('asks our session, not whatever put a user onto the request', async () => {
    expect((await site(module).visitor().get('/other')).status).toBe(401)
  })

  test('does not call an outage a missing login', async () => {
    const { logIn, store } = site(module, { onStoreError: 'anonymous' })
    const browser = await logIn()
    store.breakAt('get', 'throws')
    const { status, body } = await browser.get('/unguarded')
    expect([status, body.code]).toEqual([503, 'STORE_FAILED'])
  })

  test('says why a login that is there is not this browser’s: its cookie was outdated', async () => {
    stopTheClock()
    const browser = await site(module, { onReuse: 'report' }).logIn()
    const copy = browser.copy()
    for (const minutes of [60, 6, 6]) {
      moveTheClock(minutes * MINUTE)
      await browser.get('/account')
    }
    const { status, body } = await copy.get('/unguarded')
    expect([status, body.code]).toEqual([401, 'SECRET_REUSED'])
    expect((await browser.get('/unguarded')).body).toEqual(ann)
  })

  test('throws MIDDLEWARE_MISSING if the middleware did not run', () => {
    expect(() => userOf({} as never)).toThrow(expect.objectContaining({ code: 'MIDDLEWARE_MISSING' }))
  })
})

test('with loadUser it is the user that was read', async () => {
  const { logIn } = siteOn(expresses[0][1], { loadUser: (id) => ({ id, name: 'read' }) }, (routes) => {
    routes.post(
      '/login',
      login(() => ann),
    )
    routes.get('/account', (req, res) => void res.json(userOf(req)))
  })
  expect((await (await logIn()).get('/account')).body).toEqual({ id: 'ann', name: 'read' })
})
