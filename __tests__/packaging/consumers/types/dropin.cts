import express = require('express')
import session = require('express-sid/express-session')

const app = express()
app.use(session({ secret: 'x', store: new session.MemoryStore() }))
app.get('/', (req, res) => void res.json({ id: req.session.id, cookie: req.session.cookie.maxAge }))
export = { app, legacyCookie: session.legacyCookie }
