// A small app in a process of its own, for tests that kill it or run several on one store.
// STORE says where its sessions live; it prints its port when it listens.
import { setTimeout as pause } from 'node:timers/promises'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { createSessions, login, logout, sessionMiddleware, sessionOf } from 'express-sid'
import { openStore } from './open-store.js'

const sessions = createSessions({
  store: await openStore(process.env.STORE ?? 'memory'),
  storeTimeout: Number(process.env.STORE_TIMEOUT ?? 2000),
})
const app = express()
app.use(express.json(), sessionMiddleware(sessions))
app.post(
  '/login',
  login((req) => ({ id: String((req.body as { id: string }).id) })),
)
app.post('/logout', logout())
app.post('/revoke-all', async (req, res) => {
  res.json({ revoked: await sessionOf(req).revokeAll() })
})
app.get('/me', (req, res) => {
  res.json({ user: req.user ?? null })
})
app.get('/slow', async (req, res) => {
  await pause(Number(req.query.ms))
  res.json({ user: req.user ?? null })
})
app.post('/count', async (req, res) => {
  await pause(Number(req.query.ms ?? 0))
  if (req.user === undefined) return void res.status(401).json({ user: null })
  res.json({ count: await sessionOf(req).update<number>('count', (count = 0) => count + 1) })
})
const server = app.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`)
})
