import { EventEmitter, once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { authenticateUpgrade, createSessions, type Sessions } from 'express-sid'
import { WebSocket, WebSocketServer } from 'ws'
import type { UpgradeOptions } from '../../src/http/upgrade.js'
import { rejectionOf } from '../support/core.js'
import { FaultyStore, styles } from '../support/faulty-store.js'
import { listen } from '../support/listen.js'
import { ann, chrome, firefox } from '../support/people.js'
import { express5, site } from '../support/site.js'
import type { Visitor } from '../support/visitor.js'

let toEnd: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(toEnd.map((end) => end()))
  toEnd = []
})

/**
 * A server as an application would write it: http by Express, sockets by ws, both with the same sessions. It ends
 * with the test.
 */
async function serve(sessions: Sessions = createSessions(), options?: UpgradeOptions) {
  const { app, visitor, logIn } = site(express5, sessions)
  const { server, port, close } = await listen(app)
  const sockets = new WebSocketServer({ noServer: true })
  toEnd.push(async () => {
    for (const one of sockets.clients) one.terminate()
    await close()
  })
  const open = new Map<string, WebSocket>()
  const endSocket = ({ sessionId }: { sessionId: string }) => open.get(sessionId)?.close(4401)
  sessions.on('logout', endSocket).on('revoke', endSocket)
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
  const connect = (headers: Record<string, string>) => connectTo(port, headers)
  return { server, port, visitor, logIn, connect }
}

