// An app that is bundled into one file by esbuild. Drivers with native parts stay outside; everything else may be inside.
import express from 'express'
import { login, logout, requireUser, sessionMiddleware } from 'express-sid'

export const app = express()
app.use(sessionMiddleware())
app.post(
  '/login',
  login(() => ({ id: 'ann' })),
)
app.post('/logout', logout())
app.get('/me', requireUser(), (req, res) => void res.json(req.user))
