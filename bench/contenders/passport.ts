import session from 'express-session'
import passport from 'passport'
import type { Mount } from '../lib/server.js'
import { sendUser, userOf, type User } from '../lib/users.js'
import { settings } from './express-session.js'

export const mount: Mount = (app) => {
  passport.serializeUser((user, done) => {
    const { id, name } = user as User
    done(null, { id, name })
  })
  passport.deserializeUser((user: Express.User, done) => done(null, user))
  app.use(session(settings()))
  app.use(passport.session())
  app.post('/login', (req, res, next) => {
    const user = userOf(req.query.n)
    req.login(user, (error) => {
      if (error) next(error)
      else res.json({ id: user.id })
    })
  })
  app.get('/me', (req, res) => sendUser(res, req.user as User | undefined))
}
