// What all express-session contenders share: the settings that its README recommends for production.
import type { Express, Request } from 'express'
import session, { type Session, type SessionOptions, type Store } from 'express-session'
import { sendUser, userOf, type User } from '../lib/users.js'

export const settings = (store?: Store): SessionOptions => ({
  secret: 'a secret of the benchmark, long enough to be one',
  resave: false,
  saveUninitialized: false,
  cookie: { secure: true, httpOnly: true, sameSite: 'lax', maxAge: 604_800_000 },
  ...(store && { store }),
})

const sessionOf = (req: Request) => req.session as Session & { user?: User }

export function mountExpressSession(app: Express, store?: Store): void {
  app.use(session(settings(store)))
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
  app.get('/me', (req, res) => sendUser(res, sessionOf(req).user))
}
