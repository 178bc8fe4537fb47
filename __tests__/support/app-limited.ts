import express, { Router } from 'express'
import {
  createSessions,
  sessionMiddleware,
  sessionOf,
  type SessionOptions,
  type SessionStore,
} from 'express-sid'

/** So many sessions may each user of a limited app have. */
export const LIMIT = 3

/** Two apps on one store, in which users may have `LIMIT` sessions: `/endOldest` and `/refuse`. */
export function limitedApp(store: SessionStore): Router {
  const app = Router()
  for (const whenFull of ['endOldest', 'refuse'] as const) app.use(`/${whenFull}`, one({ store, whenFull }))
  return app
}

function one(options: SessionOptions): Router {
  const app = Router()
  const sessions = createSessions({ ...options, maxSessions: LIMIT, storeTimeout: '8s' })
  app.use(sessionMiddleware(sessions), express.json())
  app.post('/login', async (req, res) => {
    res.json({ id: (await sessionOf(req).login(req.body as object)).id })
  })
  app.post('/rename/:user/:name', async (req, res) => {
    const { user, name } = req.params
    res.json(await sessions.updateUser(user, (before: object) => ({ ...before, [name]: true })))
  })
  app.post('/count', async (req, res) => {
    res.json(await sessionOf(req).update<number>('count', (count = 0) => count + 1))
  })
  app.get('/count', (req, res) => void res.json({ count: sessionOf(req).get('count'), user: req.user }))
  app.get('/me', (req, res) => void res.json({ user: req.user ?? null }))
  app.get('/live/:user', async (req, res) => {
    res.json((await sessions.list(req.params.user)).map(({ id }) => id))
  })
  return app
}
