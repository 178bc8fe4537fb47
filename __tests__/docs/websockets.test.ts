import { EventEmitter, once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { runInNewContext } from 'node:vm'
import type { Express } from 'express'
import {
  authenticateUpgrade,
  createSessions,
  login,
  logout,
  requireUser,
  sessionMiddleware,
  sessionOf,
  type Sessions,
} from 'express-sid'
import expressWs from 'express-ws'
import { Server as SocketIo } from 'socket.io'
import { io as connectSocketIo } from 'socket.io-client'
import { WebSocket, WebSocketServer } from 'ws'
import { FaultyStore } from '../support/faulty-store.js'
import { ann, chrome, firefox } from '../support/people.js'
import { express5, expresses, type ExpressModule } from '../support/site.js'
import { Visitor, type RequestHeaders } from '../support/visitor.js'
import { codeBlocks, readText } from './support/page.js'
import { widely } from '../support/wide.js'

// docs/websockets.md: each example runs as it stands there.

const [onEndExample, touchExample, ...examples] = codeBlocks(readText('docs/websockets.md')) as [
  string,
  string,
  ...string[],
]
const [wsExample, expressWsExample, socketIoExample, oldSocketIoExample] = examples as [
  string,
  string,
  string,
  string,
]

/** What a client saw of its socket: the greeting, and the end. */
interface Client {
  readonly hello: Promise<string | undefined>
  readonly ended: Promise<unknown>
  readonly close: () => void
}

let toEnd: (() => void | Promise<void>)[] = []
afterEach(async () => {
  // Clients first: a server waits for what they still poll.
  for (const end of toEnd.toReversed()) await end()
  toEnd = []
})

/** Ends with the test, which can't reach what an example makes. */
class EndingIo extends SocketIo {
  constructor(server: HttpServer) {
    super(server)
    // When the server ends a socket, it waits half a minute for the next poll of a client that is gone.
    this.engine.on('connection', (socket: { transport: { closeTimeout?: number } }) => {
      socket.transport.closeTimeout = 0
    })
    toEnd.push(() => void this.close())
  }
}

function connectWs(port: number, headers: RequestHeaders, path = '/chat'): Client {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`, { headers })
  toEnd.push(() => socket.terminate())
  socket.on('error', () => undefined)
  const ended = new Promise((resolve) => socket.once('close', resolve))
  const hello = new Promise<string>((resolve) =>
    socket.once('message', (data: Buffer) => resolve(String(data))),
  )
  return { hello: Promise.race([hello, ended.then(() => undefined)]), ended, close: () => socket.close() }
}

const connectIo =
  (transport: 'polling' | 'websocket') =>
  (port: number, headers: RequestHeaders): Client => {
    const socket = connectSocketIo(`http://127.0.0.1:${port}`, {
      transports: [transport],
      extraHeaders: headers,
      reconnection: false,
      forceNew: true,
    })
    toEnd.push(async () => {
      const { engine } = socket.io
      const isClosed = (engine as { readyState?: string } | undefined)?.readyState === 'closed'
      const closed = isClosed ? undefined : new Promise((resolve) => engine.once('close', resolve))
      socket.disconnect()
      await closed
    })
    const ended = new Promise((resolve) => socket.once('disconnect', resolve).once('connect_error', resolve))
    const hello = new Promise<string>((resolve) =>
      socket.once('hello', (name: string) => resolve(`Hello ${name}`)),
    )
    return {
      hello: Promise.race([hello, ended.then(() => undefined)]),
      ended,
      close: () => socket.disconnect(),
    }
  }

/** An app as the page assumes it, with its socket server by an example of the page. */
async function serve(example: string, express: ExpressModule = express5) {
  const store = new FaultyStore('async')
  const sessions = createSessions({ store, heardWithin: '1s' })
  toEnd.push(() => sessions.close())
  const app = express()
  const globals = {
    app,
    server: undefined as HttpServer | undefined,
    sessions,
    createServer,
    WebSocketServer,
    expressWs,
    Server: EndingIo,
    authenticateUpgrade,
    requireUser,
    sessionMiddleware,
    sessionOf,
    Error,
  }
  const isExpressWs = example.includes('expressWs')
  if (!isExpressWs) app.use(sessionMiddleware(sessions))
  if (!example.includes('createServer')) globals.server = isExpressWs ? undefined : createServer(app)
  const made: unknown = runInNewContext(`${example}\n;server`, globals)
  addRoutes(app)
  const server = isExpressWs ? app.listen(0, '127.0.0.1') : (made as HttpServer).listen(0, '127.0.0.1')
  await once(server, 'listening')
  toEnd.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { app, port, sessions, store, visitor: () => new Visitor(`http://127.0.0.1:${port}`) }
}

