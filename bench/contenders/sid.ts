// What all express-sid contenders share: the defaults of the package, in production.
import type { Express } from 'express'
import type { Sessions, SessionStore } from 'express-sid'
import { load } from '../lib/built.js'
import { sendUser, userOf, type User } from '../lib/users.js'

export async function mountSid(app: Express, build: string, store?: SessionStore): Promise<Sessions> {
  const { createSessions, login, sessionMiddleware } = await load(build, 'index')
  const sessions = createSessions(store && { store })
  app.use(sessionMiddleware(sessions))
  app.post(
    '/login',
    login((req) => userOf(req.query.n)),
  )
  app.get('/me', (req, res) => sendUser(res, req.user as User | undefined))
  return sessions
}
