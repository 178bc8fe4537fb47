// What the middleware itself costs, without HTTP: `node --expose-gc children/in-process.js`, started by
// parts/in-process.js. Requests and responses are Express's own, made fresh for each call and before the clock
// starts; what a middleware that does nothing costs in the same loop is taken off.
import { IncomingMessage, ServerResponse } from 'node:http'
import express from 'express'
import session from 'express-session'
import { settings as expressSessionSettings } from '../contenders/express-session.js'
import { median, shuffled, withInterval } from '../lib/stats.js'
import { expressSessionSteps } from './steps-express-session.js'
import { sidSteps } from './steps-sid.js'

const { build, rounds } = JSON.parse(process.argv[2])
const { createSessions, sessionMiddleware } = await import(`${build}index.js`)
const BATCH = 200
const BODY = '{"id":"1000","name":"User 1000"}'

const nothing = (req, res, next) => next()

const app = express()
const behindProxy = express()
behindProxy.set('trust proxy', 1)

const USER_AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'

/** The response without its way to the socket; middlewares that wrap `end` or `writeHead` find what they wrap. */
const responses = Object.create(app.response, {
  writeHead: { writable: true, value() {} },
  write: { writable: true, value() {} },
  end: {
    writable: true,
    value() {
      this.writeHead(200)
      this.ended()
    },
  },
})

/** As from a socket: every header is a new string. */
const freshHeaders = (headers) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Buffer.from(value).latin1Slice()]))

function exchange(to, headers, method = 'GET') {
  const req = new IncomingMessage({ remoteAddress: '203.0.113.7', encrypted: false })
  req.method = method
  req.url = '/me'
  req.headers = freshHeaders(headers)
  const res = new ServerResponse(req)
  res.setHeader('Content-Length', BODY.length)
  // What Express and its router do before the first middleware, in their order: it decides how V8 sees the two.
  req.res = res
  res.req = req
  Object.setPrototypeOf(req, to.request)
  Object.setPrototypeOf(res, responses)
  res.locals = Object.create(null)
  req.baseUrl = ''
  req.originalUrl = req.url
  req.next = nothing
  req.params = {}
  return { req, res }
}

/** Requests that share one hidden class, as nothing but Express's own do not: the middleware's own work alone. */
class PlainResponse {
  #headers = new Map()
  getHeader(name) {
    return this.#headers.get(name)
  }
  setHeader(name, value) {
    this.#headers.set(name, value)
  }
  end() {
    this.ended()
  }
}

function plainExchange(to, headers) {
  const req = Object.create(to.request)
  req.socket = { remoteAddress: '203.0.113.7', encrypted: false }
  req.method = 'GET'
  req.headers = freshHeaders(headers)
  return { req, res: new PlainResponse() }
}

/** One middleware over a batch: all of it until `next()`, then what it does at the end of the response. */
function pass(middleware, batch) {
  return new Promise((resolve) => {
    let reached = 0
    let ended = 0
    const endAll = () => {
      for (const { res } of batch) res.end(BODY, 'utf8')
    }
    const next = () => {
      if (++reached === batch.length) endAll()
    }
    const onEnd = () => {
      if (++ended === batch.length) resolve()
    }
    for (const { res } of batch) res.ended = onEnd
    for (const { req, res } of batch) middleware(req, res, next)
  })
}

/** Nanoseconds a request, in one batch. */
async function time({ middleware, to, headers, make = exchange }) {
  const batch = Array.from({ length: BATCH }, () => make(to, headers()))
  const start = process.hrtime.bigint()
  await pass(middleware, batch)
  return Number(process.hrtime.bigint() - start) / BATCH
}

/** Bytes allocated a request: the young generation is large enough to keep a whole batch uncollected. */
async function weigh({ middleware, to, headers, make = exchange }) {
  globalThis.gc()
  for (let warm = 0; warm < 3; warm++) await time({ middleware, to, headers, make })
  const batch = Array.from({ length: BATCH }, () => make(to, headers()))
  const before = process.memoryUsage().heapUsed
  await pass(middleware, batch)
  return (process.memoryUsage().heapUsed - before) / BATCH
}

