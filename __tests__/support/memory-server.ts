// A small app whose memory is looked at from outside. STORE is `memory`, `near` or `adapted`. Prints its port.
import { setFlagsFromString, writeHeapSnapshot } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { MemoryStore } from 'express-session'
import { createSessions, login, memoryStore, sessionMiddleware, sessionOf } from 'express-sid'
import { fromExpressSession } from 'express-sid/express-session-store'
import { nearCache } from 'express-sid/near-cache'
import { eventsOf } from './core.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const stores = {
  memory: () => memoryStore(),
  near: () => nearCache(memoryStore(), { maxStaleness: '1h' }),
  adapted: () => fromExpressSession(new MemoryStore()),
}

const sessions = createSessions({ store: stores[process.env.STORE as keyof typeof stores]() })
// As an audit log that is kept in memory.
const audit = eventsOf(sessions)
const app = express().set('trust proxy', true)
app.use(express.urlencoded({ extended: false, limit: '1mb' }), sessionMiddleware(sessions))
app.post(
  '/login',
  login((req) => ({ id: (req.body as { id: string }).id })),
)
app.post('/keep', async (req, res) => {
  await sessionOf(req).set((req.body as { key: string }).key, 1)
  res.sendStatus(204)
})
app.get('/', (req, res) => void res.json({ user: req.user ?? null }))
app.get('/heap', (_req, res) => {
  collectGarbage()
  res.json({ used: process.memoryUsage().heapUsed, events: audit.length })
})
app.get('/snapshot', (req, res) => {
  // V8 remembers the text that a pattern matched last. The next match makes it forget.
  ;/forget/.test('forget')
  res.json({ file: writeHeapSnapshot(req.query.file as string) })
})
const server = app.listen(0, '127.0.0.1', () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`)
})
