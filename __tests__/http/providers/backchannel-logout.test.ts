import type { AddressInfo } from 'node:net'
import type { Server } from 'node:http'
import { randomUUID } from 'node:crypto'
import express, { type Express } from 'express'
import {
  backchannelLogout,
  createSessions,
  login,
  memoryStore,
  oauthState,
  refuse,
  sessionMiddleware,
  sessionOf,
  type BackchannelLogoutOptions,
  type SessionOptions,
} from 'express-sid'
import request from 'supertest'
import { DAY, eventsOf, MINUTE, moveTheClock, stopTheClock } from '../../support/core.js'
import { FaultyStore } from '../../support/faulty-store.js'
import { nativeImport } from '../../support/native-import.cjs'
import { passThrough, startProvider, type OpenIdProvider } from '../../support/openid-provider.js'
import { answerWithCode } from '../../support/site.js'
import { Visitor } from '../../support/visitor.js'

// A real OpenID provider tells that its users have logged out.

interface Jose {
  createRemoteJWKSet(url: URL): unknown
  jwtVerify(token: string, keys: unknown, checks: object): Promise<{ payload: { sub?: string } }>
}
interface Client {
  discovery(...args: unknown[]): Promise<unknown>
  allowInsecureRequests: unknown
  buildAuthorizationUrl(config: unknown, parameters: object): URL
  authorizationCodeGrant(config: unknown, url: URL, checks: object): Promise<{ claims(): Claims }>
}
interface Claims {
  sub: string
  sid?: string
}

const EVENTS = { 'http://schemas.openid.net/event/backchannel-logout': {} }

let provider: OpenIdProvider
let jose: Jose
let client: Client
let config: unknown
let server: Server
let app: Express
let origin = ''

beforeAll(async () => {
  const front = express()
  front.use((req, res, next) => app(req, res, next))
  await new Promise<void>((resolve) => (server = front.listen(0, '127.0.0.1', () => resolve())))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  provider = await startProvider([`${origin}/auth/callback`], {
    backchannel_logout_uri: `${origin}/backchannel-logout`,
    backchannel_logout_session_required: true,
  })
  jose = (await nativeImport('jose')) as Jose
  client = (await nativeImport('openid-client')) as Client
  const insecure = { execute: [client.allowInsecureRequests] }
  config = await client.discovery(
    new URL(provider.issuer),
    'shop',
    provider.clientSecret,
    undefined,
    insecure,
  )
})
afterAll(() => {
  provider.close()
  server.closeAllConnections()
  server.close()
})
afterEach(() => jest.useRealTimers())

function site(options: SessionOptions = {}, more: Partial<BackchannelLogoutOptions> = {}) {
  const sessions = createSessions(options)
  const keys = jose.createRemoteJWKSet(new URL(`${provider.issuer}/jwks`))
  const verify = async (token: string) =>
    (await jose.jwtVerify(token, keys, { issuer: provider.issuer, audience: 'shop' })).payload
  const errors: unknown[] = []
  const logins = oauthState()
  const made = express()
  made.use(sessionMiddleware(sessions), express.urlencoded({ extended: false }))
  made.all('/backchannel-logout', backchannelLogout({ verify, userId: ({ sub }) => sub, ...more }))
  made.get('/auth', async (req, res) => {
    const state = await logins.begin(req)
    const question = { redirect_uri: `${origin}/auth/callback`, scope: 'openid', state }
    res.redirect(client.buildAuthorizationUrl(config, question).href)
  })
  made.get(
    '/auth/callback',
    login(
      async (req) => {
        if (!(await logins.finish(req, req.query.state))) return refuse()
        const checks = { expectedState: req.query.state }
        const { sub, sid } = (
          await client.authorizationCodeGrant(config, new URL(req.originalUrl, origin), checks)
        ).claims()
        return { id: sub, sid }
      },
      { crossSite: true, providerSession: (_req, user: { sid?: string }) => user.sid },
    ),
  )
  made.post('/as/:id', async (req, res) => {
    const { sid } = req.query as { sid?: string }
    await sessionOf(req).login({ id: req.params.id }, { providerSession: sid })
    res.end()
  })
  made.post('/renew', async (req, res) => {
    await sessionOf(req).credentialsChanged()
    res.end()
  })
  made.post('/again', async (req, res) => {
    await sessionOf(req).reauthenticate({ id: 'ann' })
    res.end()
  })
  made.get('/me', (req, res) => void res.json(req.user ?? null))
  made.use(answerWithCode(errors))
  app = made
  const send = async (token: string | undefined, to = made) =>
    request(to)
      .post('/backchannel-logout')
      .type('form')
      .send(token === undefined ? {} : { logout_token: token })
  const logIn = async (id = 'ann', sid?: string) => {
    const visitor = new Visitor(made)
    expect((await visitor.post(`/as/${id}${sid === undefined ? '' : `?sid=${sid}`}`)).status).toBe(200)
    return visitor
  }
  const isIn = async (visitor: Visitor) => (await visitor.get('/me')).body !== null
  return { app: made, sessions, errors, events: eventsOf(sessions), send, logIn, isIn }
}

