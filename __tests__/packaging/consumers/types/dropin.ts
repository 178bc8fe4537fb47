// An app of express-session that has moved: its own types and what it declared for express-session hold.
import express from 'express'
import session, { legacyCookie, Store, toExpressSession, type SessionData } from 'express-sid/express-session'
import { createSessions, memoryStore, sessionMiddleware } from 'express-sid'

declare module 'express-session' {
  interface SessionData {
    userId: number
  }
}

const sessions = createSessions({ store: memoryStore() })
const app = express()
app.use(
  session({
    secret: 'x',
    store: sessions,
    userId: ({ userId }: SessionData) => userId,
    cookie: { maxAge: 1 },
  }),
)
app.use(
  session({ secret: ['a', 'b'], store: new session.MemoryStore(), resave: false, saveUninitialized: false }),
)
app.use(sessionMiddleware({ cookie: legacyCookie({ secret: 'x' }) }))
app.get('/', async (req, res) => {
  const id: number | undefined = req.session.userId
  await req.session.save()
  req.session.destroy((error) => res.json({ error, id, sid: req.sessionID }))
})

export class MyStore extends Store {
  override get(): void {}
  override set(): void {}
  override destroy(): void {}
}
export const store: session.Store = toExpressSession(sessions)
// @ts-expect-error
export const misspelt = session({ secret: 'x', idleTimout: '7d' })
