// The API of a Next.js app, whose rewrites send /api here. The browser knows one origin: that of Next.js.
import express from 'express'
import { createSessions, login, logout, requireUser, sessionMiddleware } from 'express-sid'

export const sessions = createSessions()

export const app = express()
// Next.js runs on this machine, and says by X-Forwarded-* what the browser asked for.
app.set('trust proxy', 'loopback')

const api = express.Router()
app.use('/api', api)
api.use(express.json(), express.urlencoded({ extended: false }), sessionMiddleware(sessions))
api.post(
  '/login',
  login(({ body }) => body?.password === 'tea' && { id: String(body.name) }, { redirect: '/' }),
)
api.post('/logout', logout({ redirect: '/' }))
api.get('/me', requireUser(), (req, res) => void res.json(req.user))
