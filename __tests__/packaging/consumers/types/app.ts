// What an application writes. No driver is installed here: no store's types may need one.
import express, { Router, type Request } from 'express'
import type { IncomingMessage } from 'node:http'
import {
  authenticateUpgrade,
  createSessions,
  login,
  logout,
  memoryStore,
  refuse,
  requireUser,
  SessionError,
  sessionMiddleware,
  sessionOf,
  userOf,
  type CookieOptions,
  type SessionErrorCode,
  type SessionInfo,
  type SessionOptions,
  type Sessions,
  type SessionStore,
} from 'express-sid'
import { deviceRoutes, type Device, type DeviceTexts } from 'express-sid/devices'
import { fromExpressSession } from 'express-sid/express-session-store'
import { mysqlStore } from 'express-sid/mysql'
import { encrypted } from 'express-sid/encrypted'
import { nearCache } from 'express-sid/near-cache'
import { postgresStore } from 'express-sid/postgres'
import { redisStore } from 'express-sid/redis'
import { sqliteStore } from 'express-sid/sqlite'
import { storeContract } from 'express-sid/testing'

declare global {
  namespace Express {
    interface User {
      id: string
      name?: string
    }
  }
}

const cookie: CookieOptions = { sameSite: 'strict' }
const store: SessionStore = memoryStore({ maxSessions: 10 })
const options: SessionOptions = {
  store,
  idleTimeout: '7d',
  absoluteTimeout: 30 * 86_400_000,
  onClientChange: { network: 'ignore' },
  loadUser: async (id) => ({ id }),
  userId: (user: { uuid: string }) => user.uuid,
  serializeUser: ({ id }: { id: string }) => ({ id }),
  cookie,
}
const sessions: Sessions = createSessions(options)

const app = express()
app.use(sessionMiddleware(sessions))
app.use(sessionMiddleware({}), sessionMiddleware())

const router = Router()
router.get('/', (req, res) => {
  const name: string | undefined = req.user?.name
  res.send(name)
})
router.post(
  '/login',
  login((req: Request) => (req.body === undefined ? refuse({ reason: 'empty' }) : { id: 'ann' }), {
    keep: ['cart'],
    redirect: '/',
  }),
)
router.post('/logout', logout({ redirect: '/' }))
router.get('/me', requireUser({ loginPage: '/login' }), (req, res) => void res.json(req.user))
router.get('/name', requireUser(), (req, res) => {
  const { id, name }: Express.User = userOf(req)
  res.json({ id, name })
})
router.post('/cart', async (req, res) => {
  const session = sessionOf(req)
  await session.set('cart', { items: [1] })
  const cart = session.get<{ items: number[] }>('cart')
  const count: number | undefined = await session.update<number>('count', (n = 0) => n + 1)
  const taken: string | undefined = await session.take<string>('voucher')
  const list: SessionInfo[] = await session.list()
  res.json({ cart, count, taken, list })
})
app.use(router)

sessions
  .on('login', ({ sessionId, userId, client }) => console.log(sessionId, userId, client.ip))
  .on('storeError', ({ operation, error }) => console.log(operation, error.code))
export const code: SessionErrorCode = 'STORE_FAILED'
export const error: Error = new SessionError(code, 'x')

export async function upgrade(request: IncomingMessage): Promise<string | undefined> {
  const found = await authenticateUpgrade(sessions, request)
  return found?.user.id
}

const german: DeviceTexts = { lang: 'de', title: 'Deine Geräte' }
app.use(
  '/devices',
  deviceRoutes({ loginPage: '/login', texts: (req) => (req.query['lang'] === 'de' ? german : {}) }),
)
export const labelOf = ({ label, current }: Device): string => (current ? `${label} (here)` : label)

export const stores = {
  encrypted,
  fromExpressSession,
  mysqlStore,
  nearCache,
  postgresStore,
  redisStore,
  sqliteStore,
  storeContract,
}

// Nothing that could open a session is within reach of an application.
// @ts-expect-error
export const inner: unknown = sessions.verify
// @ts-expect-error
export const misspelt: SessionOptions = { idleTimout: '7d' }
