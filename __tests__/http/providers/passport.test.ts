import type { AddressInfo } from 'node:net'
import type { Server } from 'node:http'
import express, { type Express } from 'express'
import {
  createSessions,
  fromPassport,
  login,
  oauthState,
  sessionMiddleware,
  sessionOf,
  type LoginOptions,
  type OAuthStateOptions,
  type SessionOptions,
} from 'express-sid'
import passport from 'passport'
import { Strategy as OAuth2Strategy } from 'passport-oauth2'
import OpenIdStrategy from 'passport-openidconnect'
import { eventsOf, MINUTE, moveTheClock, stopTheClock } from '../../support/core.js'
import { startProvider, passThrough, type OpenIdProvider } from '../../support/openid-provider.js'
import { answerWithCode } from '../../support/site.js'
import { Visitor, type RequestHeaders } from '../../support/visitor.js'

// Strategies of passport without req.session, against a real OpenID provider.

let provider: OpenIdProvider
let server: Server
let app: Express | undefined
let origin = ''

beforeAll(async () => {
  const front = express()
  front.use((req, res, next) => app!(req, res, next))
  await new Promise<void>((resolve) => (server = front.listen(0, '127.0.0.1', () => resolve())))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  provider = await startProvider([`${origin}/auth/callback`, `${origin}/other/callback`])
})
afterAll(() => {
  provider.close()
  server.closeAllConnections()
  server.close()
})
afterEach(() => {
  jest.useRealTimers()
  provider.visitor = 'ann'
})

type Done = (error: null, user: object) => void

/** The user's id from the userinfo endpoint, as strategies of one provider do it. */
class WithUserInfo extends OAuth2Strategy {
  override userProfile(accessToken: string, done: (error?: unknown, profile?: unknown) => void): void {
    const headers = { authorization: `Bearer ${accessToken}`, connection: 'close' }
    const ask = async () => (await fetch(`${provider.issuer}/me`, { headers })).json()
    ask().then((claims) => done(null, claims), done)
  }
}

const kinds = {
  'passport-oauth2': (options: OAuthStateOptions, path: string, more: object) =>
    new WithUserInfo(
      {
        authorizationURL: `${provider.issuer}/auth`,
        tokenURL: `${provider.issuer}/token`,
        clientID: provider.clientId,
        clientSecret: provider.clientSecret,
        callbackURL: `${origin}${path}`,
        scope: ['openid', 'profile'],
        pkce: true,
        state: true,
        ...more,
        store: oauthState(options),
      },
      (_access: string, _refresh: string, profile: { sub: string; name: string }, done: Done) =>
        done(null, { id: profile.sub, name: profile.name }),
    ),
  'passport-openidconnect': (options: OAuthStateOptions, path: string, more: object) =>
    new OpenIdStrategy(
      {
        issuer: provider.issuer,
        authorizationURL: `${provider.issuer}/auth`,
        tokenURL: `${provider.issuer}/token`,
        userInfoURL: `${provider.issuer}/me`,
        clientID: provider.clientId,
        clientSecret: provider.clientSecret,
        callbackURL: `${origin}${path}`,
        scope: ['profile'],
        // Its types say a text, and its code asks whether there is one.
        nonce: true as never,
        ...more,
        store: oauthState(options),
      },
      (_issuer: string, profile: { id: string }, done: Done) =>
        done(null, { id: profile.id, name: `Name of ${profile.id}` }),
    ),
}

interface SiteOptions {
  readonly state?: OAuthStateOptions
  readonly login?: LoginOptions
  readonly sessions?: SessionOptions
  readonly strategy?: object
}

function site(kind: keyof typeof kinds, options: SiteOptions = {}) {
  const own = new passport.Passport()
  const made: passport.Strategy = kinds[kind](options.state ?? {}, '/auth/callback', options.strategy ?? {})
  own.use('idp', made)
  const sessions = createSessions(options.sessions ?? {})
  const errors: unknown[] = []
  app = express()
  app.use(sessionMiddleware(sessions))
  const handler = login(fromPassport(own, 'idp'), {
    crossSite: true,
    redirect: '/home',
    failureRedirect: '/login?failed',
    ...options.login,
  })
  app.get('/auth', handler)
  app.get('/auth/callback', handler)
  app.post('/auth/callback', express.urlencoded({ extended: false }), handler)
  app.get(
    '/me',
    (req, res) => void res.json({ user: req.user ?? null, data: sessionOf(req).get('oauthState') ?? null }),
  )
  app.post('/cart', (req, res, next) => {
    sessionOf(req)
      .set('cart', ['tea'])
      .then(() => res.end(), next)
  })
  app.use(answerWithCode(errors))
  return {
    strategy: made as OAuth2Strategy,
    sessions,
    errors,
    events: eventsOf(sessions),
    visitor: () => new Visitor(origin),
  }
}

