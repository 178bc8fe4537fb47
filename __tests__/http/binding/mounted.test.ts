import express, { Router } from 'express'
import { createServer, request as ask } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSessions, login, memoryStore, sessionMiddleware, sessionOf } from 'express-sid'
import request from 'supertest'
import { ann } from '../../support/core.js'
import { Device } from '../../support/device.js'
import { expresses } from '../../support/site.js'
import { offerIn } from './site.js'

// Where the app is not at the root of its host. The browser follows the path of the offer, as a URL beside the login's.

const challengeIn = (res: { headers: Record<string, unknown> }) =>
  /"([^"]+)"/.exec(String(res.headers['secure-session-challenge']))![1]!

/** Logs in at a path of a host, and goes through the binding as a browser would. Returns the paths that were called. */
async function bindAt(host: Parameters<typeof request>[0], loginPath: string) {
  const device = new Device()
  const loggedIn = await request(host).post(loginPath)
  const { path, challenge } = offerIn(loggedIn)
  const { pathname } = new URL(path, `https://host.example${loginPath}`)
  const registered = await request(host)
    .post(pathname)
    .set('Secure-Session-Response', device.registration(challenge))
  const { session_identifier: id } = registered.body as { session_identifier: string }
  const refreshed = await request(host)
    .post(pathname)
    .set({ 'Sec-Secure-Session-Id': id, 'Secure-Session-Response': device.proof(challengeIn(registered)) })
  return { statuses: [loggedIn.status, registered.status, refreshed.status], pathname }
}

const options = { deviceBinding: true, cookie: { secure: true } } as const

describe.each(expresses)('on %s', (_name, make) => {
  test('the middleware may be mounted below a path, and the login in a router', async () => {
    const app = make()
    const auth = Router()
    auth.post(
      '/login',
      login(() => ann),
    )
    app.use('/app', sessionMiddleware(options))
    app.use('/app/auth', auth as never)
    expect(await bindAt(app, '/app/auth/login')).toEqual({
      statuses: [200, 200, 200],
      pathname: '/app/_session/binding',
    })
  })

  test('the middleware may be mounted twice', async () => {
    const sessions = createSessions(options)
    const app = make()
    app.use(sessionMiddleware(sessions))
    app.use('/app', sessionMiddleware(sessions))
    app.post(
      '/app/login',
      login(() => ann),
    )
    expect((await bindAt(app, '/app/login')).statuses).toEqual([200, 200, 200])
  })
})

test('a proxy may take a prefix away, and send each call to another node', async () => {
  const store = memoryStore()
  const nodes = [0, 1].map(() => {
    const app = express()
    app.use(sessionMiddleware({ ...options, store }))
    app.post(
      '/auth/login',
      login(() => ann),
    )
    app.get('/', (req, res) => res.json({ isBound: sessionOf(req).isBound }))
    return createServer(app).listen(0)
  })
  let calls = 0
  const proxy = createServer((req, res) => {
    const { port } = nodes[calls++ % 2]!.address() as AddressInfo
    const path = req.url!.replace('/prefix', '')
    req.pipe(
      ask({ port, path, method: req.method!, headers: req.headers }, (back) => {
        res.writeHead(back.statusCode!, back.headers)
        back.pipe(res)
      }),
    )
  })
  try {
    expect(await bindAt(proxy, '/prefix/auth/login')).toEqual({
      statuses: [200, 200, 200],
      pathname: '/prefix/_session/binding',
    })
    expect(calls).toBe(3)
  } finally {
    for (const server of [...nodes, proxy]) server.close()
  }
})
