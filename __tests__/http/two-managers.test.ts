import {
  createSessions,
  login,
  requireUser,
  sessionMiddleware,
  sessionOf,
  type SessionOptions,
} from 'express-sid'
import { ann, bob } from '../support/people.js'
import { answerWithCode, expresses } from '../support/site.js'
import { setCookies, Visitor } from '../support/visitor.js'
import { warningsOf } from '../support/warnings.js'

const idOf = (user: object | undefined) => (user as typeof ann | undefined)?.id ?? null

describe.each(expresses)('two managers on one path, on %s', (_name, module) => {
  /** The staff log in under /admin, the customers everywhere. An unknown address under /admin passes both. */
  function shop(staffOptions: SessionOptions = { cookie: { name: 'staff' } }) {
    const staff = createSessions(staffOptions)
    const customers = createSessions()
    const seen: unknown[] = []
    const app = module()
    const admin = module.Router()
    admin.post(
      '/login',
      login(() => ann),
    )
    admin.get('/', requireUser(), (req, res) => void res.json(req.user))
    admin.use((req, _res, next) => {
      seen.push(idOf(sessionOf(req).user))
      next()
    })
    app.use('/admin', sessionMiddleware(staff), admin)
    app.use(sessionMiddleware(customers))
    app.post(
      '/login',
      login(() => bob),
    )
    app.use('/admin/who', (req, res) => {
      const { user, id } = sessionOf(req)
      res.json({ req: idOf(req.user), session: idOf(user), id: id ?? null })
    })
    app.use(answerWithCode())
    return { app, visitor: new Visitor(app), seen, staff, customers }
  }

  test('leave an unknown address a 404', async () => {
    const { visitor } = shop()
    expect((await visitor.get('/admin/unknown')).status).toBe(404)
    await visitor.post('/admin/login')
    expect((await visitor.get('/admin/unknown')).status).toBe(404)
  })

  test('know each their own user', async () => {
    const { visitor } = shop()
    await visitor.post('/admin/login')
    await visitor.post('/login')
    expect((await visitor.get('/admin')).body).toEqual(ann)
  })

  test('the last one decides: the user of the other one is nobody there', async () => {
    const { visitor, seen } = shop()
    await visitor.post('/admin/login')
    expect((await visitor.get('/admin/who')).body).toEqual({ req: null, session: null, id: null })
    await visitor.post('/login')
    expect((await visitor.get('/admin/who')).body).toMatchObject({ req: 'bob', session: 'bob' })
    expect(seen).toEqual(['ann', 'ann'])
  })

  test('a session that was taken before, changes nothing of the request afterwards', async () => {
    const [first, second] = [createSessions({ cookie: { name: 'first' } }), createSessions()]
    let taken: ReturnType<typeof sessionOf>
    const app = module()
    app.use(sessionMiddleware(first), (req, _res, next) => next(void (taken = sessionOf(req))))
    app.use(sessionMiddleware(second), (req, res, next) => {
      sessionOf(req)
        .login(bob)
        .then(() => taken.login(ann))
        .then(() => res.json([req.user, taken.user, sessionOf(req).user].map(idOf)))
        .catch(next)
    })
    const res = await new Visitor(app).post('/')
    expect(res.body).toEqual(['bob', 'ann', 'bob'])
    const names = setCookies(res).map((line) => line.slice(0, line.indexOf('=')))
    expect(names.toSorted()).toEqual(['first', 'sid'])
  })

  test('with a cookie each, by name or by path, get no warning; with one for both, one', async () => {
    const warnings = warningsOf('SID_SAME_COOKIE')
    for (const cookie of [{ name: 'staff' }, { path: '/admin' }]) {
      await shop({ cookie }).visitor.get('/admin/unknown')
    }
    expect(warnings.now()).toEqual([])
    const { visitor } = shop({})
    expect((await visitor.get('/admin/unknown')).status).toBe(404)
    // Once for a process: Express 4 comes second.
    if (module === expresses[0][1])
      expect(warnings.now()).toEqual([expect.stringContaining('cookie: { name }')])
    await visitor.get('/admin/unknown')
    expect(warnings.now().length).toBeLessThan(2)
    warnings.stop()
  })
})