const fromProvider: RequestHeaders = {
  'Sec-Fetch-Site': 'cross-site',
  'Sec-Fetch-Mode': 'navigate',
  'Sec-Fetch-Dest': 'document',
  Accept: 'text/html',
}

async function begin(visitor: Visitor, path = '/auth') {
  const res = await visitor.get(path, { Accept: 'text/html' })
  expect(res.status).toBe(302)
  return res.headers.location as string
}
const pathOf = (url: string) => url.slice(origin.length)
const back = async (visitor: Visitor, url: string) => visitor.get(pathOf(url), fromProvider)

describe.each(Object.keys(kinds) as (keyof typeof kinds)[])('%s', (kind) => {
  test('logs the visitor in, and goes back to the page that asked for it', async () => {
    const { visitor, events } = site(kind)
    const ann = visitor()
    const there = new URL(await begin(ann, '/auth?returnTo=%2Forders%3Fpage%3D2'))
    expect(there.searchParams.get('state')).toMatch(/^[\w-]{32}$/)
    expect(there.searchParams.has(kind === 'passport-oauth2' ? 'code_challenge' : 'nonce')).toBe(true)
    const { url } = await passThrough(there.href)
    const home = await back(ann, url)
    expect([home.status, home.headers.location]).toEqual([303, '/orders?page=2'])
    expect((await ann.get('/me')).body).toEqual({ user: { id: 'ann', name: 'Name of ann' }, data: null })
    expect(events.map(({ name }) => name)).toEqual(['login'])
  })

  test('goes where login() says, without a page to go back to, or with one of another site', async () => {
    const redirect = (_req: unknown, user: { name: string }) => `/hello?${user.name.length}`
    const { visitor } = site(kind, { login: { redirect } })
    for (const path of ['/auth', '/auth?returnTo=%2F%2Fevil.example']) {
      const ann = visitor()
      const { url } = await passThrough(await begin(ann, path))
      expect((await back(ann, url)).headers.location).toBe('/hello?11')
    }
  })

  test('refuses a state that was made up, one of another browser, and one that was used', async () => {
    const { visitor, events } = site(kind)
    const [ann, mallory] = [visitor(), visitor()]
    const { url } = await passThrough(await begin(mallory))
    // Mallory leads Ann to the end of a login of Mallory's.
    const refused = [await back(ann, url)]
    await begin(ann)
    refused.push(await back(ann, url))
    const forged = url.replace(/state=[^&]*/, `state=${'A'.repeat(32)}`)
    refused.push(await back(ann, forged))
    refused.push(await back(ann, url.replace(/&?state=[^&]*/, '')))
    refused.push(await back(ann, url.replace(/state=[^&]*/, 'state=__proto__')))
    for (const res of refused) expect(res.headers.location).toBe('/login?failed')
    expect((await ann.get('/me')).body.user).toBeNull()

    expect((await back(mallory, url)).headers.location).toBe('/home')
    expect((await back(mallory, url)).headers.location).toBe('/login?failed')
    const reasons = events.flatMap(({ name, event }) => (name === 'loginRefused' ? [event] : []))
    expect(reasons).toHaveLength(6)
    expect(reasons[0]).toMatchObject({ reason: expect.stringContaining('begun no login with this state') })
  })

  test('lets one of simultaneous requests with one state through', async () => {
    const { visitor } = site(kind)
    const ann = visitor()
    const { url } = await passThrough(await begin(ann))
    const all = await Promise.all([1, 2, 3].map(() => ann.copy()).map((one) => back(one, url)))
    expect(all.map((res) => String(res.headers.location)).toSorted()).toEqual([
      '/home',
      '/login?failed',
      '/login?failed',
    ])
  })

  test('tells of a visitor who does not want to', async () => {
    const { visitor, events } = site(kind)
    const ann = visitor()
    provider.visitor = undefined
    const { url } = await passThrough(await begin(ann, '/auth?returnTo=%2Forders'))
    expect((await back(ann, url)).headers.location).toBe('/login?failed')
    expect(events).toMatchObject([{ name: 'loginRefused', event: { reason: 'The visitor has cancelled' } }])
  })
})

test('PKCE: the provider refuses a code that comes with another verifier', async () => {
  const { visitor, errors } = site('passport-oauth2')
  const ann = visitor()
  const [one, other] = [await passThrough(await begin(ann)), await passThrough(await begin(ann))]
  const swapped = new URL(one.url)
  swapped.searchParams.set('code', new URL(other.url).searchParams.get('code')!)
  expect((await back(ann, swapped.href)).status).toBe(500)
  expect(errors).toMatchObject([{ name: 'TokenError', code: 'invalid_grant' }])
})

