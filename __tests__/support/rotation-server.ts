// An app whose secrets rotate, in a process of its own. STORE names the stores, with a space between: the first is
// served under /0, the next under /1. The test moves its clock, breaks its store, and asks what it has reported.
import type { AddressInfo } from 'node:net'
import express, { Router } from 'express'
import {
  createSessions,
  login,
  sessionMiddleware,
  type SessionRecord,
  type SessionStore,
  type UpdateResult,
} from 'express-sid'
import { openStore } from './open-store.js'

const readClock = Date.now.bind(Date)
let offset = 0
Date.now = () => readClock() + offset

/** The share of writes that fail, half of them after their effect. */
let faultRate = 0

/** The store, whose updates fail as often as the test wants. Never at a login: its caller knows that it failed. */
function faulty(store: SessionStore): SessionStore {
  const update = async (record: SessionRecord, ifVersion: number): Promise<UpdateResult> => {
    const chance = Math.random() / faultRate
    if (chance < 0.5) throw new Error('failed before its effect')
    const result = await store.update(record, ifVersion)
    if (chance < 1) throw new Error('failed after its effect')
    return result
  }
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'update') return update
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

function sessionApp(store: SessionStore): Router {
  const app = Router()
  const sessions = createSessions({
    store: faulty(store),
    rotateEvery: '1h',
    rotationGrace: '5m',
    storeTimeout: 8_000,
  })
  const events = { rotate: 0, reuse: 0, rotationUnused: 0 }
  for (const name of ['rotate', 'reuse', 'rotationUnused'] as const)
    sessions.on(name, () => (events[name] += 1))
  app.get('/events', (_, res) => void res.json(events))
  app.use(sessionMiddleware(sessions))
  app.post(
    '/login',
    login((req) => ({ id: (req.body as { id: string }).id })),
  )
  app.get('/me', (req, res) => void res.json({ user: req.user ?? null }))
  return app
}

const app = express()
app.use(express.json())
app.post('/world', (req, res) => {
  const { clock, faults } = req.body as { clock?: number; faults?: number }
  if (clock !== undefined) offset = clock
  if (faults !== undefined) faultRate = faults
  res.json({})
})
for (const [index, name] of (process.env.STORE ?? 'memory').split(' ').entries()) {
  app.use(`/${index}`, sessionApp(await openStore(name)))
}
const server = app.listen(0, '127.0.0.1', () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`)
})
