// The ESM and the CommonJS copy in one app, as happens when a dependency of an ESM app is CommonJS.
import { createRequire } from 'node:module'
import express from 'express'
import * as esm from 'express-sid'
import walk from './walk.cjs'

const cjs = createRequire(import.meta.url)('express-sid')
if (cjs.sessionOf === esm.sessionOf) throw new Error('there is only one copy')

const app = express()
const sessions = cjs.createSessions({ userId: (user) => user.userId })
app.use(esm.sessionMiddleware(sessions), cjs.sessionMiddleware(sessions))
app.get('/', (req, res) => res.send(cjs.sessionOf(req).user ? 'Welcome User!' : 'Welcome Stranger!'))
app.get(
  '/login',
  esm.login(() => cjs.refuse({ userId: 'user' })),
)
app.get(
  '/logout',
  esm.login(() => ({ userId: 'user' })),
)
await walk(app)
