import session from 'express-session'
import passport from 'passport'
import { answerWith, userOf } from '../lib/users.js'
import { settings } from './express-session.js'

export function mount(app) {
  passport.serializeUser((user, done) => done(null, { id: user.id, name: user.name }))
  passport.deserializeUser((user, done) => done(null, user))
  app.use(session(settings()))
  app.use(passport.session())
  app.post('/login', (req, res, next) => {
    req.login(userOf(req.query.n), (error) => (error ? next(error) : res.json({ id: req.user.id })))
  })
  app.get('/me', (req, res) => answerWith(res, req.user))
}
