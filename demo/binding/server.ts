// A copied cookie is useless: a session that is bound to its device, in a Chromium that can bind sessions. Once it is
// bound, the server's time runs 60 times faster than yours: a minute of it takes a second.
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import express from 'express'
import { createSessions, login, logout, memoryStore, sessionMiddleware, sessionOf } from 'express-sid'
import { selfSigned } from './certificate.js'
import { chromiumFlags, openChromium } from './chromium.js'
import { runAt } from './clock.js'
import { Story } from './story.js'
import { Thief } from './thief.js'

const SPEED = Number(process.env.SPEED ?? 60)
const TTL = 10 * 60_000
const PATH = '/_session/binding'
const port = Number(process.env.PORT ?? 8443)

const store = memoryStore()
const sessions = createSessions({ store, deviceBinding: { ttl: TTL, path: PATH }, cookie: { secure: true } })
const certificate = selfSigned(['localhost'])
const story = new Story()
const thief = new Thief(certificate.cert, story)
sessions.on('login', () => {
  runAt(1)
  thief.leave()
  story.begin()
})
sessions.on('bind', () => {
  story.tell('browser', 'bound', 'bound to this device')
  runAt(SPEED)
})
sessions.on('logout', ({ replaced }) => replaced || story.tell('browser', 'out', 'logged out'))

const app = express()
app.use(PATH, (req, res, next) => {
  res.on('finish', () => {
    if (res.statusCode !== 200) return
    if (req.headers['sec-secure-session-id'] === undefined) story.tell('browser', 'key', 'key registered')
    else story.tell('browser', 'renewed', 'renewed')
  })
  next()
})
app.use(sessionMiddleware(sessions))
app.post(
  '/login',
  login(() => ({ id: 'you', name: 'You' }), { redirect: '/' }),
)
app.post('/logout', logout({ redirect: '/' }))
app.post('/copy', (req, res) => {
  thief.copy(req.headers.cookie ?? '', req.headers['user-agent'] ?? '', `https://localhost:${listensOn()}/me`)
  res.json({})
})
app.get('/me', (req, res) => res.json({ in: req.user !== undefined }))
app.get('/state', async (req, res) => {
  const { id, isBound } = sessionOf(req)
  const binding = id === undefined ? undefined : (await store.get(id))?.binding
  const cookies = cookiesOf(req.headers.cookie)
  if (binding?.state === 'bound') expire(res, cookies, binding.issued[0]![1])
  if (cookies.length > 0) story.see('browser', req.user !== undefined)
  res.set('Cache-Control', 'no-store').json({
    state: binding?.state ?? (id === undefined ? 'out' : 'login'),
    isBound,
    cookies,
    now: Date.now(),
    speed: SPEED,
    ...story.told(),
    thief: thief.shown(),
  })
})
app.use(express.static(fileURLToPath(new URL('public', import.meta.url))))

/** The two cookies, as the browser has just sent them. No script can read them. */
function cookiesOf(header = ''): { name: string; value: string }[] {
  const pairs = header.split('; ').map((pair) => /^(__Host-sid[^=]*)=(.*)$/.exec(pair))
  return pairs.flatMap((pair) => (pair === null ? [] : [{ name: pair[1]!, value: pair[2]! }]))
}

/** Takes the bound cookie away when it is ten of the server's minutes old. The browser's own clock is too slow to. */
function expire(res: express.Response, cookies: { name: string }[], until: number): void {
  const issuedAt = until - TTL - 5 * 60_000
  const bound = cookies.find(({ name }) => name.includes('-bound-'))
  if (bound === undefined || Date.now() - issuedAt < TTL) return
  res.clearCookie(bound.name, { path: '/', secure: true, httpOnly: true, sameSite: 'lax' })
}

const server = createServer(certificate, app)
const listensOn = () => (server.address() as AddressInfo).port
server.on('error', (error: NodeJS.ErrnoException) => {
  const fix = error.code === 'EADDRINUSE' ? ' Choose another: PORT=8444 npm run demo:binding' : ''
  console.error(`The demo can't listen on port ${port}: ${error.message}.${fix}`)
  process.exit(1)
})
server.listen(port, 'localhost', () => {
  const url = `https://localhost:${listensOn()}/`
  const flags = chromiumFlags(certificate.spkiHash)
  const found = process.env.DEMO_BROWSER === 'none' ? undefined : openChromium(flags, url)
  console.log(`express-sid, device binding: ${url}

${found === undefined ? byHand(flags, url) : `  ${found} opens the page, with a profile of its own.\n`}
  1. Log in. The browser registers a key, and proves it: the session is bound.
  2. Copy the cookies. The thief uses them at once, with your browser's own User-Agent.
  3. Wait some seconds. The copy dies, and the browser goes on.
`)
})

function byHand(flags: readonly string[], url: string): string {
  return `  Open it in Chromium or Chrome, started like this. A browser binds sessions only on https without errors:

  chromium ${flags.map((flag) => `'${flag}'`).join(' \\\n    ')} \\
    --user-data-dir=/tmp/demo-binding ${url}
`
}

async function stop(): Promise<void> {
  thief.leave()
  server.close()
  server.closeAllConnections()
  await sessions.close()
  process.exit(0)
}
process.once('SIGINT', () => void stop())
process.once('SIGTERM', () => void stop())
