// A function behind an API gateway. What is made once for an instance is kept for its next requests; sessions live in Redis.
import express from 'express'
import { createSessions, login, logout, requireUser, sessionMiddleware } from 'express-sid'
import { redisStore } from 'express-sid/redis'
import { createClient } from 'redis'
import serverless from 'serverless-http'

// Loading this file opens nothing. A cold start pays for what is here.
export const client = createClient({ url: process.env.REDIS_URL, socket: { connectTimeout: 2_000 } })
client.on('error', (error: unknown) => console.error(error))

export const sessions = createSessions({ store: redisStore(client) })
export const app = express()
app.use(express.json(), sessionMiddleware(sessions))
app.post(
  '/login',
  login((req) => {
    const { name } = req.body as { name?: unknown }
    return typeof name === 'string' ? { id: name } : undefined
  }),
)
app.post('/logout', logout())
app.get('/me', requireUser(), (req, res) => void res.json(req.user))

const handle = serverless(app)

/** What the platform calls. The first request of an instance connects, and all later ones find the connection. */
export async function handler(event: object, context: object): Promise<object> {
  if (!client.isOpen) await client.connect()
  return handle(event, context)
}
