import { getIronSession } from 'iron-session'
import type { Mount } from '../lib/server.js'
import { sendUser, userOf, type User } from '../lib/users.js'

export const mount: Mount = (app) => {
  const password = 'a password of the benchmark, which is long enough to be one'
  const settings = { password, cookieName: 'session', ttl: 604_800 }
  app.post('/login', async (req, res) => {
    const session = await getIronSession<{ user?: User }>(req, res, settings)
    session.user = userOf(req.query.n)
    await session.save()
    res.json({ id: session.user.id })
  })
  app.get('/me', async (req, res) => {
    const session = await getIronSession<{ user?: User }>(req, res, settings)
    sendUser(res, session.user)
  })
}
