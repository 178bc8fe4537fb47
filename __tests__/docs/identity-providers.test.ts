import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type Express } from 'express'
import * as sid from 'express-sid'
import { createSessions, memoryStore, requireUser, type Sessions } from 'express-sid'
import passport from 'passport'
import { Strategy as OAuth2Strategy } from 'passport-oauth2'
import { eventsOf } from '../support/core.js'
import { nativeImport } from '../support/native-import.cjs'
import { passThrough, startProvider, type OpenIdProvider } from '../support/openid-provider.js'
import { answerWithCode } from '../support/site.js'
import { Visitor } from '../support/visitor.js'
import { codeBlocks, readText } from './support/page.js'

// docs/identity-providers.md: its code runs as it stands there, against a real OpenID provider.

const page = readText('docs/identity-providers.md')

let provider: OpenIdProvider
let server: Server
let app: Express
let origin = ''

beforeAll(async () => {
  const front = express()
  front.use((req, res, next) => app(req, res, next))
  await new Promise<void>((resolve) => (server = front.listen(0, '127.0.0.1', () => resolve())))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  provider = await startProvider([`${origin}/auth/callback`])
})
afterAll(() => {
  provider.close()
  server.closeAllConnections()
  server.close()
})

/** Runs a block of the page with these names in place of its imports. */
async function run(text: string, names: object, result = ''): Promise<unknown> {
  const found = codeBlocks(page).filter((code) => code.includes(text))
  if (found.length !== 1) throw new Error(`${found.length} blocks of the page hold ${JSON.stringify(text)}`)
  const body = `return (async () => { ${found[0]!.replaceAll(/^import .*$/gm, '')}; ${result} })()`
  const all = { express, ...sid, app, origin, ...names }
  // oxlint-disable-next-line typescript/no-implied-eval -- the code is a block of our own page
  return new Function(...Object.keys(all), body)(...Object.values(all)) as Promise<unknown>
}

const company = () => ({
  authorizationURL: `${provider.issuer}/auth`,
  tokenURL: `${provider.issuer}/token`,
  clientID: provider.clientId,
  clientSecret: provider.clientSecret,
  scope: ['openid', 'profile'],
})
/** With the user of the userinfo endpoint, as strategies of one provider have it. */
class CompanyStrategy extends OAuth2Strategy {
  override userProfile(accessToken: string, done: (error?: unknown, profile?: unknown) => void): void {
    const headers = { authorization: `Bearer ${accessToken}`, connection: 'close' }
    const ask = async () => (await fetch(`${provider.issuer}/me`, { headers })).json()
    ask().then((claims) => done(null, claims), done)
  }
}
const findUser = (
  _a: string,
  _r: string,
  profile: { sub: string; name: string },
  done: (...args: unknown[]) => void,
) => done(null, { id: profile.sub, name: profile.name })

const fromProvider = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', Accept: 'text/html' }
const asPage = { 'Sec-Fetch-Mode': 'navigate', Accept: 'text/html' }

async function withPassport(sessions: Sessions, result = 'return viaCompany'): Promise<unknown> {
  app = express()
  const names = {
    passport: new passport.Passport(),
    OAuth2Strategy: CompanyStrategy,
    company: company(),
    findUser,
  }
  return run(
    "'company',\n  new OAuth2Strategy",
    { ...names, sessions, callbackURL: `${origin}/auth/callback` },
    result,
  )
}

/** A visitor asks for a page, is led to the provider, and comes back. */
async function roundTrip(asked = '/account?tab=2') {
  const ann = new Visitor(origin)
  const toLogin = await ann.get(asked, asPage)
  expect(toLogin.headers.location).toBe(`/auth?returnTo=${encodeURIComponent(asked)}`)
  const away = await ann.get(toLogin.headers.location, asPage)
  const { url } = await passThrough(away.headers.location as string)
  const back = await ann.get(url.slice(origin.length), fromProvider)
  return { ann, url, back }
}

test('passport logs in without req.session, and the visitor comes back to the page', async () => {
  await withPassport(createSessions())
  const { ann, back } = await roundTrip()
  expect([back.status, back.headers.location]).toEqual([303, '/account?tab=2'])
  expect((await ann.get('/account')).body).toEqual({ id: 'ann', name: 'Name of ann' })
})

