import express from 'express'
import { login, logout, memoryStore, sessionMiddleware } from 'express-sid'
import walk from './walk.cjs'

const app = express()
app.use(sessionMiddleware({ store: memoryStore() }))
app.get('/', (req, res) => res.send(req.user ? 'Welcome User!' : 'Welcome Stranger!'))
app.get(
  '/login',
  login(() => ({ id: 'user' })),
)
app.get('/logout', logout())
await walk(app)