function addRoutes(app: Express): void {
  app.post(
    '/login',
    login(() => ann),
  )
  app.post('/logout', logout())
}

const userAgent = { 'User-Agent': chrome.userAgent }

const ways = [
  ['ws', wsExample, connectWs],
  ['express-ws', expressWsExample, connectWs],
  ['express-ws on Express 4', expressWsExample, connectWs, expresses[1][1]],
  ['socket.io by WebSocket', socketIoExample, connectIo('websocket')],
  ['socket.io by long polling', socketIoExample, connectIo('polling')],
] as const
const few = new Set<string>(['ws', 'socket.io by WebSocket'])
describe.each(widely(ways, ([name]) => few.has(name)))(
  'the example for %s',
  (name, example, connect, module?: ExpressModule) => {
    async function loggedIn() {
      const made = await serve(example, module)
      const browser = made.visitor()
      await browser.login(userAgent)
      const open = (headers: RequestHeaders = {}) =>
        connect(made.port, { ...userAgent, Cookie: browser.cookie, ...headers })
      return { ...made, browser, open }
    }

    test('lets a user in, from our page', async () => {
      const { open, port } = await loggedIn()
      expect(await open().hello).toBe('Hello Ann')
      expect(await open({ Origin: `http://127.0.0.1:${port}` }).hello).toBe('Hello Ann')
      expect(await open({ 'Sec-Fetch-Site': 'same-origin' }).hello).toBe('Hello Ann')
    })

    test('lets no stranger in, and no other browser with the cookie', async () => {
      const { port, open } = await loggedIn()
      expect(await connect(port, userAgent).hello).toBeUndefined()
      expect(await open({ 'User-Agent': firefox.userAgent }).hello).toBeUndefined()
    })

    if (name !== 'socket.io by long polling') {
      test('lets no page of a sibling subdomain in, nor of any other origin', async () => {
        const { open, port } = await loggedIn()
        expect(
          await open({ 'Sec-Fetch-Site': 'same-site', Origin: 'https://blog.app.example' }).hello,
        ).toBeUndefined()
        expect(await open({ Origin: `http://127.0.0.1:${port + 1}` }).hello).toBeUndefined()
        expect(await open({ Origin: 'null' }).hello).toBeUndefined()
        expect(await open().hello).toBe('Hello Ann')
      })
    }

    test('ends the socket at the logout, and a stranger’s none', async () => {
      const { open, browser, visitor } = await loggedIn()
      const other = visitor()
      await other.login(userAgent)
      const [socket, another] = [open(), open({ Cookie: other.cookie })]
      expect([await socket.hello, await another.hello]).toEqual(['Hello Ann', 'Hello Ann'])
      await browser.logout(userAgent)
      await socket.ended
      expect(await isOpen(another)).toBe(true)
      another.close()
    })

    test('ends the socket when the session has ended on another machine, and not while the store is down', async () => {
      const { open, store, browser, sessions } = await loggedIn()
      const socket = open()
      expect(await socket.hello).toBe('Hello Ann')
      const failures: unknown[] = []
      sessions.on('storeError', (event) => failures.push(event))
      const isPolling = name === 'socket.io by long polling'
      // Each poll is a request, which is refused while the store is down.
      if (!isPolling) store.breakAt('get', 'rejects')
      await store.inner.delete(browser.id)
      if (!isPolling) while (failures.length < 2) await pause(50)
      expect(await isOpen(socket)).toBe(true)
      store.mend()
      await socket.ended
    })

    test('is believed to be secure behind a trusted proxy that says wss', async () => {
      const { app, open, visitor } = await loggedIn()
      app.set('trust proxy', 'loopback')
      const browser = visitor()
      await browser.login({ ...userAgent, 'X-Forwarded-Proto': 'https' })
      expect(browser.cookie).toMatch(/^__Host-sid=/)
      for (const proto of ['wss', 'https']) {
        expect(await open({ Cookie: browser.cookie, 'X-Forwarded-Proto': proto }).hello).toBe('Hello Ann')
      }
      expect(await open({ Cookie: browser.cookie }).hello).toBeUndefined()
    })
  },
)

/** Whether a socket does not end in the next moment. */
async function isOpen(socket: Client): Promise<boolean> {
  return (await Promise.race([socket.ended.then(() => 'ended'), pause(50)])) !== 'ended'
}

