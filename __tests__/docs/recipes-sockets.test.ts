import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import express from 'express'
import { createSessions, login, sessionMiddleware } from 'express-sid'
import { Server } from 'socket.io'
import { io as connect, type Socket } from 'socket.io-client'
import { ann } from '../support/people.js'
import { Visitor } from '../support/visitor.js'
import { runRecipe } from './support/recipes.js'

// The recipe of docs/recipes.md about Socket.IO, as it stands there.

/** What a TLS proxy adds. The server behind it speaks plain http. */
const proxied = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'shop.example' }

describe.each(['websocket', 'polling'])('Socket.IO behind a TLS proxy, by %s', (transport) => {
  // Another network than the one of the login is refused: so the address must be the visitor's, not the proxy's.
  const sessions = createSessions({ onClientChange: { network: 'refuse' } })
  const app = express().set('trust proxy', 1)
  app.use(sessionMiddleware(sessions))
  app.post(
    '/login',
    login(() => ann),
  )
  const server = createServer(app)
  let io: Server
  const clients: Socket[] = []
  beforeAll(async () => {
    io = runRecipe('allowRequest', { server, sessions, app, Server }, 'return io') as Server
    await once(server.listen(0, '127.0.0.1'), 'listening')
  })
  afterAll(async () => {
    for (const client of clients) client.close()
    await io.close()
  })

  /** The user that the socket was greeted with, or why it was refused. */
  async function hello(headers: Record<string, string>): Promise<unknown> {
    const { port } = server.address() as AddressInfo
    const client = connect(`http://127.0.0.1:${port}`, {
      transports: [transport],
      extraHeaders: { ...proxied, 'X-Forwarded-For': '203.0.113.7', ...headers },
      forceNew: true,
      reconnection: false,
    })
    clients.push(client)
    return new Promise((resolve) => {
      client.on('hello', resolve)
      client.on('connect_error', () => resolve('refused'))
    })
  }

  test('knows the user, and refuses strangers, other origins and other networks', async () => {
    const visitor = new Visitor(server)
    await visitor.post('/login', proxied)
    expect(visitor.cookie).toMatch(/^__Host-sid=/)
    const own = { Cookie: visitor.cookie, 'User-Agent': 'Mozilla/5.0 Chrome/140.0.0.0 Safari/537.36' }
    expect(await hello({ ...own, Origin: 'https://shop.example' })).toEqual(ann)
    expect(await hello({})).toBe('refused')
    expect(await hello({ ...own, Origin: 'https://evil.example' })).toBe('refused')
    expect(await hello({ ...own, 'X-Forwarded-For': '198.51.100.20' })).toBe('refused')
  })
})
