// Apps with express-openid-connect, unchanged, each under a path of its own. Not inside Jest, which can't load it: it is
// CommonJS, and requires an ES module.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import express5, { type Express, type RequestHandler } from 'express'
import express4 from 'express4'
import { auth, type ConfigParams } from 'express-openid-connect'
import expressSession from 'express-session'
import { createSessions, memoryStore } from 'express-sid'
import session, { toExpressSession } from 'express-sid/express-session'

const secret = 'keyboard cat'
const settings = { secret, resave: false, saveUninitialized: false }
const page: RequestHandler = (req, res) => {
  const kept = req.session as unknown as { n?: number }
  kept.n = (kept.n ?? 0) + 1
  res.json({ sub: req.oidc.user?.sub as unknown, n: kept.n })
}

/** Its own session is in its cookie, or in the store that it is given. */
const openId = (baseURL: string, options: ConfigParams = {}) =>
  auth({
    issuerBaseURL: process.env.ISSUER!,
    baseURL,
    clientID: 'shop',
    clientSecret: 'shop-secret',
    secret: 'a secret of express-openid-connect, long enough',
    authorizationParams: { response_type: 'code', scope: 'openid profile' },
    authRequired: false,
    ...options,
  })

const beside = (app: Express, baseURL: string, store: object) => {
  app.use(session({ ...settings, store: store as expressSession.Store }), openId(baseURL))
  return app.get('/', page)
}
const inside = (app: Express, baseURL: string) => {
  const sessions = createSessions({ store: memoryStore() })
  const store = toExpressSession(sessions) as unknown as NonNullable<ConfigParams['session']>['store']
  app.use(session({ ...settings, store: sessions }), openId(baseURL, { session: { store } }))
  return app.get('/', page)
}

const server = createServer((req, res) => {
  const [, at, rest] = /^\/(\d)(.*)$/.exec(req.url!)!
  req.url = rest || '/'
  void apps[Number(at)]!(req, res)
})
let apps: Express[]
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo
  const url = (at: number) => `http://127.0.0.1:${port}/${at}`
  // In this order: the test knows them by it.
  apps = [express5, express4].flatMap((express, nth) => [
    beside(express(), url(3 * nth), createSessions({ store: memoryStore() })),
    beside(express(), url(3 * nth + 1), new expressSession.MemoryStore()),
    inside(express(), url(3 * nth + 2)),
  ])
  console.log(`listening on ${port}`)
})
