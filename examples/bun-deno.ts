// One file that Node.js, Bun and Deno run as it is: it logs in, guards, logs out, and closes in order when it is told to end.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { createSessions, login, logout, requireUser, sessionMiddleware } from 'express-sid'
import { redisStore } from 'express-sid/redis'
import { createClient } from 'redis'

const client = createClient({ url: process.env.REDIS_URL })
await client.connect()
const sessions = createSessions({ store: redisStore(client) })
const app = express()
app.use(express.urlencoded({ extended: false }), sessionMiddleware(sessions))
app.post(
  '/login',
  login((req) => {
    const { name } = req.body as { name?: unknown }
    return typeof name === 'string' ? { id: name } : undefined
  }),
)
app.post('/logout', logout())
app.get('/me', requireUser(), (req, res) => void res.json(req.user))

const server = createServer(app).listen(Number(process.env.PORT ?? 0), '127.0.0.1')
await once(server, 'listening')
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
process.once('SIGTERM', () => {
  server.close()
  void sessions.close().then(() => client.destroy())
})
