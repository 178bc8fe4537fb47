import { getIronSession } from 'iron-session'
import { answerWith, userOf } from '../lib/users.js'

export function mount(app) {
  const password = 'a password of the benchmark, which is long enough to be one'
  const settings = { password, cookieName: 'session', ttl: 604_800 }
  app.use(async (req, res, next) => {
    req.session = await getIronSession(req, res, settings)
    next()
  })
  app.post('/login', async (req, res) => {
    req.session.user = userOf(req.query.n)
    await req.session.save()
    res.json({ id: req.session.user.id })
  })
  app.get('/me', (req, res) => answerWith(res, req.session.user))
}
