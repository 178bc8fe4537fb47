import express5, { type Response } from 'express'
import express4 from 'express4'
import { once } from 'node:events'
import { createServer, get, request, type IncomingMessage, type Server } from 'node:http'
import * as http2 from 'node:http2'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { sessionMiddleware, sessionOf } from 'express-sid'

const servers: (Server | http2.Http2Server)[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** What the application does to a response that already carries the cookie of a login. */
const waysOfWriting: Record<string, (res: Response) => unknown> = {
  setHeader: (res) => res.setHeader('Set-Cookie', 'theme=dark').end(),
  'setHeader, a list': (res) => res.setHeader('set-cookie', ['theme=dark']).end(),
  'res.set': (res) => res.set('Set-Cookie', 'theme=dark').send('ok'),
  'res.cookie': (res) => res.cookie('theme', 'dark').send('ok'),
  appendHeader: (res) => res.appendHeader('Set-Cookie', 'theme=dark').end(),
  'setHeaders of a Map': (res) =>
    (res as Response & { setHeaders(of: Map<string, string>): Response })
      .setHeaders(new Map([['Set-Cookie', 'theme=dark']]))
      .end(),
  'writeHead of an object': (res) => res.writeHead(200, { 'Set-Cookie': 'theme=dark' }).end(),
  'writeHead with a reason': (res) => res.writeHead(200, 'Fine', { 'set-cookie': ['theme=dark'] }).end(),
  'writeHead of a flat list': (res) => res.writeHead(200, ['Set-Cookie', 'theme=dark']).end(),
  'removeHeader, then set': (res) => {
    res.removeHeader('Set-Cookie')
    res.setHeader('Set-Cookie', 'theme=dark')
    res.write('a')
    res.end()
  },
  'flushHeaders, then a stream': (res) => {
    res.setHeader('Set-Cookie', 'theme=dark')
    res.flushHeaders()
    Readable.from(['a', 'b']).pipe(res)
  },
  'a redirect': (res) => {
    res.setHeader('Set-Cookie', 'theme=dark')
    res.redirect('/next')
  },
}

async function listening(server: Server | http2.Http2Server): Promise<number> {
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

async function answerOf(port: number, path = '/'): Promise<IncomingMessage> {
  const [res] = (await once(get({ port, path, host: '127.0.0.1', agent: false }), 'response')) as [
    IncomingMessage,
  ]
  res.resume()
  return res
}

const namesOf = (res: IncomingMessage) =>
  (res.headers['set-cookie'] ?? []).map((line) => line.slice(0, line.indexOf('='))).toSorted()

describe.each([
  ['Express 5', express5],
  ['Express 4', express4],
])('on %s', (_, express) => {
  function site(respond: (res: Response) => unknown): Promise<number> {
    const app = express()
    app.use(sessionMiddleware())
    app.get('/', (req, res, next) => {
      sessionOf(req)
        .login({ id: 1 })
        .then(() => respond(res), next)
    })
    app.get('/plain', (_req, res) => void respond(res))
    return listening(createServer(app))
  }

  test.each(Object.entries(waysOfWriting))(
    'the cookie of a login leaves beside one that is written by %s',
    async (_way, respond) => {
      const res = await answerOf(await site(respond))
      expect(namesOf(res)).toEqual(['sid', 'theme'])
      expect(res.headers['cache-control']).toBe('no-store')
    },
  )

  test.each<[string, Record<string, string>]>([
    ['Cache-Control', { 'Cache-Control': 'public, max-age=300' }],
    ['CDN-Cache-Control', { 'CDN-Cache-Control': 'max-age=300' }],
    ['a header of one CDN', { 'Cloudflare-CDN-Cache-Control': 'max-age=300' }],
    ['Surrogate-Control', { 'Surrogate-Control': 'max-age=300' }],
    ['X-Accel-Expires', { 'X-Accel-Expires': '300' }],
  ])('%s lets no cache keep a response that carries the cookie', async (_name, headers) => {
    for (const respond of [
      (res: Response) => res.set(headers).send('ok'),
      (res: Response) => res.writeHead(200, headers).end(),
    ]) {
      const port = await site(respond)
      const res = await answerOf(port)
      expect(namesOf(res)).toEqual(['sid'])
      expect(res.headers['cache-control']).toBe('no-store')
      for (const name of Object.keys(headers).map((one) => one.toLowerCase())) {
        if (name !== 'cache-control') expect(res.headers).not.toHaveProperty(name)
      }
      // A response that carries no cookie is the application's alone.
      expect((await answerOf(port, '/plain')).headers).toMatchObject(
        Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
      )
    }
  })

  test('a cookie of our name in a response from a server behind is replaced by ours', async () => {
    const behind = await listening(
      createServer((_req, res) => {
        res
          .writeHead(200, { 'Set-Cookie': ['sid=foreign; Path=/', 'theme=dark'], 'Cache-Control': 'public' })
          .end('ok')
      }),
    )
    const port = await site((res) => {
      request({ port: behind, host: '127.0.0.1' }, (answer) => {
        res.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(res)
      }).end()
    })
    const res = await answerOf(port)
    expect(res.headers['set-cookie']).toEqual(['theme=dark', expect.stringMatching(/^sid=[0-9a-f]{8}-/)])
    expect(res.headers['cache-control']).toBe('no-store')
  })

  test('of a logout and a login in one request only the login counts', async () => {
    const app = express()
    app.use(sessionMiddleware())
    app.get('/', (req, res, next) => {
      ;(async () => {
        await sessionOf(req).login({ id: 1 })
        await sessionOf(req).logout()
        await sessionOf(req).login({ id: 2 })
        res.setHeader('Set-Cookie', 'theme=dark').end()
      })().catch(next)
    })
    const res = await answerOf(await listening(createServer(app)))
    expect(res.headers['set-cookie']).toEqual(['theme=dark', expect.stringMatching(/^sid=[0-9a-f]{8}-/)])
  })
})

test('over HTTP/2 the cookie leaves too, whatever is written to the headers', async () => {
  const middleware = sessionMiddleware()
  const port = await listening(
    http2.createServer((req, res) => {
      middleware(req as never, res as never, () => {
        void sessionOf(req as never)
          .login({ id: 1 })
          .then(() => {
            res.setHeader('Set-Cookie', 'theme=dark')
            res.setHeader('Cache-Control', 'public')
            res.end('ok')
          })
      })
    }),
  )
  const client = http2.connect(`http://127.0.0.1:${port}`)
  const stream = client.request({ ':path': '/' })
  const [headers] = (await once(stream, 'response')) as [http2.IncomingHttpHeaders]
  // Not `close`, which waits for a body that nobody reads.
  client.destroy()
  expect(headers['set-cookie']).toEqual(['theme=dark', expect.stringMatching(/^sid=/)])
  expect(headers['cache-control']).toBe('no-store')
})
