import { wiringOf } from '../../src/http/wiring.js'
import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { runInNewContext } from 'node:vm'
import {
  authenticateUpgrade,
  createSessions,
  login,
  memoryStore,
  type SessionOptions,
  type Upgraded,
} from 'express-sid'
import request from 'supertest'
import { WebSocketServer, type WebSocket } from 'ws'
import { FaultyStore } from '../support/faulty-store.js'
import { expresses, site } from '../support/site.js'
import { cookieOf } from '../support/visitor.js'
import { codeBlocks, readText, root, runBlock } from './support/page.js'
import { recipes } from './support/recipes.js'

// The README's code and its table of options, against the source. Its first page is run on the packed
// package by `packaging/consumers.test.ts`.

const readme = readText('README.md')

describe('the code of the README and of the recipes', () => {
  /** What the blocks leave to the reader: their app, their clients, and imports that an earlier block has shown. */
  const given = `
    import type { Express as App, Request } from 'express'
    import type * as Sid from 'express-sid'
    import type * as Redis from 'express-sid/redis'
    declare global {
      namespace Express { interface User { id: number; name: string } }
      const { sessionMiddleware, createSessions, login, logout, userOf }: typeof Sid
      // JavaScript can't name the type of a value, as update<string[]>() does.
      function sessionOf(req: Request): Omit<Sid.RequestSession, 'update'> & {
        update(key: string, fn: (value: any) => unknown): Promise<unknown>
      }
      const { redisStore }: typeof Redis
      const app: App
      const express: typeof import('express')
      const sessions: Sid.Sessions
      const store: Sid.SessionStore
      const userId: string
      const sessionId: string
      const redisClient: Redis.RedisClient
      const authenticate: Sid.Authenticate
      const form: import('express').RequestHandler
      // Express takes the names of parameters from the path only if no handler has types of its own for them.
      function requireUser(options?: Sid.RequireUserOptions): (req: any, res: any, next: any) => void
      // The app's own, and packages that no earlier block has imported.
      const [verifyCallback, showCart, paymentOf, providerOf, changePassword, resetPassword, sendMail]: any[]
      const [findUserByEmail, verifyLogoutRequest, verifyLoginResponse, logoutResponseUrl, asBefore]: any[]
      const passport: import('passport').PassportStatic
      const expressSession: typeof import('express-session')
      const request: typeof import('supertest')
      function audit(event: Sid.SessionEvents['login']): void
      function cors(options: { origin: string; credentials: boolean }): import('express').RequestHandler
    }`
  /** Clients of SQLite that are not installed here, as one that is. */
  const clients = `
    declare module 'better-sqlite3' { export { default } from 'libsql' }
    declare module 'node:sqlite' { export { default as DatabaseSync } from 'libsql' }`
  /** @types/node has no type for what promisify makes of scrypt. JavaScript does not need one. */
  const promisified = `
    import type { BinaryLike, ScryptOptions } from 'node:crypto'
    declare module 'node:crypto' {
      namespace scrypt {
        function __promisify__(
          password: BinaryLike, salt: BinaryLike, length: number, options: ScryptOptions,
        ): Promise<Buffer>
      }
    }`
  const tsconfig = {
    extends: join(root, 'tsconfig.json'),
    // Most of it is JavaScript, in which parameters have no types.
    compilerOptions: { noImplicitAny: false, useUnknownInCatchVariables: false, types: ['node'] },
    include: ['*.ts'],
    exclude: [],
  }

  let folder: string
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'express-sid-readme-'))))
  afterAll(() => rm(folder, { recursive: true }))

  test('fits the types of the source, block by block', async () => {
    const blocks = [readme, recipes].flatMap((page) => codeBlocks(page))
    expect(blocks.length).toBeGreaterThan(8)
    const files = Object.entries({
      'package.json': '{ "type": "module" }',
      'tsconfig.json': JSON.stringify(tsconfig),
      'given.d.ts': given,
      'clients.d.ts': clients,
      'promisified.d.ts': promisified,
      ...Object.fromEntries(blocks.map((code, at) => [`block-${at + 1}.ts`, `${code}export {}\n`])),
    })
    await Promise.all(files.map(([name, text]) => writeFile(join(folder, name), text)))
    await symlink(join(root, 'node_modules'), join(folder, 'node_modules'))
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    const said = await promisify(execFile)(process.execPath, [tsc, '--noEmit', '-p', folder]).catch(
      (error: { stdout: string }) => error,
    )
    expect(said.stdout).toBe('')
  }, 60_000)
})

