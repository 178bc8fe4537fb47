import { IncomingMessage, ServerResponse, type IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import express, { type Express, type Request, type RequestHandler, type Response } from 'express'
import { USER_AGENT } from '../load/request.js'
import { fresh } from './fake-records.js'

const BODY = '{"id":"1000","name":"User 1000"}'

/** A middleware that is measured without HTTP. */
export interface Subject {
  readonly middleware: RequestHandler
  /** Whose request and response they are. */
  readonly app: Express
  /** The cookies to send in turn; none: no cookie. */
  readonly cookies: readonly string[]
}

interface Exchange {
  readonly req: Request
  readonly res: Response & { ended(): void }
}

/** The response without its way to the socket. Middlewares that wrap `end` or `writeHead` find what they wrap. */
const responses = Object.create(express.response, {
  writeHead: { writable: true, value() {} },
  write: { writable: true, value() {} },
  end: {
    writable: true,
    value(this: Exchange['res']) {
      this.writeHead(200)
      this.ended()
    },
  },
})

let turn = 0

function exchange({ app, cookies }: Subject): Exchange {
  const socket = { remoteAddress: '203.0.113.7', encrypted: false } as unknown as Socket
  const req = new IncomingMessage(socket) as Request
  req.method = 'GET'
  req.url = '/me'
  req.headers = {
    'user-agent': fresh(USER_AGENT),
    host: fresh('app.example.com'),
    'x-forwarded-for': fresh('203.0.113.7'),
    'x-forwarded-proto': fresh('https'),
    ...(cookies.length > 0 && { cookie: fresh(cookies[turn++ % cookies.length]!) }),
  } satisfies IncomingHttpHeaders
  const res = new ServerResponse(req) as Exchange['res']
  res.setHeader('Content-Length', BODY.length)
  // What Express and its router do before the first middleware, in their order: it decides how V8 sees the two.
  req.res = res
  res.req = req
  Object.setPrototypeOf(req, app.request)
  Object.setPrototypeOf(res, responses)
  res.locals = Object.create(null)
  req.baseUrl = ''
  req.originalUrl = req.url
  req.next = () => undefined
  req.params = {}
  return { req, res }
}

export interface Batch {
  readonly exchanges: Exchange[]
  readonly done: Promise<void>
}

/** Requests and responses for one batch, and a promise that all responses have ended. */
export function prepare(subject: Subject, size: number): Batch {
  const exchanges = Array.from({ length: size }, () => exchange(subject))
  let ended = 0
  const done = new Promise<void>((resolve) => {
    const onEnd = () => {
      if (++ended === size) resolve()
    }
    for (const { res } of exchanges) res.ended = onEnd
  })
  return { exchanges, done }
}

/** One middleware over a batch: all of it until `next()`, then what it does at the end of the response. */
export function pass({ middleware }: Subject, { exchanges, done }: Batch): Promise<void> {
  let reached = 0
  const next = () => {
    if (++reached < exchanges.length) return
    for (const { res } of exchanges) res.end(BODY, 'utf8')
  }
  for (const { req, res } of exchanges) void middleware(req, res, next)
  return done
}