describe('the short examples', () => {
  test('close a socket at the end of its session, and keep the session alive while the socket is used', async () => {
    const sessions = createSessions({ touchInterval: 0 })
    const browser = new Visitor(appOf(sessions))
    await browser.login(userAgent)
    const session = await sessions.find(browser.id)
    const ws = Object.assign(new EventEmitter(), { close: jest.fn() })
    runInNewContext(onEndExample, { sessions, session, ws })
    runInNewContext(touchExample, { sessions, session, ws })
    await pause(5)
    ws.emit('message', 'hello')
    await pause(5)
    expect((await sessions.find(browser.id))!.lastSeenAt).toBeGreaterThan(session!.lastSeenAt)
    await browser.logout(userAgent)
    expect(ws.close.mock.calls).toEqual([[4401, 'Logged out']])
    await sessions.close()
  })
})

function appOf(sessions: Sessions): Express {
  const made = express5()
  made.use(sessionMiddleware(sessions))
  addRoutes(made)
  return made
}

describe('the old example for socket.io', () => {
  test('reads the user, and refuses pages of other origins', async () => {
    const app = express5()
    const sessions = createSessions({ store: new FaultyStore('async') })
    app.use(sessionMiddleware(sessions))
    addRoutes(app)
    const server = createServer(app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const io = new EndingIo(server)
    runInNewContext(oldSocketIoExample, { io, sessions, sessionMiddleware })
    const writes: unknown[] = []
    io.on('connection', (socket) => {
      const session = sessionOf(socket.request)
      const { user } = socket.request as { user?: typeof ann }
      // What needs no cookie works, what needs one says so.
      const attempt = user === undefined ? session.set('a', 1) : session.set('seen', true)
      attempt
        .catch((error: { code: string }) => writes.push(error.code))
        .finally(() => {
          socket.emit('hello', user?.name ?? 'stranger')
        })
    })
    const { port } = server.address() as AddressInfo
    const browser = new Visitor(`http://127.0.0.1:${port}`)
    await browser.login(userAgent)
    for (const transport of ['websocket', 'polling'] as const) {
      const open = (headers: RequestHeaders) => connectIo(transport)(port, { ...userAgent, ...headers })
      expect(await open({ Cookie: browser.cookie }).hello).toBe('Hello Ann')
      expect(await open({}).hello).toBe('Hello stranger')
    }
    expect(writes).toEqual(['HEADERS_SENT', 'HEADERS_SENT'])
    const foreign = { Cookie: browser.cookie, 'Sec-Fetch-Site': 'same-site' }
    expect(await connectIo('websocket')(port, { ...userAgent, ...foreign }).hello).toBeUndefined()
  })
})

test('a stranger in a socket of express-ws starts no guest, whose cookie nobody would get', async () => {
  const { app, port, store, visitor } = await serve(expressWsExample)
  const browser = visitor()
  await browser.login(userAgent)
  ;(app as unknown as expressWs.Application).ws('/write', (ws, req) => {
    void sessionOf(req)
      .set('seen', true)
      .then(() => 'kept')
      .catch((error: { code: string }) => error.code)
      .then((said) => ws.send(said))
  })
  store.calls.length = 0
  expect(await connectWs(port, userAgent, '/write').hello).toBe('HEADERS_SENT')
  expect(store.calls).toEqual([])
  expect(await connectWs(port, { ...userAgent, Cookie: browser.cookie }, '/write').hello).toBe('kept')
})

test('a middleware that is given no response knows the user, and hands a refusal on', async () => {
  const sessions = createSessions()
  const middleware = sessionMiddleware(sessions)
  const app = express5()
  app.use(middleware)
  addRoutes(app)
  const browser = new Visitor(app)
  await browser.login()
  const ask = (headers: object) =>
    new Promise<unknown>((resolve) => {
      const socket = Object.assign(new EventEmitter(), { remoteAddress: '127.0.0.1' })
      const request = { method: 'GET', url: '/', headers, socket }
      void middleware(request as never, {} as never, (error?: unknown) =>
        resolve(error ?? (request as { user?: unknown }).user),
      )
    })
  const shake = { cookie: browser.cookie, upgrade: 'WebSocket', 'user-agent': '' }
  expect(await ask(shake)).toEqual(ann)
  expect(await ask({ ...shake, origin: 'https://evil.example' })).toMatchObject({ code: 'CROSS_ORIGIN' })
  expect(await ask({ upgrade: 'websocket' })).toBeUndefined()
})
