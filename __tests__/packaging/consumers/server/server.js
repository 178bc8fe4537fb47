// An app for strangers to attack. Prints its port, then every event that the sessions send.
import { setTimeout as pause } from 'node:timers/promises'
import express from 'express'
import { createSessions, login, logout, requireUser, sessionMiddleware, sessionOf } from 'express-sid'
import { openStore } from './stores.js'

const { store, dump, remove } = await openStore(process.env.STORE)
const trustedOrigins = (process.env.TRUSTED_ORIGINS ?? '').split(' ').filter(Boolean)
const sessions = createSessions({ store, storeTimeout: '10s', trustedOrigins })
const log = (...words) => console.log(JSON.stringify(words))
for (const name of ['login', 'logout', 'revoke', 'expire', 'loginRefused', 'clientChange', 'storeError']) {
  sessions.on(name, (event) => log(name, event))
}

const app = express()
app.set('trust proxy', Number(process.env.TRUST_PROXY ?? 0))
app.use(sessionMiddleware(sessions))
app.get('/', (req, res) => res.send(req.user ? 'Welcome User!' : 'Welcome Stranger!'))
app.get('/me', (req, res) => res.json({ user: req.user ?? null, id: sessionOf(req).id ?? null }))
app.all(
  '/login',
  login((req) => req.query.as && { id: req.query.as }),
)
app.all('/logout', logout())
app.get('/guarded', requireUser(), (req, res) => res.json(req.user))
app.get('/list', async (req, res) => res.json(await sessionOf(req).list()))

app.get('/slow', async (req, res) => {
  await pause(Number(req.query.ms))
  res.json({ user: req.user ?? null })
})
app.post('/slow-write', async (req, res) => {
  await pause(Number(req.query.ms))
  await sessionOf(req).set('late', true)
  res.end()
})
app.post('/count', async (req, res) => {
  res.json(await sessionOf(req).update('count', (count = 0) => count + 1))
})
app.post('/set/:key', async (req, res) => {
  await sessionOf(req).set(req.params.key, true)
  res.end()
})
app.get('/get/:key', (req, res) => res.json(sessionOf(req).get(req.params.key) ?? null))
app.get('/dump', async (_req, res) => {
  // On other lines than our cookies are: this is what a thief of the store's content sees.
  res.type('text').send(await dump())
})

const server = app.listen(0, '127.0.0.1', () => log('port', server.address().port))

// The test goes, and so does what it made.
process.stdin.resume().once('end', async () => {
  server.closeAllConnections()
  await sessions.close()
  await remove?.()
  process.exit(0)
})
