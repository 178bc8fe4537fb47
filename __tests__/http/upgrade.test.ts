import { wiringOf } from '../../src/http/wiring.js'
import { EventEmitter, once } from 'node:events'
import { createServer, type Server } from 'node:http'
import { connect as connectTcp, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import {
  authenticateUpgrade,
  createSessions,
  login,
  logout,
  sessionMiddleware,
  type Sessions,
} from 'express-sid'
import request from 'supertest'
import { WebSocket, WebSocketServer } from 'ws'
import type { UpgradeOptions } from '../../src/http/upgrade.js'
import { ann, rejectionOf } from '../support/core.js'
import { agents, cookieOf, expresses, idOf } from './support/apps.js'
import { FaultyStore, styles } from './support/faulty-store.js'

/** A server as an application would write it: http by Express, sockets by ws, both with the same sessions. */
async function serve(sessions: Sessions, options?: UpgradeOptions) {
  const app = expresses[0][1]()
  app.use(sessionMiddleware(sessions))
  app.post(
    '/login',
    login(() => ann),
  )
  app.post('/logout', logout())
  const server = createServer(app)
  const sockets = new WebSocketServer({ noServer: true })
  const open = new Map<string, WebSocket>()
  const close = ({ sessionId }: { sessionId: string }) => open.get(sessionId)?.close(4401)
  sessions.on('logout', close).on('revoke', close)
  server.on('upgrade', (req, socket, head) => {
    authenticateUpgrade(sessions, req, options).then(
      (found) => {
        if (found === undefined) return refuse(socket, 401)
        sockets.handleUpgrade(req, socket, head, (one) => {
          open.set(found.session.id, one)
          one.send(JSON.stringify(found))
        })
      },
      (error: { status: number }) => refuse(socket, error.status),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port, end: () => end(server, sockets) }
}

function refuse(socket: Duplex, status: number): void {
  socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\n\r\n`)
}

async function end(server: Server, sockets: WebSocketServer): Promise<void> {
  for (const one of sockets.clients) one.terminate()
  server.closeAllConnections()
  server.close()
  await once(server, 'close')
}

/** What the handshake came to: the first message, or the status of the refusal. */
async function connect(port: number, headers: Record<string, string>) {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers })
  return new Promise<{ socket: WebSocket; status: number; found?: unknown }>((resolve) => {
    socket.on('error', () => undefined)
    socket.on('unexpected-response', (_req, res) => {
      res.resume()
      socket.terminate()
      resolve({ socket, status: res.statusCode! })
    })
    socket.on('message', (data: Buffer) =>
      resolve({ socket, status: 101, found: JSON.parse(data.toString()) as unknown }),
    )
  })
}

describe('authenticateUpgrade', () => {
  test.each(styles)('knows the user of a WebSocket, with a store that is %s', async (style) => {
    const { server, port, end: stop } = await serve(createSessions({ store: new FaultyStore(style) }))
    const res = await request(server).post('/login')
    const { status, found } = await connect(port, { Cookie: cookieOf(res) })
    expect([status, found]).toEqual([
      101,
      { user: ann, session: expect.objectContaining({ id: idOf(res), userId: 'ann', current: true }) },
    ])
    await stop()
  })

  test('takes a stranger for one: no cookie, garbage, an ended session', async () => {
    const { server, port, end: stop } = await serve(createSessions())
    const cookie = cookieOf(await request(server).post('/login'))
    await request(server).post('/logout').set('Cookie', cookie)
    for (const headers of [{}, { Cookie: 'sid=garbage' }, { Cookie: cookie }] as Record<string, string>[]) {
      expect((await connect(port, headers)).status).toBe(401)
    }
    await stop()
  })

  test('refuses pages of other origins with 403, with and without our cookie', async () => {
    const {
      server,
      port,
      end: stop,
    } = await serve(createSessions({ trustedOrigins: ['https://friend.example'] }))
    const cookie = cookieOf(await request(server).post('/login'))
    const open = async (headers: Record<string, string>) =>
      (await connect(port, { Cookie: cookie, ...headers })).status
    expect(await open({ Origin: 'https://evil.example' })).toBe(403)
    expect(await open({ Origin: 'null' })).toBe(403)
    expect(await open({ 'Sec-Fetch-Site': 'cross-site' })).toBe(403)
    expect(await open({ 'Sec-Fetch-Site': 'same-site', Origin: `http://127.0.0.1:${port + 1}` })).toBe(403)
    expect((await connect(port, { Origin: 'https://evil.example' })).status).toBe(403)
    expect(await open({ Origin: `http://127.0.0.1:${port}` })).toBe(101)
    expect(await open({ Origin: 'https://friend.example' })).toBe(101)
    expect(await open({ 'Sec-Fetch-Site': 'same-origin' })).toBe(101)
    await stop()
  })

  test('answers 503 when the store fails', async () => {
    for (const fault of ['throws', 'rejects', 'hangs', 'damaged'] as const) {
      for (const onStoreError of ['fail', 'anonymous'] as const) {
        const store = new FaultyStore()
        const {
          server,
          port,
          end: stop,
        } = await serve(createSessions({ store, storeTimeout: 30, onStoreError }))
        const cookie = cookieOf(await request(server).post('/login'))
        store.breakAt('get', fault)
        expect((await connect(port, { Cookie: cookie })).status).toBe(503)
        await stop()
      }
    }
  })

  test('survives a client that resets its connection while the store is asked', async () => {
    const store = new FaultyStore('async')
    const { server, port, end: stop } = await serve(createSessions({ store }))
    const cookie = cookieOf(await request(server).post('/login'))
    const client = connectTcp(port, '127.0.0.1')
    const get = store.get.bind(store)
    store.get = async () => {
      store.get = get
      client.resetAndDestroy()
      await once(client, 'close')
      return undefined
    }
    const upgraded = once(server, 'upgrade') as Promise<[unknown, Socket]>
    const lines = [
      'GET / HTTP/1.1',
      'Host: a',
      'Connection: Upgrade',
      'Upgrade: websocket',
      `Cookie: ${cookie}`,
    ]
    client.write(`${lines.join('\r\n')}\r\n\r\n`)
    const [, socket] = await upgraded
    // The refusal is written to a socket that is gone. `once` of node:events would be a listener for that error.
    await new Promise((resolve) => socket.once('close', resolve))
    expect(socket.errored).toMatchObject({ syscall: expect.stringMatching(/^(?:read|write)$/) })
    expect((await connect(port, { Cookie: cookie })).status).toBe(101)
    await stop()
  })

  test('lets a socket be closed when its session is revoked or logged out', async () => {
    const sessions = createSessions()
    const { server, port, end: stop } = await serve(sessions)
    for (const finish of [
      (res: request.Response) => sessions.revoke(idOf(res)),
      async (res: request.Response) => request(server).post('/logout').set('Cookie', cookieOf(res)),
    ]) {
      const res = await request(server).post('/login')
      const { socket } = await connect(port, { Cookie: cookieOf(res) })
      const closed = once(socket, 'close')
      await finish(res)
      expect((await closed)[0]).toBe(4401)
      expect((await connect(port, { Cookie: cookieOf(res) })).status).toBe(401)
    }
    await stop()
  })

  test('refuses another engine, and the session survives that', async () => {
    const { server, port, end: stop } = await serve(createSessions())
    const cookie = cookieOf(await request(server).post('/login').set('User-Agent', agents.chrome))
    const open = async (agent: string) =>
      (await connect(port, { Cookie: cookie, 'User-Agent': agent })).status
    expect(await open(agents.firefox)).toBe(401)
    expect(await open(agents.chrome)).toBe(101)
    await stop()
  })

  test('is nobody where two live sessions are in the cookies', async () => {
    const { server, port, end: stop } = await serve(createSessions())
    const cookies = [
      cookieOf(await request(server).post('/login')),
      cookieOf(await request(server).post('/login')),
    ]
    expect((await connect(port, { Cookie: cookies.join('; ') })).status).toBe(401)
    await stop()
  })

  test('knows a guest for no user', async () => {
    const sessions = createSessions()
    const { token } = await wiringOf(sessions)!.engine.startGuest({ a: 1 }, { userAgent: '', ip: '' })
    const { port, end: stop } = await serve(sessions)
    expect((await connect(port, { Cookie: `sid=${token}` })).status).toBe(401)
    await stop()
  })

  test('needs the manager', async () => {
    await expect(authenticateUpgrade({} as never, {} as never)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    })
  })

  test.each([
    ['a misspelt name', { ap: expresses[0][1]() }, 'Did you mean app?'],
    ['a router', { app: expresses[0][1].Router() }, 'app of authenticateUpgrade() must be the Express app'],
    ['null', { app: null }, 'app of authenticateUpgrade() must be the Express app'],
    ['the bare app', expresses[0][1](), 'The options of authenticateUpgrade() must be an object'],
  ])('refuses %s in place of its option, at every handshake', async (_what, options, words) => {
    const handshake = { socket: new EventEmitter() }
    const ask = () => authenticateUpgrade(createSessions(), handshake as never, options as never)
    for (const error of [await rejectionOf(ask()), await rejectionOf(ask())]) {
      expect(error).toMatchObject({ code: 'OPTION_INVALID', message: expect.stringContaining(words) })
    }
    // The application still has to answer, to a client that may be gone. One listener is enough for that.
    expect(handshake.socket.listenerCount('error')).toBe(1)
  })

  test('behind a proxy believes what the app believes', async () => {
    const sessions = createSessions()
    const app = expresses[0][1]()
    app.set('trust proxy', 'loopback')
    const { port, end: stop } = await serve(sessions, { app })
    const proxy = {
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'our.example',
      'X-Forwarded-For': '203.0.113.7',
    }
    const { token, record } = await wiringOf(sessions)!.engine.login(
      ann,
      { userAgent: '', ip: '203.0.113.7' },
      [],
    )
    const { status, found } = await connect(port, {
      ...proxy,
      Origin: 'https://our.example',
      Cookie: `__Host-sid=${token}`,
    })
    expect(status).toBe(101)
    expect(found).toMatchObject({ session: { id: record.id, ip: '203.0.113.7' } })
    await stop()

    const { port: other, end: stopOther } = await serve(sessions)
    const open = async (headers: Record<string, string>) => (await connect(other, headers)).status
    expect(await open({ ...proxy, Origin: 'https://our.example' })).toBe(403)
    expect(await open({ ...proxy, Cookie: `__Host-sid=${token}` })).toBe(401)
    await stopOther()
  })
})
