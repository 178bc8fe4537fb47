import type { Mount } from '../lib/server.js'
import { sendUser, userOf } from '../lib/users.js'

export const mount: Mount = (app) => {
  const user = userOf(0)
  app.post('/login', (req, res) => sendUser(res, userOf(req.query.n)))
  app.get('/me', (req, res) => sendUser(res, user))
}