const token = (claims: object = {}) =>
  provider.logoutToken({ jti: randomUUID(), events: EVENTS, sub: 'ann', ...claims })

test('the provider ends the session that its own has begun, and no other of the user', async () => {
  const { isIn, sessions, events } = site()
  const arrive = async () => {
    const visitor = new Visitor(origin)
    const { url } = await passThrough((await visitor.get('/auth')).headers.location as string)
    await visitor.get(url.slice(origin.length), { 'Sec-Fetch-Site': 'cross-site' })
    return visitor
  }
  const [laptop, phone] = [await arrive(), await arrive()]
  const [one, other] = [(await laptop.get('/me')).body, (await phone.get('/me')).body] as Claims[]
  expect([one!.sid, other!.sid]).toEqual([expect.any(String), expect.any(String)])
  expect(one!.sid).not.toBe(other!.sid)
  await provider.tellLogout('ann', one!.sid!)
  expect([await isIn(laptop), await isIn(phone)]).toEqual([false, true])
  expect(await sessions.list('ann')).toHaveLength(1)
  expect(events.filter(({ name }) => name === 'revoke')).toMatchObject([
    { event: { userId: 'ann', cause: 'backchannelLogout' } },
  ])
})

test('a token without sub ends what its sid has begun; one without sid, all sessions of the user', async () => {
  const { logIn, isIn, send } = site()
  const [laptop, phone, other] = [
    await logIn('ann', 's1'),
    await logIn('ann', 's2'),
    await logIn('bob', 's3'),
  ]
  const res = await send(await token({ sub: undefined, sid: 's1' }))
  expect([res.status, res.text, res.headers['cache-control']]).toEqual([200, '', 'no-store'])
  expect([await isIn(laptop), await isIn(phone), await isIn(other)]).toEqual([false, true, true])
  expect((await send(await token())).status).toBe(200)
  expect([await isIn(phone), await isIn(other)]).toEqual([false, true])
  // Nobody knows of these: there is nothing to end, and that is no failure.
  expect((await send(await token({ sub: undefined, sid: 'unknown' }))).status).toBe(200)
  expect((await send(await token({ sub: 'stranger' }))).status).toBe(200)
  expect(await isIn(other)).toBe(true)
})

test('a sid that no login has named means all sessions of its user', async () => {
  const { logIn, isIn, send } = site()
  const visitor = await logIn('ann')
  await send(await token({ sid: 'never-named' }))
  expect(await isIn(visitor)).toBe(false)
})

test('a session goes on to be the provider’s after a re-authentication and after new credentials', async () => {
  for (const path of ['/renew', '/again']) {
    const { logIn, isIn, send } = site()
    const visitor = await logIn('ann', 's1')
    expect((await visitor.post(path)).status).toBe(200)
    await send(await token({ sub: undefined, sid: 's1', iat: Math.floor(Date.now() / 1_000) + 1 }))
    expect([path, await isIn(visitor)]).toEqual([path, false])
  }
})

test('only sessions end that were authenticated before it was issued', async () => {
  const { logIn, isIn, send } = site()
  stopTheClock(Date.now())
  const old = await logIn('ann', 's1')
  const issued = Math.floor(Date.now() / 1_000) + 2
  moveTheClock(4_000)
  const young = [await logIn('ann', 's1'), await logIn('ann')]
  jest.useRealTimers()
  const both = await Promise.all([token({ iat: issued, sid: 's1', sub: undefined }), token({ iat: issued })])
  stopTheClock(Date.now() + MINUTE)
  for (const one of both) expect((await send(one)).status).toBe(200)
  expect(await isIn(old)).toBe(false)
  for (const visitor of young) expect(await isIn(visitor)).toBe(true)
})