function refuse(socket: Duplex, status: number): void {
  socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\n\r\n`)
}

/** What the handshake came to: the first message, or the status of the refusal. */
async function connectTo(port: number, headers: Record<string, string>) {
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

/** What a browser sends with a handshake. */
const headersOf = ({ cookie }: Visitor, { userAgent } = chrome) => ({
  Cookie: cookie,
  'User-Agent': userAgent,
})

describe('authenticateUpgrade', () => {
  test.each(styles)('knows the user of a WebSocket, with a store that is %s', async (style) => {
    const { logIn, connect } = await serve(createSessions({ store: new FaultyStore(style) }))
    const browser = await logIn()
    const { status, found } = await connect(headersOf(browser))
    expect([status, found]).toEqual([
      101,
      { user: ann, session: expect.objectContaining({ id: browser.id, userId: 'ann', current: true }) },
    ])
  })

  test('finds nobody without a cookie, with garbage, or with an ended session', async () => {
    const { logIn, connect } = await serve()
    const browser = await logIn()
    const ended = browser.copy()
    await browser.logout()
    for (const headers of [{}, { Cookie: 'sid=garbage' }, headersOf(ended)] as Record<string, string>[]) {
      expect((await connect(headers)).status).toBe(401)
    }
  })

  test('refuses pages of other origins with 403, with and without our cookie', async () => {
    const sessions = createSessions({ trustedOrigins: ['https://friend.example'] })
    const { logIn, connect, port } = await serve(sessions)
    const browser = await logIn()
    const open = async (headers: Record<string, string>) =>
      (await connect({ ...headersOf(browser), ...headers })).status
    expect(await open({ Origin: 'https://evil.example' })).toBe(403)
    expect(await open({ Origin: 'null' })).toBe(403)
    expect(await open({ 'Sec-Fetch-Site': 'cross-site' })).toBe(403)
    expect(await open({ 'Sec-Fetch-Site': 'same-site', Origin: `http://127.0.0.1:${port + 1}` })).toBe(403)
    expect((await connect({ Origin: 'https://evil.example' })).status).toBe(403)
    expect(await open({ Origin: `http://127.0.0.1:${port}` })).toBe(101)
    expect(await open({ Origin: 'https://friend.example' })).toBe(101)
    expect(await open({ 'Sec-Fetch-Site': 'same-origin' })).toBe(101)
  })

  test('fails with 503 when the store fails', async () => {
    for (const fault of ['throws', 'rejects', 'hangs', 'damaged'] as const) {
      for (const onStoreError of ['fail', 'anonymous'] as const) {
        const store = new FaultyStore()
        const { logIn, connect } = await serve(createSessions({ store, storeTimeout: 30, onStoreError }))
        const browser = await logIn()
        store.breakAt('get', fault)
        expect((await connect(headersOf(browser))).status).toBe(503)
      }
    }
  })

  test('survives a client that resets its connection while the store is asked', async () => {
    const store = new FaultyStore('async')
    const { server, port, logIn, connect } = await serve(createSessions({ store }))
    const browser = await logIn()
    const client = connectTcp(port, '127.0.0.1')
    store.breakNext('get', async () => {
      client.resetAndDestroy()
      await once(client, 'close')
      return undefined
    })
    const upgraded = once(server, 'upgrade') as Promise<[unknown, Socket]>
    const lines = [
      'GET / HTTP/1.1',
      'Host: a',
      'Connection: Upgrade',
      'Upgrade: websocket',
      `Cookie: ${browser.cookie}`,
    ]
    client.write(`${lines.join('\r\n')}\r\n\r\n`)
    const [, socket] = await upgraded
    // The refusal is written to a socket that is gone. `once` of node:events would be a listener for that error.
    await new Promise((resolve) => socket.once('close', resolve))
    expect(socket.errored).toMatchObject({ syscall: expect.stringMatching(/^(?:read|write)$/) })
    expect((await connect(headersOf(browser))).status).toBe(101)
  })

  test('lets a socket be closed when its session is revoked or logged out', async () => {
    const sessions = createSessions()
    const { logIn, connect } = await serve(sessions)
    for (const finish of [
      async (browser: Visitor) => sessions.revoke(browser.id),
      async (browser: Visitor) => browser.copy().logout(),
    ]) {
      const browser = await logIn()
      const { socket } = await connect(headersOf(browser))
      const closed = once(socket, 'close')
      await finish(browser)
      expect((await closed)[0]).toBe(4401)
      expect((await connect(headersOf(browser))).status).toBe(401)
    }
  })

  test('refuses another engine, and the session survives that', async () => {
    const { logIn, connect } = await serve()
    const browser = await logIn()
    expect((await connect(headersOf(browser, firefox))).status).toBe(401)
    expect((await connect(headersOf(browser, chrome))).status).toBe(101)
  })

  test('finds nobody when the cookies hold two live sessions', async () => {
    const { logIn, connect } = await serve()
    const cookies = [(await logIn()).cookie, (await logIn()).cookie]
    expect((await connect({ Cookie: cookies.join('; ') })).status).toBe(401)
  })

  test('finds nobody for a guest, who has no user', async () => {
    const { visitor, connect } = await serve()
    const guest = visitor()
    await guest.run((session) => session.set('a', 1))
    expect(guest.cookie).toMatch(/^sid=/)
    expect((await connect(headersOf(guest))).status).toBe(401)
  })

  test('needs the manager', async () => {
    await expect(authenticateUpgrade({} as never, {} as never)).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    })
  })

  test.each([
    ['a misspelt name', { ap: express5() }, 'Did you mean app?'],
    ['a router', { app: express5.Router() }, 'app of authenticateUpgrade() must be the Express app'],
    ['null', { app: null }, 'app of authenticateUpgrade() must be the Express app'],
    ['the bare app', express5(), 'The options of authenticateUpgrade() must be an object'],
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
    const { app, visitor } = site(express5, sessions)
    app.set('trust proxy', 'loopback')
    const proxy = {
      'X-Forwarded-Proto': 'https',
      'X-Forwarded-Host': 'our.example',
      'X-Forwarded-For': chrome.ip,
    }
    const browser = visitor()
    await browser.login(proxy)
    expect(browser.cookie).toBe(`__Host-sid=${browser.token}`)
    const fromOurs = { ...proxy, Origin: 'https://our.example' }
    const handshake = { ...fromOurs, ...headersOf(browser) }
    const { status, found } = await (await serve(sessions, { app })).connect(handshake)
    expect(status).toBe(101)
    expect(found).toMatchObject({ session: { id: browser.id, ip: chrome.ip } })

    const { connect } = await serve(sessions)
    expect((await connect(fromOurs)).status).toBe(403)
    expect((await connect({ ...proxy, ...headersOf(browser) })).status).toBe(401)
  })
})
