const Database = require('better-sqlite3')
const express = require('express')
const { login, logout, sessionMiddleware } = require('express-sid')
const { sqliteStore } = require('express-sid/sqlite')
const walk = require('./walk.cjs')

const app = express()
app.use(sessionMiddleware({ store: sqliteStore(new Database('sessions.sqlite')) }))
app.get('/', (req, res) => res.send(req.user ? 'Welcome User!' : 'Welcome Stranger!'))
app.get(
  '/login',
  login(() => ({ id: 'user' })),
)
app.get('/logout', logout())
walk(app)