describe('a token is refused, and ends nothing,', () => {
  const bad: [string, object][] = [
    ['without events', { events: undefined }],
    ['with other events', { events: { 'http://schemas.openid.net/event/other': {} } }],
    ['with an event that is no object', { events: { [Object.keys(EVENTS)[0]!]: true } }],
    ['without aud', { aud: undefined }],
    ['for another client', { aud: 'another' }],
    ['of another issuer', { iss: 'https://evil.example' }],
    ['with a nonce, as an ID token', { nonce: 'n' }],
    ['with a nonce that is empty', { nonce: '' }],
    ['without jti', { jti: undefined }],
    ['without iat', { iat: undefined }],
    ['of the future', { iat: Math.floor(Date.now() / 1_000) + 3_600 }],
    ['that has expired', { exp: Math.floor(Date.now() / 1_000) - 60 }],
    ['of nobody', { sub: undefined }],
  ]
  test.each(bad)('%s', async (_name, claims) => {
    const { logIn, isIn, send, events } = site()
    const visitor = await logIn('ann', 's1')
    const res = await send(await token(claims))
    expect([res.status, res.body]).toEqual([
      400,
      {
        error: 'invalid_request',
        error_description: expect.stringContaining('The logout token is not good.'),
      },
    ])
    expect(await isIn(visitor)).toBe(true)
    expect(events.map(({ name }) => name)).toEqual(['login'])
  })

  // jose looks at aud only where it is told to; events and nonce it does not know.
  test('even if verify looks at the signature alone', async () => {
    const claims = (aud: unknown) =>
      ({ iss: 'i', iat: 1, jti: randomUUID(), sub: 'ann', events: EVENTS, aud }) as never
    for (const aud of [undefined, '', [], [1], 7]) {
      const { send } = site({}, { verify: () => claims(aud) })
      expect((await send('x')).body.error_description).toContain('(aud)')
    }
    const { send } = site({}, { verify: () => claims(['shop']) })
    expect((await send('x')).status).toBe(200)
    for (const none of [undefined, null, 'claims', []]) {
      expect((await site({}, { verify: () => none as never }).send('x')).status).toBe(400)
    }
  })

  test('signed by somebody else, or no token at all', async () => {
    const { logIn, isIn, send } = site()
    const visitor = await logIn('ann')
    const forged = await provider.logoutToken({ jti: '1', events: EVENTS, sub: 'ann' }, 'x'.repeat(32))
    for (const text of [forged, 'junk', '', undefined]) expect((await send(text)).status).toBe(400)
    expect(await isIn(visitor)).toBe(true)
  })

  test('the second time, on whichever node', async () => {
    const store = memoryStore()
    const [one, other] = [site({ store }), site({ store })]
    const text = await token()
    const all = await Promise.all([one, other, one, other].map(({ send, app: to }) => send(text, to)))
    expect(all.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 400, 400, 400])
    expect((await other.send(text)).body.error_description).toContain('sent before')
  })
})

test('a token is forgotten some time after it has expired', async () => {
  const store = memoryStore()
  const { send } = site({ store })
  await send(await token({ exp: Math.floor(Date.now() / 1_000) + 120 }))
  await send(await token())
  const kept = async () =>
    (await store.scan(10)).records.filter(({ expiresAt }) => Date.now() < expiresAt).length
  stopTheClock(Date.now() + 11 * MINUTE)
  expect(await kept()).toBe(2)
  moveTheClock(2 * MINUTE)
  expect(await kept()).toBe(1)
  moveTheClock(2 * DAY)
  expect(await kept()).toBe(0)
})

test('where the store fails, it is a 503, and the provider can send the same token again', async () => {
  const store = new FaultyStore('async')
  const { logIn, isIn, send } = site({ store })
  const visitor = await logIn('ann')
  const text = await token()
  store.breakNext('delete', 'rejects')
  expect((await send(text)).status).toBe(503)
  expect((await send(text)).status).toBe(200)
  expect(await isIn(visitor)).toBe(false)
  store.breakAt('insert', 'rejects')
  expect((await send(await token())).status).toBe(503)
})

test('a login that is under way while its provider’s session ends is refused', async () => {
  const { app: made, send } = site()
  stopTheClock(Date.now())
  await send(await token({ sub: undefined, sid: 's9', iat: Math.floor(Date.now() / 1_000) }))
  // Its clock is that of before the logout.
  stopTheClock(Date.now() - 2_000)
  const visitor = new Visitor(made)
  const res = await visitor.post('/as/ann?sid=s9')
  expect([res.status, visitor.cookie]).toEqual([401, ''])
})

test('other methods, a body that nobody has parsed, and options that can’t be', async () => {
  const { app: made } = site()
  const res = await request(made).get('/backchannel-logout')
  expect([res.status, res.headers.allow]).toEqual([405, 'POST'])
  const bare = express()
  const errors: unknown[] = []
  bare.use(sessionMiddleware())
  bare.post('/', backchannelLogout({ verify: () => ({}), userId: () => undefined }))
  bare.use(answerWithCode(errors))
  await request(bare).post('/').type('form').send({ logout_token: 'x' })
  expect(errors).toMatchObject([
    { code: 'OPTION_INVALID', message: expect.stringContaining('express.urlencoded') },
  ])
  const without = () => backchannelLogout({ verify: () => ({}) } as never)
  expect(without).toThrow(/userId/)
  expect(() => backchannelLogout({ verify: () => ({}), userId: () => 1, userid: 1 } as never)).toThrow(
    /Did you mean/,
  )
})

test('with the option refused, an application is told why', async () => {
  const seen: unknown[] = []
  const { send } = site(
    {},
    { refused: (_req, res, _next, error) => void (seen.push(error), res.sendStatus(error.status)) },
  )
  expect((await send('junk')).status).toBe(400)
  expect(seen).toMatchObject([{ code: 'LOGOUT_TOKEN_INVALID', cause: expect.any(Error) }])
})
