import express, { type RequestHandler } from 'express'
import expressSession from 'express-session'
import { login, logout, requireUser, sessionMiddleware, sessionOf } from 'express-sid'
import passport from 'passport'
import { ann } from '../support/people.js'
import { answerWithCode } from '../support/site.js'
import { setCookies, Visitor } from '../support/visitor.js'

const bob = { id: 'passport-bob' }

type Order = 'before' | 'after'

/** An app in the middle of a move: express-session and passport as they were, express-sid beside them. */
function site(order: Order) {
  const auth = new passport.Passport()
  auth.serializeUser((user, done) => done(null, (user as { id: string }).id))
  auth.deserializeUser((id, done) => done(null, { id: id as string }))
  const theirs: RequestHandler[] = [
    expressSession({ secret: 'x', resave: false, saveUninitialized: false }),
    auth.session() as RequestHandler,
  ]
  const app = express()
  if (order === 'before') app.use(sessionMiddleware())
  app.use(...theirs)
  if (order === 'after') app.use(sessionMiddleware())
  app.post(
    '/login',
    login(() => ann),
  )
  app.post('/logout', logout())
  app.post('/passport', (req, res, next) => req.login(bob, (error) => (error ? next(error) : res.end())))
  app.get('/', (req, res) => {
    const ours = sessionOf(req).user ?? null
    const views = ((req.session as { views?: number }).views ?? 0) + 1
    Object.assign(req.session, { views })
    res.json({ user: req.user ?? null, ours, views })
  })
  app.post('/leave', async (req, res) => {
    await sessionOf(req).logout()
    res.json({ user: req.user ?? null })
  })
  app.get('/guarded', requireUser(), (req, res) => void res.json(req.user))
  app.post('/data', async (req, res) => {
    await sessionOf(req).set('a', 1)
    res.json({ theirs: 'a' in req.session })
  })
  app.use(answerWithCode())
  return app
}

describe.each(['before', 'after'] as const)(
  'express-sid mounted %s express-session and passport',
  (order) => {
    async function visitorOf(...logins: ('ours' | 'theirs')[]) {
      const visitor = new Visitor(site(order))
      for (const one of logins) await visitor.post(one === 'ours' ? '/login' : '/passport')
      return visitor
    }

    test('sets req.user for its own session', async () => {
      const visitor = await visitorOf('ours')
      expect((await visitor.get('/')).body).toEqual({ user: ann, ours: ann, views: 1 })
    })

    test("leaves passport's user alone where it has none itself, and does not take it for its own", async () => {
      const visitor = await visitorOf('theirs')
      expect((await visitor.get('/')).body).toEqual({ user: bob, ours: null, views: 1 })
      expect((await visitor.get('/guarded')).status).toBe(401)
    })

    test('with both logged in, the one mounted later has req.user, and requireUser asks ours', async () => {
      const visitor = await visitorOf('ours', 'theirs')
      const { body } = await visitor.get('/')
      expect(body).toEqual({ user: order === 'before' ? bob : ann, ours: ann, views: 1 })
      expect((await visitor.get('/guarded')).status).toBe(200)
    })

    test('logs out of its own session only', async () => {
      const visitor = await visitorOf('ours', 'theirs')
      const res = await visitor.post('/logout')
      expect(res.text).toBe('Logged Out')
      expect(setCookies(res)).toEqual([expect.stringMatching(/^sid=;/)])
      expect((await visitor.get('/')).body).toMatchObject({ user: bob, ours: null })
    })

    test("leaves passport's user on the request that logs out of ours, where that is the one", async () => {
      const visitor = await visitorOf('ours', 'theirs')
      expect((await visitor.post('/leave')).body).toEqual({ user: order === 'before' ? bob : null })
    })

    test("keeps data and the other's req.session apart, each with its own cookie", async () => {
      const visitor = await visitorOf()
      const first = await visitor.get('/')
      expect(setCookies(first)).toEqual([expect.stringMatching(/^connect\.sid=/)])
      const wrote = await visitor.post('/data')
      expect(wrote.body).toEqual({ theirs: false })
      expect(setCookies(wrote)).toEqual([expect.stringMatching(/^sid=/)])
      expect((await visitor.get('/')).body.views).toBe(2)
    })
  },
)
