import { answerWith, userOf } from '../lib/users.js'

export function mount(app) {
  app.post('/login', (req, res) => res.json(userOf(req.query.n)))
  const user = userOf(0)
  app.get('/me', (req, res) => answerWith(res, user))
}
