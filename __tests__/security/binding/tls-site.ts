import { execFile } from 'node:child_process'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import express, { type Express } from 'express'
import {
  authenticateUpgrade,
  createSessions,
  login,
  logout,
  requireUser,
  sessionMiddleware,
  sessionOf,
  type SessionOptions,
  type Sessions,
} from 'express-sid'
import { WebSocketServer } from 'ws'
import { selfSigned } from '../../../demo/binding/certificate.js'
import { FaultyStore } from '../../support/faulty-store.js'
import { ann, eventsOf, type Seen } from '../../support/core.js'

export const PATH = '/_session/binding'

/** One certificate for all: a browser is told at its start which key to trust. */
const certificate = selfSigned(['app.example', 'other.example'])

/** What makes Chromium bind sessions with keys in software, and find our two sites on this machine. */
export const flags = ({ quota = false, binds = true } = {}) => [
  `--ignore-certificate-errors-spki-list=${certificate.spkiHash}`,
  '--host-resolver-rules=MAP *.example 127.0.0.1',
  ...(binds
    ? [
        `--enable-features=DeviceBoundSessions${quota ? '' : ':RefreshQuota/false'},` +
          'EnableBoundSessionCredentialsSoftwareKeysForManualTesting',
      ]
    : []),
]

/** A call of the browser at the binding's path. */
export interface Call {
  readonly kind: 'registration' | 'refresh'
  readonly hasCookie: boolean
  readonly status: number
}

/** A site over TLS in this process, so that a test can move its clock, stop its store and lose its responses. */
export class TlsSite {
  readonly calls: Call[] = []
  readonly store: FaultyStore
  sessions!: Sessions
  readonly #seen: Seen[][] = []
  /** How many responses of each kind get lost, after the server has done its work. */
  readonly lose = { registration: 0, refresh: 0 }
  /** What the requests said of a renewal that was skipped. */
  readonly skipped: string[] = []
  #server: Server | undefined
  #port = 0

  /**
   * @param shape `prefix`: what a proxy in front takes off each path. `nodes`: how many managers take turns.
   */
  constructor(
    private readonly options: SessionOptions = {},
    private readonly shape: { readonly prefix?: string; readonly nodes?: number } = {},
  ) {
    this.store = new FaultyStore('async')
  }

  get url(): string {
    return `https://app.example:${this.#port}${this.shape.prefix ?? ''}`
  }

  /** Starts it, again on the same port: with new managers on the same store. */
  async start(): Promise<void> {
    const { prefix = '', nodes = 1 } = this.shape
    const managers = Array.from({ length: nodes }, () => this.#manager())
    const apps = managers.map((one) => this.#app(one))
    this.sessions = managers[0]!
    let turn = 0
    const server = createServer(certificate, (req, res) => {
      req.url = req.url!.slice(prefix.length) || '/'
      apps[turn++ % nodes]!(req, res)
    })
    this.#addSockets(server)
    await new Promise<void>((resolve) => server.listen(this.#port, resolve))
    this.#server = server
    this.#port = (server.address() as AddressInfo).port
  }

  #manager(): Sessions {
    const binding = { cookie: { secure: true }, deviceBinding: true, rotateEvery: false } as const
    const sessions = createSessions({ store: this.store, ...binding, ...this.options })
    this.#seen.push(eventsOf(sessions))
    return sessions
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections()
    await new Promise((resolve) => this.#server?.close(resolve))
    await this.sessions.close()
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** How many calls of this kind came to this status, since the last `forget`. */
  count(kind: Call['kind'], status: number): number {
    return this.calls.filter((call) => call.kind === kind && call.status === status).length
  }

  forget(): void {
    this.calls.length = 0
    this.skipped.length = 0
  }

  namesOfEvents(): string[] {
    return this.#seen.flat().map(({ name }) => name)
  }

  get #home(): string {
    return `${this.shape.prefix ?? ''}/`
  }

  #app(sessions: Sessions): Express {
    const app = express()
    app.use((req, res, next) => {
      const { 'secure-session-skipped': skipped, cookie } = req.headers
      if (skipped !== undefined) this.skipped.push(String(skipped))
      if (req.method !== 'POST' || req.path !== PATH) return next()
      const kind = req.headers['sec-secure-session-id'] === undefined ? 'registration' : 'refresh'
      if (this.lose[kind] > 0) {
        this.lose[kind] -= 1
        res.end = (() => req.socket.destroy()) as never
      }
      res.on('close', () =>
        this.calls.push({ kind, hasCookie: cookie !== undefined, status: res.statusCode }),
      )
      next()
    })
    app.use(sessionMiddleware(sessions))
    app.all(
      '/login',
      login(() => ann, { redirect: this.#home }),
    )
    app.get(
      '/callback',
      login(() => ann, { redirect: this.#home, crossSite: true }),
    )
    app.all('/logout', logout({ redirect: this.#home }))
    const who = express.Router()
    who.get('/', (req, res) => res.send(`<p>${req.user ? 'Ann' : 'Stranger'}</p>`))
    who.get('/me', (req, res) => res.json({ in: req.user !== undefined, isBound: sessionOf(req).isBound }))
    who.get('/guarded', requireUser({ loginPage: '/please' }), (_req, res) => res.send('<p>in</p>'))
    who.get('/stream', (req, res) => {
      res.type('text/event-stream').end(`data: ${req.user ? 'in' : 'out'}\n\n`)
    })
    who.post('/beacon', (req, res) => {
      this.beacons.push(req.user !== undefined)
      res.end()
    })
    who.get('/worker.js', (_req, res) => {
      res.type('text/javascript').send('onfetch = (event) => event.respondWith(fetch(event.request))')
    })
    app.use((_req, res, next) => {
      res.set('Cache-Control', 'no-store')
      next()
    }, who)
    app.use(((error: { status?: number; code?: string }, _req, res, _next) => {
      res.status(error.status ?? 500).send(`<p>${error.code}</p>`)
    }) as express.ErrorRequestHandler)
    return app
  }

  readonly beacons: boolean[] = []

  #addSockets(server: Server): void {
    const sockets = new WebSocketServer({ noServer: true })
    server.on('upgrade', (req, socket, head) => {
      void authenticateUpgrade(this.sessions, req).then((found) => {
        if (found === undefined) socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n')
        else sockets.handleUpgrade(req, socket, head, (one) => one.send('in'))
      })
    })
  }
}

/** Another site, whose page has a link to a page of ours. */
export async function otherSite(): Promise<{ url: (target: string) => string; stop: () => void }> {
  const server = createServer(certificate, (req, res) => {
    const target = new URL(req.url!, 'https://other.example').searchParams.get('to')
    res.setHeader('Content-Type', 'text/html').end(target ? `<a href="${target}">Go</a>` : '')
  })
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: (target) => `https://other.example:${port}/?to=${encodeURIComponent(target)}`,
    stop: () => server.close(),
  }
}

/** What a thief gets with curl, the browser's own User-Agent, and a Cookie header of choice. */
export async function curl(url: string, userAgent: string, cookie: string): Promise<string> {
  const { host, port, hostname } = new URL(url)
  const there = ['--resolve', `${hostname}:${port}:127.0.0.1`, '--header', `Host: ${host}`]
  const claims = ['--user-agent', userAgent, '--header', `Cookie: ${cookie}`]
  const run = promisify(execFile)
  const { stdout } = await run('curl', ['--silent', '--insecure', ...there, ...claims, url])
  return stdout
}
