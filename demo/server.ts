// The article "Cookie-based Session Management", done with express-sid: a home page, a login, a logout.
// Sessions live in demo/sessions.sqlite, so that a login survives a restart.
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import express, { Router } from 'express'
import { createSessions, login, logout, sessionMiddleware } from 'express-sid'
import { sqliteStore } from 'express-sid/sqlite'
import Database from 'libsql'

const port = Number(process.env.PORT ?? 8000)
const file = process.env.DEMO_DATABASE ?? fileURLToPath(new URL('sessions.sqlite', import.meta.url))
const database = new Database(file)
const sessions = createSessions({ store: sqliteStore(database) })

const router = Router()
router.get('/', (req, res) => {
  res.type('text').send(req.user ? 'Welcome User!' : 'Welcome Stranger!')
})
// Password would normally be checked here. And a real login is a POST: see the README.
router.get(
  '/login',
  login(() => ({ id: 'user' })),
)
router.get('/logout', logout())

const app = express()
app.use(sessionMiddleware(sessions))
app.use(router)
app.use((_req, res) => {
  res.status(404).type('text').send('Not Found')
})

const server = app.listen(port, (error?: Error) => {
  if (error) {
    const fix =
      'code' in error && error.code === 'EADDRINUSE' ? ' Choose another: PORT=8001 npm run demo' : ''
    console.error(`The demo can't listen on port ${port}: ${error.message}.${fix}`)
    process.exit(1)
  }
  console.log(`express-sid demo: http://localhost:${(server.address() as AddressInfo).port}

  1. Open /         "Welcome Stranger!"
  2. Open /login    "Logged In", and your browser holds a cookie named sid
  3. Open /         "Welcome User!", even after you stop this server and start it again
  4. Open /logout   "Logged Out", and the cookie is gone
  5. Open /         "Welcome Stranger!"
`)
})

async function stop(): Promise<void> {
  server.close()
  server.closeAllConnections()
  await sessions.close()
  database.close()
  process.exit(0)
}
process.once('SIGINT', () => void stop())
process.once('SIGTERM', () => void stop())
