import {
  createServer as createHttp,
  request,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttps } from 'node:https'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import {
  createSessions,
  login,
  logout,
  memoryStore,
  requireUser,
  sessionMiddleware,
  userOf,
  type SessionOptions,
} from 'express-sid'
import { selfSigned } from '../../../demo/binding/certificate.js'
import { ann } from '../../support/people.js'

export const PASSWORD = 'correct-horse-battery'

const open: Server[] = []
/** Closes every server that was started here. */
export async function closeAll(): Promise<void> {
  for (const server of open.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
}

async function listen(server: Server): Promise<number> {
  open.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

export interface PlantedApp {
  readonly port: number
  readonly sessions: () => number
}

/** An app as the README shows it, with a page for users at /account. */
export async function startApp(
  options: SessionOptions = {},
  { trustProxy = false, change }: { trustProxy?: boolean; change?: (app: Express) => void } = {},
): Promise<PlantedApp> {
  const store = memoryStore()
  const app = express()
  app.set('trust proxy', trustProxy)
  change?.(app)
  app.use(sessionMiddleware(createSessions({ store, ...options })))
  app.use(express.urlencoded({ extended: false }))
  app.post(
    '/login',
    login((req) => ((req.body as { password?: string }).password === PASSWORD ? ann : undefined)),
  )
  app.post('/logout', logout())
  app.get('/account', requireUser(), (req, res) => res.send(`Hello ${(userOf(req) as typeof ann).name}`))
  return { port: await listen(createHttp(app)), sessions: () => store.count(Date.now()) as number }
}

export interface ProxyOptions {
  /** Whether browsers reach it by https. */
  readonly tls?: boolean
  /** What it changes of requests. */
  readonly request?: (headers: Record<string, string>, req: IncomingMessage) => void
  /** What it changes of responses. */
  readonly response?: (headers: NodeJS.Dict<string | string[]>, req: IncomingMessage) => void
  /** Whether it keeps pages, whoever asks. */
  readonly caches?: boolean
}

/** A proxy in front of apps, in turn. It does what the test plants. */
export async function startProxy(ports: readonly number[], options: ProxyOptions = {}): Promise<number> {
  let turn = 0
  const kept = new Map<string, { status: number; headers: NodeJS.Dict<string | string[]>; body: Buffer }>()
  const handle = (req: IncomingMessage, res: ServerResponse): void => {
    const hit = kept.get(req.url!)
    if (options.caches === true && req.method === 'GET' && hit !== undefined) {
      res.writeHead(hit.status, { ...hit.headers, age: '1' })
      return void res.end(hit.body)
    }
    const headers: Record<string, string> = {
      ...(req.headers as Record<string, string>),
      'x-forwarded-for': '203.0.113.7',
    }
    headers['x-forwarded-proto'] = options.tls === true ? 'https' : 'http'
    options.request?.(headers, req)
    const port = ports[turn++ % ports.length]
    const up = request(
      { port, host: '127.0.0.1', method: req.method, path: req.url, headers, agent: false },
      (from) => {
        const body: Buffer[] = []
        from.on('data', (part: Buffer) => body.push(part))
        from.on('end', () => {
          const sent = { ...from.headers }
          options.response?.(sent, req)
          const status = from.statusCode ?? 500
          if (req.method === 'GET' && status === 200)
            kept.set(req.url!, { status, headers: sent, body: Buffer.concat(body) })
          res.writeHead(status, sent)
          res.end(Buffer.concat(body))
        })
      },
    )
    up.on('error', () => res.destroy())
    req.pipe(up)
  }
  const server = options.tls === true ? createHttps(selfSigned(['shop.test']), handle) : createHttp(handle)
  return listen(server)
}
