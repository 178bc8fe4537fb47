// The API of a single-page app that is served from another origin of the same site, https://app.example.com.
import express from 'express'
import { createSessions, login, logout, requireUser, sessionMiddleware } from 'express-sid'

const FRONT_END = 'https://app.example.com'

export const sessions = createSessions({ trustedOrigins: [FRONT_END] })

export const app = express()
app.set('trust proxy', 1)
// CORS lets the front end read what is sent. It protects nothing: that is what trustedOrigins is for.
app.use((req, res, next) => {
  if (req.headers.origin === FRONT_END) {
    res.set({
      'Access-Control-Allow-Origin': FRONT_END,
      'Access-Control-Allow-Credentials': 'true',
      'Access-Control-Allow-Headers': 'Content-Type',
      'Access-Control-Allow-Methods': 'GET, POST, PUT, DELETE',
    })
  }
  res.vary('Origin')
  if (req.method === 'OPTIONS') res.sendStatus(204)
  else next()
})
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
