// What all express-session contenders share: the settings that its README recommends for production.
import type { Express, Request, RequestHandler } from 'express'
import session, { type Session, type SessionOptions, type Store } from 'express-session'
import { sendUser, userOf, type User } from '../lib/users.js'

export const settings = (store?: Store): SessionOptions => ({
  secret: 'a secret of the benchmark, long enough to be one',
  resave: false,
  saveUninitialized: false,
  cookie: { secure: true, httpOnly: true, sameSite: 'lax', maxAge: 604_800_000 },
  ...(store && { store }),
})

/** What the routes keep in the session. */
interface Data {
  user?: User
  views?: number
}

const sessionOf = (req: Request) => req.session as Session & Data

export function mountExpressSession(app: Express, store?: Store): void {
  mountRoutes(app, session(settings(store)))
}

/** What a page that counts its views does: each request changes the session. */
export const countView = (data: Data): void => void (data.views = (data.views ?? 0) + 1)

/** The routes of an app that has `req.session`, behind whatever middleware makes it. */
export function mountRoutes(
  app: Express,
  middleware: RequestHandler,
  change: (data: Data) => void = () => undefined,
): void {
  app.use(middleware)
  // As "User login" in its README: a new id against fixation, saved before the response.
  app.post('/login', (req, res, next) => {
    req.session.regenerate((error) => {
      if (error) {
        next(error)
        return
      }
      const user = userOf(req.query.n)
      sessionOf(req).user = user
      req.session.save((failure) => {
        if (failure) next(failure)
        else res.json({ id: user.id })
      })
    })
  })
  app.get('/me', (req, res) => {
    const data = sessionOf(req)
    if (data.user !== undefined) change(data)
    sendUser(res, data.user)
  })
}
