import express from 'express'
import mysql from 'mysql2/promise'
import { once } from 'node:events'
import { connect } from 'node:net'
import { Pool } from 'pg'
import { login, memoryStore, sessionMiddleware, type SessionStore } from 'express-sid'
import { startApp, type App } from '../support/app-process.js'
import { listen } from '../support/listen.js'
import { has, urls, type Part } from '../support/needs.js'
import { dropKeys, freshPrefix } from '../support/redis-clients.js'
import { scratchFolder } from '../support/scratch.js'
import { asyncStore, batching, replacing, turns } from '../support/stores.js'

// A body that arrives while its session is looked up must be there afterwards, whole and once.

describe('with stores of a process', () => {
  const file = scratchFolder()
  const prefix = freshPrefix()
  const table = `sid_body_${process.pid}`
  const stores: [name: string, part: Part | undefined, open: string][] = [
    ['memory', undefined, 'memory'],
    ['SQLite', undefined, `sqlite:${file('body.sqlite')}`],
    ['Redis through node-redis', 'redis', `redis:${prefix}1:`],
    ['Redis through ioredis', 'redis', `ioredis:${prefix}2:`],
    ['PostgreSQL', 'postgres', `postgres:${table}`],
    ['MariaDB', 'mysql', `mysql:${table}`],
  ]
  const present = stores.filter(([, part]) => part === undefined || has(part))
  let app: App
  beforeAll(async () => {
    app = await startApp('__tests__/support/app-server.ts', {
      STORE: present.map(([, , open]) => open).join(' '),
    })
  }, 60_000)
  afterAll(async () => {
    await app.stop()
    if (has('redis')) await dropKeys(urls.redis, prefix)
    if (has('postgres')) await drop(new Pool({ connectionString: urls.postgres }))
    if (has('mysql')) await drop(mysql.createPool(urls.mysql))
  })
  const drop = async (pool: { query(sql: string): Promise<unknown>; end(): Promise<void> }) => {
    await pool.query(`DROP TABLE IF EXISTS ${table}, ${table}_schema`)
    await pool.end()
  }

  for (const [name, part] of stores) {
    const run = part === undefined || has(part) ? test : test.skip
    run(`${name}: no part of a body is lost`, async () => {
      const at = present.findIndex(([other]) => other === name)
      await expectWholeBodies(`${app.url}/${at}`)
    })
  }
})

/** Returns what it found only after many turns of the event loop: the whole body has come by then. */
const slow = (store: SessionStore): SessionStore =>
  replacing(asyncStore(batching(store)), {
    getMany: async (ids) => {
      await turns(100)
      return Promise.all(ids.map(async (id) => store.get(id)))
    },
    get: async (id) => {
      await turns(100)
      return store.get(id)
    },
  })

test('a slow store: no part of a body is lost', async () => {
  const app = express()
  app.use(sessionMiddleware({ store: slow(memoryStore()) }), express.json({ limit: '1mb' }))
  app.post(
    '/login',
    login((req) => ({ id: (req.body as { id: string }).id })),
  )
  app.post('/length', (req, res) => {
    res.json({
      user: (req as { user?: { id?: string } }).user?.id,
      length: (req.body as { text: string }).text.length,
    })
  })
  const server = await listen(app)
  await expectWholeBodies(server.url)
  await server.close()
})

async function expectWholeBodies(url: string): Promise<void> {
  const headers = { 'Content-Type': 'application/json' }
  const res = await fetch(`${url}/login`, { method: 'POST', headers, body: '{"id":"ann"}' })
  const cookie = res.headers.getSetCookie()[0]!.split(';')[0]!
  const all = await Promise.all(Array.from({ length: 20 }, () => post(new URL(`${url}/length`), cookie)))
  expect(all).toEqual(all.map(() => ({ user: 'ann', length: 100_000 })))
}

/** Sends a request whose body comes in three parts: with the headers, a moment later, and after that. */
async function post({ port, pathname }: URL, cookie: string): Promise<unknown> {
  const body = JSON.stringify({ text: 'x'.repeat(100_000) })
  const socket = connect(Number(port), '127.0.0.1')
  const head =
    `POST ${pathname} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookie}\r\nConnection: close\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n`
  socket.write(head + body.slice(0, 10))
  await turns(2)
  socket.write(body.slice(10, 50_000))
  await turns(2)
  socket.write(body.slice(50_000))
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  await once(socket, 'end')
  return JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))
}
