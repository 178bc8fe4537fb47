import express = require('express')
import { login, sessionMiddleware, sessionOf } from 'express-sid'
import { sqliteStore } from 'express-sid/sqlite'
import { storeContract } from 'express-sid/testing'

const app = express()
app.use(sessionMiddleware())
app.post(
  '/login',
  login(() => ({ id: 1 })),
)
app.get('/', (req, res) => void res.json({ user: req.user, id: sessionOf(req).id }))
export = { app, sqliteStore, storeContract }
