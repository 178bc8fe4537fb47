// An app whose secrets rotate, in a process of its own. STORE names the stores, with a space between: the first is
// served under /0, the next under /1. The test moves its clock, breaks its store, and asks what it has reported and seen.
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import express, { Router, type Response } from 'express'
import {
  createSessions,
  login,
  sessionMiddleware,
  type SessionRecord,
  type SessionStore,
  type UpdateResult,
} from 'express-sid'
import { openStore } from './open-store.js'

const readClock = Date.now.bind(Date)
let offset = 0
/** How many times faster than ours this process's time passes: so slow browsers need not be waited for. */
let speed = 1
let since = readClock()
Date.now = () => since + (readClock() - since) * speed + offset

/** The share of writes that fail, half of them after their effect. */
let faultRate = 0

/** The store, whose updates fail as often as the test wants. Never at a login: its caller knows that it failed. */
function faulty(store: SessionStore): SessionStore {
  const update = async (record: SessionRecord, ifVersion: number): Promise<UpdateResult> => {
    const chance = Math.random() / faultRate
    if (chance < 0.5) throw new Error('failed before its effect')
    const result = await store.update(record, ifVersion)
    if (chance < 1) throw new Error('failed after its effect')
    return result
  }
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'update') return update
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    },
  })
}

function sessionApp(store: SessionStore): Router {
  const app = Router()
  const sessions = createSessions({
    store: faulty(store),
    rotateEvery: '1h',
    rotationGrace: '5m',
    storeTimeout: 8_000,
  })
  const events = { rotate: 0, reuse: 0, rotationUnused: 0 }
  for (const name of ['rotate', 'reuse', 'rotationUnused'] as const)
    sessions.on(name, () => (events[name] += 1))
  app.get('/events', (_, res) => void res.json(events))
  app.use(sessionMiddleware(sessions))
  addPages(app)
  app.post(
    '/login',
    login((req) => ({ id: (req.body as { id: string }).id })),
  )
  app.get('/me', async (req, res) => {
    await pause(Number(req.query.ms ?? 0))
    res.json({ user: req.user ?? null })
  })
  return app
}

/** One request, as this process saw it. */
export interface SeenRequest {
  readonly path: string
  /** The end of its cookie: enough to tell one secret from the next. */
  readonly cookie: string
  /** The end of the cookie that the response gave, if it gave one. */
  readonly given: string | undefined
  readonly user: boolean
}

const seen: SeenRequest[] = []
/** The responses that wait for the test, and how each is let go. */
const held = new Map<Response, () => void>()
const untilLetGo = (res: Response) => new Promise<void>((resolve) => held.set(res, resolve))

/** What a browser asks for: pages, what pages embed, and responses that wait for the test. */
function addPages(app: Router): void {
  app.use((req, res, next) => {
    res.on('close', () => {
      const [line] = [res.getHeader('set-cookie') ?? []].flat().map(String)
      const cookie = (req.headers.cookie ?? '').slice(-8)
      const user = req.user !== undefined
      seen.push({ path: req.path, cookie, given: line?.split(';')[0]?.slice(-8), user })
    })
    next()
  })
  app.get(
    '/login-page',
    login(() => ({ id: 'ann' }), { redirect: 'page' }),
  )
  app.get('/page', (req, res) => void res.send(`<title>page</title><p>${req.user ? 'Ann' : 'Stranger'}</p>`))
  app.get('/asset/:name', (_req, res) => void res.type('text/plain').send(''))
  // The headers wait until the test lets them go.
  app.get('/held', async (req, res) => {
    await untilLetGo(res)
    res.json({ user: req.user ?? null })
  })
  // The headers leave, and the body waits.
  app.get('/streamed', async (_req, res) => {
    res.flushHeaders()
    res.write('begun')
    await untilLetGo(res)
    res.end()
  })
}

const app = express()
app.use(express.json())
app.post('/world', (req, res) => {
  const { clock, faults, faster } = req.body as { clock?: number; faults?: number; faster?: number }
  if (clock !== undefined) offset = clock
  if (faults !== undefined) faultRate = faults
  if (faster !== undefined) [since, speed] = [readClock(), faster]
  res.json({})
})
app.post('/release', (_, res) => {
  for (const letGo of held.values()) letGo()
  const count = held.size
  held.clear()
  res.json({ count })
})
app.get('/waiting', (_, res) => {
  const lost = [...held.keys()].filter(({ destroyed }) => destroyed).length
  res.json({ count: held.size, lost })
})
app.get('/seen', (_, res) => void res.json(seen.splice(0)))
for (const [index, name] of (process.env.STORE ?? 'memory').split(' ').entries()) {
  app.use(`/${index}`, sessionApp(await openStore(name)))
}
const server = app.listen(0, '127.0.0.1', () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`)
})
