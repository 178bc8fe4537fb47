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

/**
 * A response that shares its hidden class with all others, as nothing but Express's own do not: with these, what is
 * measured is the middleware's own work alone. It has what middlewares read, set and wrap.
 */
class PlainResponse {
  statusCode = 200
  headersSent = false
  _header = null
  #headers = new Map()
  getHeader(name) {
    return this.#headers.get(name)
  }
  setHeader(name, value) {
    this.#headers.set(name, value)
  }
  writeHead() {
    // The name that Node's own responses have.
    // oxlint-disable-next-line no-underscore-dangle
    this._header = ''
    this.headersSent = true
  }
  _implicitHeader() {
    this.writeHead(200)
  }
  write() {}
  end() {
    this.writeHead(200)
    this.ended()
  }
}

function plainExchange(to, headers) {
  const req = Object.create(to.request)
  req.socket = { remoteAddress: '203.0.113.7', encrypted: false }
  req.connection = req.socket
  req.method = 'GET'
  req.url = '/me'
  req.originalUrl = '/me'
  req.headers = freshHeaders(headers)
  return { req, res: new PlainResponse() }
}

/** Pairs of requests and responses for one batch, and a promise that all responses have ended. */
function prepare({ to, headers, make = exchange }, size = BATCH) {
  let ended = 0
  let allEnded
  const done = new Promise((resolve) => (allEnded = resolve))
  const onEnd = () => {
    if (++ended === size) allEnded()
  }
  const batch = Array.from({ length: size }, () => make(to, headers()))
  for (const { res } of batch) res.ended = onEnd
  return { batch, done }
}

/** One middleware over a batch: all of it until `next()`, then what it does at the end of the response. */
function pass(middleware, { batch, done }) {
  let reached = 0
  const next = () => {
    if (++reached < batch.length) return
    for (const { res } of batch) res.end(BODY, 'utf8')
  }
  for (const { req, res } of batch) middleware(req, res, next)
  return done
}

/** Nanoseconds a request, in one batch. */
async function time(contender) {
  const prepared = prepare(contender)
  const start = process.hrtime.bigint()
  await pass(contender.middleware, prepared)
  return Number(process.hrtime.bigint() - start) / BATCH
}

/** Bytes allocated a request: the young generation is large enough to keep a whole batch uncollected. */
async function weigh(contender) {
  globalThis.gc()
  for (let warm = 0; warm < 3; warm++) await time(contender)
  const prepared = prepare(contender)
  const before = process.memoryUsage().heapUsed
  await pass(contender.middleware, prepared)
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
  'nothing, requests of one hidden class': {
    middleware: nothing,
    to: app,
    make: plainExchange,
    headers: () => ({ ...base, cookie: sidCookie() }),
  },
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
  'express-session, requests of one hidden class': {
    middleware: es,
    to: behindProxy,
    make: plainExchange,
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
/** What is taken off: a middleware that does nothing, on the same kind of requests. */
const emptyFor = ({ make }) => (make === plainExchange ? 'nothing, requests of one hidden class' : 'nothing')
const whole = names
  .filter((name) => !name.startsWith('nothing'))
  .map((name) => {
    const empty = emptyFor(contenders[name])
    const emptyTime = median(settled[empty])
    return {
      name,
      ns: withInterval(settled[name].map((ns) => ns - emptyTime)),
      bytes: median(bytes[name]) - median(bytes[empty]),
    }
  })

const ordinary = () => exchange(app, contenders['express-sid'].headers())
const steps = {
  'express-sid': await sidSteps({ build, tokens, exchange: ordinary, rounds }),
  'express-session': expressSessionSteps({ store, secret: esSettings.secret, signed, rounds }),
}
process.send({ node: process.versions.node, whole, steps })
process.disconnect()

/** All who are sent a cookie know whose request it is, before it is measured how fast. */
async function prove() {
  for (const [name, contender] of Object.entries(contenders)) {
    if (name.startsWith('nothing') || name.endsWith('no cookie')) continue
    const prepared = prepare(contender, 1)
    await pass(contender.middleware, prepared)
    const [{ req }] = prepared.batch
    const user = req.user ?? req.session?.user
    if (!user?.name.startsWith('User')) throw new Error(`${name} must know its user`)
  }
}