describe('openid-client', () => {
  async function withClient() {
    const sessions = createSessions()
    app = express()
    app.use(sid.sessionMiddleware(sessions))
    app.get('/account', requireUser({ loginPage: '/auth' }), (req, res) => void res.json(req.user))
    const library = (await nativeImport('openid-client')) as {
      discovery: (...args: unknown[]) => Promise<unknown>
      allowInsecureRequests: unknown
    }
    // The provider of the test speaks plain http, which production must not.
    const discovery = async (issuer: URL, ...rest: unknown[]) =>
      library.discovery(issuer, ...rest, undefined, { execute: [library.allowInsecureRequests] })
    const client = { ...library, discovery }
    const { issuer, clientId, clientSecret } = provider
    await run('client.discovery', { client, issuer, clientId, clientSecret })
    const errors: unknown[] = []
    app.use(answerWithCode(errors))
    return { events: eventsOf(sessions), errors }
  }

  test('logs in, and the visitor comes back to the page', async () => {
    await withClient()
    const { ann, back, url } = await roundTrip()
    expect([back.status, back.headers.location]).toEqual([303, '/account?tab=2'])
    expect((await ann.get('/account')).body.id).toBe('ann')
    // The same response once more, and in another browser.
    for (const visitor of [ann, new Visitor(origin)]) {
      expect((await visitor.get(url.slice(origin.length), fromProvider)).headers.location).toBe(
        '/login?failed',
      )
    }
  })

  test('refuses a forged state, a visitor who has cancelled, and a code of another login', async () => {
    const { events, errors } = await withClient()
    const ann = new Visitor(origin)
    const begin = async () => (await passThrough((await ann.get('/auth')).headers.location as string)).url
    const [one, other] = [await begin(), await begin()]
    const back = async (url: URL | string) => ann.get(String(url).slice(origin.length), fromProvider)
    const forged = new URL(one)
    forged.searchParams.set('state', 'A'.repeat(32))
    expect((await back(forged)).headers.location).toBe('/login?failed')
    const swapped = new URL(one)
    swapped.searchParams.set('code', new URL(other).searchParams.get('code')!)
    expect((await back(swapped)).status).toBe(400)
    expect(errors).toHaveLength(1)
    provider.visitor = undefined
    expect((await back(await begin())).headers.location).toBe('/login?failed')
    provider.visitor = 'ann'
    expect(events.map(({ event }) => 'reason' in event && event.reason)).toEqual([
      'a state that this browser has not begun',
      'access_denied',
    ])
  })
})

test('where a new user goes may be another page', async () => {
  app = express()
  app.use(sid.sessionMiddleware())
  const own = new passport.Passport()
  own.use('company', {
    authenticate(this: passport.StrategyCreated<passport.Strategy>, req) {
      this.success({ id: 1, isNew: req.query.new !== undefined })
    },
  })
  const code = codeBlocks(page).find((block) => block.includes('user.isNew'))!
  // oxlint-disable-next-line typescript/no-implied-eval -- the code is a block of our own page
  const handler = new Function('login', 'fromPassport', 'passport', `return ${code}`)(
    sid.login,
    sid.fromPassport,
    own,
  )
  app.get('/auth', handler)
  expect((await new Visitor(origin).get('/auth?new')).headers.location).toBe('/welcome')
  expect((await new Visitor(origin).get('/auth')).headers.location).toBe('/')
})

test('a callback by a form of the provider reaches its route', async () => {
  const viaCompany = await withPassport(createSessions({ cookie: { sameSite: 'none' } }))
  const routes = app
  app = express()
  await run('crossSitePaths', { store: memoryStore(), viaCompany })
  app.use((req, res, next) => routes(req, res, next))
  const ann = new Visitor(origin)
  const form = {
    'Content-Type': 'application/x-www-form-urlencoded',
    Origin: provider.issuer,
    ...fromProvider,
  }
  const res = await ann.post('/auth/callback', form).send('code=1&state=2')
  expect([res.status, res.headers.location]).toEqual([303, '/login?failed'])
})

test('the provider logs its user out, by jose', async () => {
  const sessions = createSessions()
  app = express()
  app.use(sid.sessionMiddleware(sessions))
  const { createRemoteJWKSet, jwtVerify } = (await nativeImport('jose')) as Record<string, unknown>
  const { issuer, clientId } = provider
  const names = { createRemoteJWKSet, jwtVerify, issuer, clientId, sessions }
  await run('createRemoteJWKSet', { ...names, userOfProvider: () => ({ id: 'ann', sid: 's1' }) })
  app.get('/account', requireUser(), (req, res) => void res.json(req.user))
  const [ann, other] = [new Visitor(origin), new Visitor(origin)]
  await ann.get('/auth/callback')
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' }
  const tell = async (claims: object) =>
    other
      .post('/auth/backchannel-logout', form)
      .send(`logout_token=${await provider.logoutToken({ jti: 'j1', events, ...claims })}`)
  expect((await tell({ sid: 's1', nonce: 'n' })).status).toBe(400)
  expect((await ann.get('/account')).status).toBe(200)
  expect((await tell({ sid: 's1' })).status).toBe(200)
  expect((await ann.get('/account')).status).toBe(401)
})
