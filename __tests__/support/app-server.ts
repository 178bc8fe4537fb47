// A small app in a process of its own, for tests that kill it or run several on one store. STORE names the
// stores, with a space between: the first is served under /0, the next under /1. Prints its port when it listens.
import { setTimeout as pause } from 'node:timers/promises'
import type { AddressInfo } from 'node:net'
import express, { Router, type ErrorRequestHandler } from 'express'
import { createSessions, login, logout, sessionMiddleware, sessionOf, type SessionStore } from 'express-sid'
import { inspect } from './app-inspect.js'
import { limitedApp } from './app-limited.js'
import { openStore } from './open-store.js'

function sessionApp(store: SessionStore): Router {
  const app = Router()
  const sessions = createSessions({
    store,
    storeTimeout: Number(process.env.STORE_TIMEOUT ?? 2000),
    // So short that touches meet all the rest.
    touchInterval: Number(process.env.TOUCH_INTERVAL ?? 60_000),
  })
  app.use(sessionMiddleware(sessions))
  // Below it, so that each body arrives while its session is looked up.
  app.use(express.json({ limit: '1mb' }))
  app.post('/length', (req, res) => {
    const { id } = (req.user ?? {}) as { id?: string }
    res.json({ user: id, length: (req.body as { text: string }).text.length })
  })
  app.post(
    '/login',
    login((req) => ({ id: (req.body as { id: string }).id })),
  )
  app.post('/logout', logout())
  app.post('/revoke-all', async (req, res) => {
    if (req.user === undefined) res.status(401).json({ user: null })
    else res.json({ revoked: await sessionOf(req).revokeAll() })
  })
  app.get('/me', (req, res) => {
    res.json({ user: req.user ?? null, count: sessionOf(req).get('count') ?? 0 })
  })
  app.get('/slow', async (req, res) => {
    await pause(Number(req.query.ms))
    res.json({ user: req.user ?? null })
  })
  app.post('/count', async (req, res) => {
    await pause(Number(req.query.ms ?? 0))
    if (req.user === undefined) res.status(401).json({ user: null })
    else res.json({ count: await sessionOf(req).update<number>('count', (count = 0) => count + 1) })
  })
  return app
}

const app = express()
for (const [index, name] of (process.env.STORE ?? 'memory').split(' ').entries()) {
  const { store, state } = inspect(await openStore(name))
  app.get(`/${index}/state`, (_, res) => {
    res.json(state())
  })
  app.use(`/${index}/limited`, limitedApp(store))
  app.use(`/${index}`, sessionApp(store))
}
const tellReason: ErrorRequestHandler = (error, _, res, next) => {
  const { status = 500, code, cause } = error as { status?: number; code?: string; cause?: { code?: string } }
  if (res.headersSent) next(error)
  else res.status(status).json({ reason: cause?.code ?? code ?? String(error) })
}
app.use(tellReason)
const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`)
})
