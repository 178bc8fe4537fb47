import cookieSession from 'cookie-session'
import { answerWith, userOf } from '../lib/users.js'

export function mount(app) {
  const keys = ['a key of the benchmark, long enough to be one']
  app.use(cookieSession({ name: 'session', keys, maxAge: 604_800_000, secure: true, sameSite: 'lax' }))
  app.post('/login', (req, res) => {
    req.session.user = userOf(req.query.n)
    res.json({ id: req.session.user.id })
  })
  app.get('/me', (req, res) => answerWith(res, req.session.user))
}
