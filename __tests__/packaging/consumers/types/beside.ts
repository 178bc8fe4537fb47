// Beside express-session and passport, whose global types must stay as they are.
import express from 'express'
import session from 'express-session'
import passport from 'passport'
import { login, sessionMiddleware, sessionOf } from 'express-sid'

declare module 'express-session' {
  interface SessionData {
    views: number
  }
}
declare global {
  namespace Express {
    interface User {
      id: string
    }
  }
}

const app = express()
app.use(session({ secret: 'x' }), passport.session(), sessionMiddleware())
app.post(
  '/login',
  login(() => ({ id: 'ann' })),
)
app.get('/', (req, res) => {
  req.session.views = (req.session.views ?? 0) + 1
  const id: string | undefined = req.user?.id
  if (req.isAuthenticated()) req.logout(() => undefined)
  res.json({ id, same: sessionOf(req).user?.id === id })
})