const sessions = createSessions()
const sid = sessionMiddleware(sessions)
const tokens = await Promise.all(
  Array.from({ length: 256 }, async (_, n) => {
    const user = { id: String(1000 + n), name: `User ${1000 + n}` }
    const client = { userAgent: USER_AGENT, ip: '203.0.113.7' }
    return (await sessions.login(user, client, [])).token
  }),
)

const store = new session.MemoryStore()
const esSettings = expressSessionSettings(store)
const es = session(esSettings)
const signed = await Promise.all(tokens.map((_, n) => signIn(n)))

/** A login by express-session, as its own response says it. */
function signIn(n) {
  return new Promise((resolve) => {
    const { req, res } = exchange(behindProxy, { 'x-forwarded-proto': 'https' }, 'POST')
    res.ended = () => resolve(String(res.getHeader('Set-Cookie')).split(';')[0])
    es(req, res, () => {
      req.session.user = { id: String(1000 + n), name: `User ${1000 + n}` }
      res.end()
    })
  })
}

let turn = 0
const base = { 'user-agent': USER_AGENT, host: 'app.example.com' }
const proxied = { ...base, 'x-forwarded-for': '203.0.113.7', 'x-forwarded-proto': 'https' }
const cookies = (own) => `_ga=GA1.1.1874520413.1763846400; theme=dark; ${own}`
const sidCookie = () => cookies(`__Host-sid=${tokens[turn++ % tokens.length]}`)
const esCookie = () => cookies(signed[turn++ % signed.length])

const contenders = {
  nothing: { middleware: nothing, to: app, headers: () => ({ ...base, cookie: sidCookie() }) },
  'express-sid': { middleware: sid, to: app, headers: () => ({ ...base, cookie: sidCookie() }) },
  'express-sid, behind a proxy': {
    middleware: sid,
    to: behindProxy,
    headers: () => ({ ...proxied, cookie: sidCookie() }),
  },
  'express-sid, no cookie': { middleware: sid, to: app, headers: () => base },
  'express-sid, requests of one hidden class': {
    middleware: sid,
    to: app,
    make: plainExchange,
    headers: () => ({ ...base, cookie: sidCookie() }),
  },
  'express-session': {
    middleware: es,
    to: behindProxy,
    headers: () => ({ ...proxied, cookie: esCookie() }),
  },
  'express-session, no cookie': { middleware: es, to: behindProxy, headers: () => proxied },
}

await prove()
const names = Object.keys(contenders)
const times = Object.fromEntries(names.map((name) => [name, []]))
for (let round = 0; round < rounds; round++) {
  for (const name of shuffled(names)) times[name].push(await time(contenders[name]))
}
const bytes = Object.fromEntries(names.map((name) => [name, []]))
for (let round = 0; round < 15; round++) {
  for (const name of shuffled(names)) bytes[name].push(await weigh(contenders[name]))
}

const settled = Object.fromEntries(names.map((name) => [name, times[name].slice(Math.floor(rounds / 4))]))
const emptyTime = median(settled.nothing)
const emptyBytes = median(bytes.nothing)
const whole = names.slice(1).map((name) => ({
  name,
  ns: withInterval(settled[name].map((ns) => ns - emptyTime)),
  bytes: median(bytes[name]) - emptyBytes,
}))

const ordinary = () => exchange(app, contenders['express-sid'].headers())
const steps = {
  'express-sid': await sidSteps({ build, tokens, exchange: ordinary, rounds }),
  'express-session': expressSessionSteps({ store, secret: esSettings.secret, signed, rounds }),
}
process.send({ whole, steps })
process.disconnect()

/** Both know whose request it is, before it is measured how fast. */
async function prove() {
  const one = exchange(app, contenders['express-sid'].headers())
  await pass(sid, [one])
  if (!one.req.user?.name.startsWith('User')) throw new Error('express-sid must know its user')
  const two = exchange(behindProxy, contenders['express-session'].headers())
  await pass(es, [two])
  if (!two.req.session.user?.name.startsWith('User')) throw new Error('express-session must know its user')
}