test('the nonce: a code of another login is refused', async () => {
  const { visitor, events } = site('passport-openidconnect')
  const ann = visitor()
  const [one, other] = [await passThrough(await begin(ann)), await passThrough(await begin(ann))]
  const swapped = new URL(one.url)
  swapped.searchParams.set('code', new URL(other.url).searchParams.get('code')!)
  expect((await back(ann, swapped.href)).headers.location).toBe('/login?failed')
  expect(events).toMatchObject([
    { name: 'loginRefused', event: { reason: 'ID token contains invalid nonce.' } },
  ])
})

test('a maximal age of the login at the provider is compared with the time that was kept', async () => {
  const { visitor } = site('passport-openidconnect', { strategy: { maxAge: 3600 } })
  const ann = visitor()
  const { url } = await passThrough(await begin(ann))
  expect((await back(ann, url)).headers.location).toBe('/home')
})

describe('what the browser has begun', () => {
  test('is good for ten minutes, or as long as was said', async () => {
    for (const [state, minutes] of [
      [{}, 10],
      [{ timeout: '2m' }, 2],
    ] as const) {
      const { visitor } = site('passport-oauth2', { state })
      const ann = visitor()
      const { url } = await passThrough(await begin(ann))
      stopTheClock(Date.now() + minutes * MINUTE)
      expect((await back(ann, url)).headers.location).toBe('/login?failed')
      jest.useRealTimers()
    }
  })

  test('is bounded: the oldest of nine gives way, and what is too old is dropped', async () => {
    const { visitor } = site('passport-oauth2')
    const ann = visitor()
    const begun: string[] = []
    for (let n = 0; n < 9; n += 1) begun.push(await begin(ann))
    expect((await ann.get('/me')).body.data).toHaveLength(8)
    const first = await passThrough(begun[0]!)
    expect((await back(ann, first.url)).headers.location).toBe('/login?failed')
    stopTheClock(Date.now())
    moveTheClock(11 * MINUTE)
    await begin(ann)
    expect((await ann.get('/me')).body.data).toHaveLength(1)
  })

  test('does not keep a guest from their cart, and crosses into no login', async () => {
    const { visitor } = site('passport-oauth2', { login: { keep: ['cart'] } })
    const ann = visitor()
    await ann.post('/cart')
    const [{ url }] = [await passThrough(await begin(ann)), await begin(ann)]
    await back(ann, url)
    expect((await ann.get('/me')).body).toEqual({ user: expect.anything(), data: null })
  })

  test('starts no guest where nothing was begun', async () => {
    const { visitor } = site('passport-oauth2')
    const stranger = visitor()
    await back(stranger, `${origin}/auth/callback?code=1&state=2`)
    expect(stranger.cookie).toBe('')
  })
})

test('a state is no good at the callback of another client of a provider', async () => {
  const { visitor } = site('passport-oauth2')
  const own = new passport.Passport()
  own.use('other', kinds['passport-oauth2']({}, '/other/callback', { clientID: 'other' }))
  app!.get('/other/callback', login(fromPassport(own, 'other'), { crossSite: true }))
  const ann = visitor()
  const { url } = await passThrough(await begin(ann))
  const res = await ann.get(pathOf(url).replace('/auth/', '/other/'), { ...fromProvider, Accept: '*/*' })
  expect(res.status).toBe(401)
})

describe('a form that the provider’s page posts (form_post)', () => {
  const posted = {
    ...fromProvider,
    'Content-Type': 'application/x-www-form-urlencoded',
    Origin: 'https://idp.example',
  }

  function formSite(sessions: SessionOptions) {
    const made = site('passport-oauth2', { sessions })
    made.strategy.authorizationParams = () => ({ response_mode: 'form_post' })
    return made
  }

  test('is refused where its path was not named', async () => {
    const { visitor } = formSite({ cookie: { sameSite: 'none' } })
    const ann = visitor()
    const { form } = await passThrough(await begin(ann))
    const res = await ann.post('/auth/callback', posted).send(new URLSearchParams(form).toString())
    expect(res.status).toBe(403)
  })

  test('logs in where it was named, by the state that the browser holds', async () => {
    const { visitor, sessions } = formSite({
      cookie: { sameSite: 'none' },
      crossSitePaths: ['/auth/callback'],
    })
    const ann = visitor()
    const { form } = await passThrough(await begin(ann, '/auth?returnTo=%2Forders'))
    const send = async (one: Visitor) =>
      one.post('/auth/callback', posted).send(new URLSearchParams(form).toString())
    const res = await send(ann)
    expect([res.status, res.headers.location]).toEqual([303, '/orders'])
    expect((await ann.get('/me')).body.user).toMatchObject({ id: 'ann' })
    // What the browser held, a guest with the state, has ended: and so the state is used up.
    expect(await sessions.list('ann')).toHaveLength(1)
    expect((await send(ann)).headers.location).toBe('/login?failed')
    expect((await ann.get('/me')).body.user).toMatchObject({ id: 'ann' })
  })
})
