const express = require('express')
const { login, logout, memoryStore, sessionMiddleware } = require('express-sid')

const app = express()
app.use(sessionMiddleware({ store: memoryStore() }))
app.get('/', (req, res) => res.send(req.user ? 'Welcome User!' : 'Welcome Stranger!'))
app.get(
  '/login',
  login(() => ({ id: 'user' })),
)
app.get('/logout', logout())
require('./walk.cjs')(app)
