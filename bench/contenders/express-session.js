// What all express-session contenders share: the settings that its README recommends for production.
import session from 'express-session'
import { answerWith, userOf } from '../lib/users.js'

export const settings = (store) => ({
  secret: 'a secret of the benchmark, long enough to be one',
  resave: false,
  saveUninitialized: false,
  cookie: { secure: true, httpOnly: true, sameSite: 'lax', maxAge: 604_800_000 },
  ...(store && { store }),
})

export function mountExpressSession(app, store) {
  app.use(session(settings(store)))
  // As "User login" in its README: a new id against fixation, saved before the answer.
  app.post('/login', (req, res, next) => {
    req.session.regenerate((error) => {
      if (error) {
        next(error)
        return
      }
      req.session.user = userOf(req.query.n)
      req.session.save((failure) => (failure ? next(failure) : res.json({ id: req.session.user.id })))
    })
  })
  app.get('/me', (req, res) => answerWith(res, req.session.user))
}