describe('the table of options in the README', () => {
  const [, table] = /^## Options\n(.*?)^## /ms.exec(readme)!
  const rows = [...table!.matchAll(/^\| `([\w.]+)`\s*\| (.*?)\s*\|/gm)].map(([, name, text]) => ({
    name: name!,
    text: text!,
  }))
  const literal = /^`('[^']*'|\[.*?\]|\{.*?\}|true|false|memoryStore\(\))`/
  const defaults = rows.flatMap(({ name, text }) => {
    const [, code] = literal.exec(text) ?? []
    return code === undefined ? [] : [{ name, code }]
  })

  test('has all that there are, and no other', () => {
    const optionsOf = (misspelt: object) => {
      try {
        createSessions(misspelt)
      } catch (error) {
        return /Its options are (.*?)\. See /.exec((error as Error).message)![1]!.split(', ')
      }
      throw new Error('no option is called zebra')
    }
    const cookie = optionsOf({ cookie: { zebra: 1 } }).map((name) => `cookie.${name}`)
    const others = optionsOf({ zebra: 1 }).filter((name) => name !== 'cookie')
    expect(rows.map(({ name }) => name).toSorted()).toEqual([...others, ...cookie].toSorted())
    expect(defaults.length).toBeGreaterThan(10)
  })

  test.each(defaults)('says the default of $name: giving $code changes nothing', ({ name, code }) => {
    const value: unknown = runInNewContext(`(${code})`, { memoryStore })
    const [group, inner] = name.split('.')
    const options = inner === undefined ? { [name]: value } : { [group!]: { [inner]: value } }
    expect(wiringOf(createSessions(options as SessionOptions))!.settings).toEqual(
      wiringOf(createSessions())!.settings,
    )
  })

  test('says what follows from shorter timeouts', () => {
    expect(wiringOf(createSessions({ idleTimeout: '5m' }))!.settings.touchInterval).toBe(30_000)
    expect(wiringOf(createSessions({ guestIdleTimeout: '1m' }))!.settings.touchInterval).toBe(6_000)
  })
})

describe('the example for ws on the page about WebSockets', () => {
  let server: Server
  let port: number
  const store = new FaultyStore('async')
  const opened: unknown[] = []
  let app: ReturnType<typeof site>['app']

  beforeAll(async () => {
    const sessions = createSessions({ store, storeTimeout: '200ms' })
    ;({ app } = site(expresses[0][1], sessions, (routes) => {
      routes.post(
        '/login',
        login(() => ({ id: 'ann' })),
      )
    }))
    server = createServer(app)
    class GreetingOnce extends WebSocketServer {
      constructor(options: { noServer: true }) {
        super(options)
        this.on('connection', (ws: WebSocket, { user }: Upgraded) => {
          opened.push(user)
          ws.close()
        })
      }
    }
    const given = {
      createServer: () => server,
      WebSocketServer: GreetingOnce,
      whenSessionEnds: () => () => undefined,
    }
    const websockets = readText('docs/websockets.md')
    runBlock('new WebSocketServer', { ...given, sessions, app, authenticateUpgrade }, websockets)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    port = (server.address() as AddressInfo).port
  })
  afterEach(() => store.mend())
  afterAll(() => void server.close())

  const shake = (lines: string[]) => {
    const key = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13']
    const head = ['GET / HTTP/1.1', 'Host: here', ...key, 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==']
    const socket = connect(port, '127.0.0.1')
    socket.write([...head, ...lines, '', ''].join('\r\n'))
    return socket
  }
  const statusOf = async (socket: Socket) => {
    const [answer] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    return Number(String(answer).split(' ')[1])
  }

  test('lets a user in, and refuses strangers, other origins and a store that fails', async () => {
    const cookie = `Cookie: ${cookieOf(await request(app).post('/login'))}`
    expect(await statusOf(shake([cookie]))).toBe(101)
    expect(opened).toEqual([{ id: 'ann' }])
    expect(await statusOf(shake([]))).toBe(401)
    expect(await statusOf(shake([cookie, 'Origin: https://evil.example']))).toBe(403)
    store.breakAt('get', 'hangs')
    expect(await statusOf(shake([cookie]))).toBe(503)
  })

  test('lives on when a client is gone before it is refused', async () => {
    const cookie = `Cookie: ${cookieOf(await request(app).post('/login'))}`
    store.breakAt('get', 'hangs')
    const upgraded = once(server, 'upgrade') as Promise<[unknown, Socket]>
    const client = shake([cookie])
    const [, socket] = await upgraded
    const closed = new Promise((resolve) => socket.once('close', resolve))
    client.resetAndDestroy()
    await closed
    store.mend()
    expect(await statusOf(shake([cookie]))).toBe(101)
  })
})
