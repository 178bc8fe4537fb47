import { once } from 'node:events'
import { createServer } from 'node:http'
import http2 from 'node:http2'
import { gunzipSync } from 'node:zlib'
import compression from 'compression'
import flash from 'connect-flash'
import cookieParser from 'cookie-parser'
import { doubleCsrf } from 'csrf-csrf'
import { csrfSync } from 'csrf-sync'
import type { ErrorRequestHandler, Request, Response } from 'express'
import expressSession from 'express-session'
import sharedSession from 'express-socket.io-session'
import lusca from 'lusca'
import passport from 'passport'
import { Strategy as LocalStrategy } from 'passport-local'
import { Server as SocketServer } from 'socket.io'
import { io } from 'socket.io-client'
import session from 'express-sid/express-session'
import { listen } from '../support/listen.js'
import { everyExpress, everyPlace, secret } from './support/app.js'
import { Client } from './support/client.js'

// Packages that use req.session, unchanged: on Express 4 and 5, on a store of this package and on one of express-session.

describe.each(everyExpress)('on %s', (_, express) => {
  describe.each(everyPlace)('with %s', (__, makeStore) => {
    const site = (options = {}) => {
      const app = express()
      const middleware = session({
        secret,
        store: makeStore(),
        resave: false,
        saveUninitialized: false,
        ...options,
      })
      app.use(express.urlencoded({ extended: false }), cookieParser(secret), middleware)
      return { app, middleware }
    }
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' }

    test('passport and passport-local: login, user, logout, and a new session at each', async () => {
      const own = new passport.Passport()
      own.use(
        new LocalStrategy((username, password, done) =>
          done(null, password === 'right' && { id: 7, name: username }),
        ),
      )
      own.serializeUser((user, done) => done(null, (user as { id: number }).id))
      own.deserializeUser((id: number, done) => done(null, { id, name: 'ann' }))
      const { app } = site()
      app.use(own.session())
      app.get('/', (req, res) => void res.json({ user: req.user ?? null, n: req.session.n ?? null }))
      app.get('/set', (req, res) => void res.json((req.session.n = 1)))
      app.post(
        '/login',
        own.authenticate('local', {
          successRedirect: '/',
          failureRedirect: '/?failed',
          keepSessionInfo: true,
        }),
      )
      app.post('/logout', (req, res, next) => req.logout((error) => (error ? next(error) : res.json('bye'))))
      const client = new Client(app)
      await client.get('/set')
      const guest = client.copy()
      await client
        .post('/login', form)
        .send('username=ann&password=wrong')
        .expect(302)
        .expect('Location', '/?failed')
      await client
        .post('/login', form)
        .send('username=ann&password=right')
        .expect(302)
        .expect('Location', '/')
      expect(client.sid).not.toBe(guest.sid)
      expect((await client.get('/')).body).toEqual({ user: { id: 7, name: 'ann' }, n: 1 })
      expect((await guest.get('/')).body.user).toBeNull()
      const user = client.copy()
      await client.post('/logout').expect(200)
      expect((await client.get('/')).body.user).toBeNull()
      expect((await user.get('/')).body.user).toBeNull()
    })

    test('connect-flash: a message is there once', async () => {
      const { app } = site()
      app.use(flash())
      app.get('/add', (req, res) => {
        req.flash('info', 'saved')
        res.redirect('/')
      })
      app.get('/', (req, res) => void res.json(req.flash('info')))
      const client = new Client(app)
      await client.get('/add').expect(302)
      expect((await client.get('/')).body).toEqual(['saved'])
      expect((await client.get('/')).body).toEqual([])
    })

    test('csrf-sync, csrf-csrf and lusca: a form with the token passes, and no other', async () => {
      const kinds = {
        'csrf-sync': () => {
          const { csrfSynchronisedProtection, generateToken } = csrfSync({
            getTokenFromRequest: (req) => req.get('x-csrf-token'),
          })
          return { protect: csrfSynchronisedProtection, token: (req: Request) => generateToken(req) }
        },
        'csrf-csrf': () => {
          const { doubleCsrfProtection, generateCsrfToken } = doubleCsrf({
            getSecret: () => secret,
            getSessionIdentifier: (req) => req.session.id,
            cookieName: 'x-csrf',
            cookieOptions: { secure: false },
          })
          return {
            protect: doubleCsrfProtection,
            token: (req: Request) => {
              req.session.n = 1
              return generateCsrfToken(req, req.res!)
            },
          }
        },
        lusca: () => ({
          protect: lusca.csrf(),
          token: (_req: Request, res: Response) => String(res.locals['_csrf' as 'csrf']),
        }),
      }
      for (const [name, make] of Object.entries(kinds)) {
        const { protect, token } = make()
        const { app } = site()
        app.use(protect)
        app.get('/form', (req, res) => void res.json(token(req, res)))
        app.post('/', (_req, res) => void res.json('done'))
        app.use(
          ((error: { status?: number; statusCode?: number }, _req, res, _next) =>
            void res
              .status(error.status ?? error.statusCode ?? Math.max(403, res.statusCode))
              .json('no')) as ErrorRequestHandler,
        )
        const client = new Client(app)
        const shown = await client.get('/form')
        const other = (shown.headers['set-cookie'] as unknown as string[])
          .find((line) => line.startsWith('x-csrf='))
          ?.split(';')[0]
        const cookie = [client.cookie, other].filter(Boolean).join('; ')
        const send = (value: string) => client.copy().post('/', { 'x-csrf-token': value, Cookie: cookie })
        expect([name, (await send(String(shown.body))).status]).toEqual([name, 200])
        expect([name, (await send('x'.repeat(String(shown.body).length))).status]).toEqual([name, 403])
      }
    })

    test('compression, outside and inside: the same text, and the session is saved', async () => {
      for (const isOutside of [true, false]) {
        const app = express()
        const middleware = session({ secret, store: makeStore(), resave: false, saveUninitialized: false })
        const compress = compression({ threshold: 0 })
        app.use(...(isOutside ? [compress, middleware] : [middleware, compress]))
        app.get('/', (req, res) => {
          req.session.n = (req.session.n ?? 0) + 1
          res.type('text').write('a'.repeat(50_000))
          res.end(` ${req.session.n}`)
        })
        const client = new Client(app)
        await client.get('/')
        const res = await client
          .get('/', { 'Accept-Encoding': 'gzip' })
          .buffer(true)
          .parse((stream, done) => {
            const chunks: Buffer[] = []
            stream.on('data', (chunk: Buffer) => chunks.push(chunk))
            stream.on('end', () => done(null, Buffer.concat(chunks)))
          })
        const text =
          res.headers['content-encoding'] === 'gzip' && (res.body as Buffer)[0] === 0x1f
            ? gunzipSync(res.body as Buffer).toString()
            : String(res.body)
        expect(text).toBe(`${'a'.repeat(50_000)} 2`)
      }
    })

    test('Server-Sent Events are sent as they come', async () => {
      const { app } = site()
      app.get('/events', (req, res) => {
        req.session.n = 1
        res.writeHead(200, { 'Content-Type': 'text/event-stream' })
        res.write('data: 1\n\n')
        req.once('close', () => res.end())
      })
      app.get('/', (req, res) => void res.json(req.session.n ?? null))
      const server = await listen(app)
      const stop = new AbortController()
      const res = await fetch(`${server.url}/events`, { signal: stop.signal })
      const { value } = await res.body!.getReader().read()
      expect(new TextDecoder().decode(value)).toBe('data: 1\n\n')
      const [cookie] = res.headers.getSetCookie()[0]!.split(';')
      stop.abort()
      expect(await (await fetch(`${server.url}/`, { headers: { cookie: cookie! } })).json()).toBe(1)
      await server.close()
    })

    test('socket.io: engine.use, and express-socket.io-session', async () => {
      for (const kind of ['engine.use', 'express-socket.io-session']) {
        const { app, middleware } = site()
        app.get('/', (req, res) => void res.json((req.session.n = 3)))
        app.get('/read', (req, res) => void res.json(req.session.n ?? null))
        const http = await listen(createServer(app))
        const sockets = new SocketServer(http.server)
        if (kind === 'engine.use') sockets.engine.use(middleware)
        else sockets.use(sharedSession(middleware, cookieParser(secret) as never, { autoSave: true }))
        sockets.on('connection', (socket) => {
          type Held = { n?: number; save(): void }
          const held = () =>
            kind === 'engine.use'
              ? (socket.request as never as { session: Held }).session
              : (socket.handshake as never as { session: Held }).session
          socket.on('read', (done: (n: unknown) => void) => done(held().n))
          socket.on('write', async (done: () => void) => {
            held().n = 4
            await (held().save() as unknown)
            setTimeout(done, 20)
          })
        })
        const client = new Client(http.server)
        await client.get('/')
        const socket = io(http.url, {
          extraHeaders: { cookie: client.cookie! },
          transports: ['polling', 'websocket'],
        })
        await once(socket as never, 'connect')
        expect([kind, await socket.emitWithAck('read')]).toEqual([kind, 3])
        await socket.emitWithAck('write')
        expect([kind, (await client.get('/read')).body]).toEqual([kind, 4])
        socket.close()
        await sockets.close()
      }
    })
  })
})

test('http2, by its compatibility API', async () => {
  const middleware = session({
    secret,
    store: new expressSession.MemoryStore(),
    resave: false,
    saveUninitialized: false,
  })
  const server = http2.createServer((req, res) => {
    middleware(req as never, res as never, () => {
      const { session: one } = req as never as { session: { n?: number } }
      one.n = (one.n ?? 0) + 1
      res.setHeader('content-type', 'text/plain')
      res.write('n: ')
      res.end(String(one.n))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = http2.connect(`http://127.0.0.1:${(server.address() as { port: number }).port}`)
  const ask = async (headers = {}) => {
    const stream = client.request({ ':path': '/', ...headers })
    const [got] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
    let text = ''
    for await (const chunk of stream) text += String(chunk)
    return { text, cookie: got['set-cookie']?.[0]?.split(';')[0] }
  }
  const first = await ask()
  expect(first.text).toBe('n: 1')
  expect((await ask({ cookie: first.cookie })).text).toBe('n: 2')
  client.close()
  server.close()
})
