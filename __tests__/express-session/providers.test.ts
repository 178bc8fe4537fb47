import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express, Request, RequestHandler } from 'express'
import grant from 'grant'
import passport from 'passport'
import { Strategy as OAuth2Strategy } from 'passport-oauth2'
import OpenIdStrategy from 'passport-openidconnect'
import { memoryStore } from 'express-sid'
import session from 'express-sid/express-session'
import { nativeImport } from '../support/native-import.cjs'
import { startProvider, type OpenIdProvider } from '../support/openid-provider.js'
import { everyExpress, everyPlace, secret } from './support/app.js'
import { Browser } from './support/browser.js'

// Packages that keep the state of a login at a provider in req.session, unchanged, against a real OpenID provider.

let provider: OpenIdProvider
let server: Server
let app: Express | undefined
let origin = ''

beforeAll(async () => {
  server = createServer((req, res) => app!(req, res))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  provider = await startProvider([`${origin}/callback`, `${origin}/connect/idp/callback`])
})
afterAll(() => {
  provider.close()
  server.closeAllConnections()
  server.close()
})

type Done = (error: null, user: object) => void

class WithUserInfo extends OAuth2Strategy {
  override userProfile(token: string, done: (error?: unknown, profile?: unknown) => void): void {
    const headers = { authorization: `Bearer ${token}`, connection: 'close' }
    const ask = async () => (await fetch(`${provider.issuer}/me`, { headers })).json()
    ask().then((claims) => done(null, claims), done)
  }
}

const endpoints = () => ({
  authorizationURL: `${provider.issuer}/auth`,
  tokenURL: `${provider.issuer}/token`,
  clientID: provider.clientId,
  clientSecret: provider.clientSecret,
  callbackURL: `${origin}/callback`,
})

const strategies: Record<string, () => Promise<passport.Strategy>> = {
  'passport-oauth2, with state and PKCE': async () =>
    new WithUserInfo(
      { ...endpoints(), scope: ['openid', 'profile'], pkce: true, state: true },
      (_access: string, _refresh: string, profile: { sub: string }, done: Done) =>
        done(null, { id: profile.sub }),
    ),
  'passport-openidconnect': async () =>
    new OpenIdStrategy(
      { ...endpoints(), issuer: provider.issuer, userInfoURL: `${provider.issuer}/me`, scope: ['profile'] },
      (_issuer: string, profile: { id: string }, done: Done) => done(null, { id: profile.id }),
    ),
  'the Strategy of openid-client': async () => {
    const client = (await nativeImport('openid-client')) as {
      discovery(...args: unknown[]): Promise<unknown>
      allowInsecureRequests: unknown
    }
    const { Strategy } = (await nativeImport('openid-client/passport')) as {
      Strategy: new (...args: unknown[]) => passport.Strategy
    }
    const insecure = { execute: [client.allowInsecureRequests] }
    const config = await client.discovery(
      new URL(provider.issuer),
      provider.clientId,
      provider.clientSecret,
      undefined,
      insecure,
    )
    return new Strategy(
      { config, scope: 'openid profile', callbackURL: `${origin}/callback`, name: 'idp' },
      (tokens: { claims(): { sub: string } }, done: Done) => done(null, { id: tokens.claims().sub }),
    )
  },
}

describe.each(everyExpress)('on %s', (_, express) => {
  describe.each(everyPlace)('with %s', (__, makeStore) => {
    const middleware = () => session({ secret, store: makeStore(), resave: false, saveUninitialized: false })

    test.each(Object.entries(strategies))('%s', async (___, make) => {
      const own = new passport.Passport()
      own.use('idp', await make())
      own.serializeUser((user, done) => done(null, (user as { id: string }).id))
      own.deserializeUser((id: string, done) => done(null, { id }))
      app = express()
      app.use(middleware(), own.session())
      const authenticate = own.authenticate('idp', { successRedirect: '/me', failureRedirect: '/me?failed' })
      app.get('/login', authenticate)
      app.get('/callback', authenticate)
      app.get('/me', (req, res) => void res.json({ user: req.user ?? null }))
      const browser = new Browser()
      const home = await browser.visit(`${origin}/login`)
      expect([home.url, JSON.parse(home.text)]).toEqual([`${origin}/me`, { user: { id: 'ann' } }])
      // A callback that this browser has not asked for opens nothing.
      const forged = await new Browser().visit(`${origin}/callback?code=x&state=y`)
      expect(forged.text).not.toContain('ann')
    })

    test('grant', async () => {
      app = express()
      app.use(middleware())
      app.use(
        (grant as unknown as { express(of: object): RequestHandler }).express({
          defaults: { origin, transport: 'session', state: true },
          idp: {
            oauth: 2,
            authorize_url: `${provider.issuer}/auth`,
            access_url: `${provider.issuer}/token`,
            key: provider.clientId,
            secret: provider.clientSecret,
            scope: ['openid', 'profile'],
            scope_delimiter: ' ',
            token_endpoint_auth_method: 'client_secret_basic',
            callback: '/done',
          },
        }),
      )
      app.get(
        '/done',
        (req, res) => void res.json((req.session as never as { grant: { response: object } }).grant.response),
      )
      const done = await new Browser().visit(`${origin}/connect/idp`)
      expect(JSON.parse(done.text)).toHaveProperty('access_token')
    })
  })
})

test('NestJS', async () => {
  await nativeImport('reflect-metadata')
  const common = (await nativeImport('@nestjs/common')) as Record<
    string,
    (...args: unknown[]) => (...of: unknown[]) => void
  >
  const { NestFactory } = (await nativeImport('@nestjs/core')) as {
    NestFactory: {
      create(
        module: unknown,
        options: object,
      ): Promise<{
        use(...all: unknown[]): void
        init(): Promise<void>
        close(): Promise<void>
        getHttpServer(): Server
      }>
    }
  }
  class Counter {
    count(req: Request) {
      req.session.n = (req.session.n ?? 0) + 1
      return { n: req.session.n }
    }
  }
  // oxlint-disable-next-line typescript/no-extraneous-class -- a module of NestJS is one
  class AppModule {}
  const descriptor = Object.getOwnPropertyDescriptor(Counter.prototype, 'count')!
  common.Req!()(Counter.prototype, 'count', 0)
  common.Get!()(Counter.prototype, 'count', descriptor)
  common.Controller!()(Counter)
  common.Module!({ controllers: [Counter] })(AppModule)
  const nest = await NestFactory.create(AppModule, { logger: false })
  nest.use(session({ secret, store: memoryStore(), resave: false, saveUninitialized: false }))
  await nest.init()
  const http = nest.getHttpServer()
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}/`
  const browser = new Browser()
  expect((await browser.visit(url)).text).toBe('{"n":1}')
  expect((await browser.visit(url)).text).toBe('{"n":2}')
  http.closeAllConnections()
  await nest.close()
})

declare module 'express-session' {
  interface SessionData {
    n: number
  }
}
