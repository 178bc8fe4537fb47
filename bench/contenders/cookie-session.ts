import cookieSession from 'cookie-session'
import type { Request } from 'express'
import type { Mount } from '../lib/server.js'
import { sendUser, userOf, type User } from '../lib/users.js'

const sessionOf = (req: Request) => (req as unknown as { session: { user?: User } }).session

export const mount: Mount = (app) => {
  const keys = ['a key of the benchmark, long enough to be one']
  app.use(cookieSession({ name: 'session', keys, maxAge: 604_800_000, secure: true, sameSite: 'lax' }))
  app.post('/login', (req, res) => {
    const user = userOf(req.query.n)
    sessionOf(req).user = user
    res.json({ id: user.id })
  })
  app.get('/me', (req, res) => sendUser(res, sessionOf(req).user))
}
