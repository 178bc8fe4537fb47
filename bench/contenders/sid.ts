// What all express-sid contenders share: the defaults of the package, in production.
import type { Express } from 'express'
import type { Sessions, SessionStore } from 'express-sid'
import { load } from '../lib/built.js'
import { sendUser, userOf, type User } from '../lib/users.js'

export async function mountSid(app: Express, build: string, store?: SessionStore): Promise<Sessions> {
  const sessions = await mountLogin(app, build, store)
  app.get('/me', (req, res) => sendUser(res, req.user as User | undefined))
  return sessions
}

/** The same, and each request under load changes the session. */
export async function mountWritingSid(app: Express, build: string): Promise<void> {
  const { sessionOf } = await load(build, 'index')
  await mountLogin(app, build)
  app.get('/me', async (req, res) => {
    if (req.user !== undefined) await sessionOf(req).update<number>('views', (views = 0) => views + 1)
    sendUser(res, req.user as User | undefined)
  })
}

async function mountLogin(app: Express, build: string, store?: SessionStore): Promise<Sessions> {
  const { createSessions, login, sessionMiddleware } = await load(build, 'index')
  const sessions = createSessions(store && { store })
  app.use(sessionMiddleware(sessions))
  app.post(
    '/login',
    login((req) => userOf(req.query.n)),
  )
  return sessions
}
