import type { SessionRecord } from 'express-sid'
import request from 'supertest'
import { MINUTE, moveTheClock, stopTheClock } from '../../support/core.js'
import { Device } from '../../support/device.js'
import { setCookies, works } from '../../support/visitor.js'
import { boundName, offerIn, PATH, site, type Browser, type Site } from './site.js'

beforeEach(() => stopTheClock())
afterEach(() => jest.useRealTimers())

const bindingOf = ({ store }: Site, { sessionId }: Browser) =>
  (store.inner.get(sessionId) as SessionRecord | undefined)?.binding
const writesOf = ({ store }: Site) => store.calls.filter((call) => call !== 'get').length

describe('a login', () => {
  it('offers the binding', async () => {
    const made = site()
    const browser = made.browser()
    const res = await browser.login()
    expect(offerIn(res)).toEqual({
      path: '_session/binding',
      challenge: expect.stringMatching(new RegExp(`^${browser.sessionId}\\.[\\w-]{43}$`)),
    })
    expect(setCookies(res)).toHaveLength(1)
    expect(bindingOf(made, browser)).toMatchObject({ state: 'offered' })
  })

  it('is the only response that does', async () => {
    const made = site()
    const browser = made.browser()
    const responses = [await browser.get('/'), await browser.post('/cart')]
    await browser.bind()
    responses.push(await browser.get('/'), await browser.post('/cart'), await browser.get('/guarded'))
    responses.push(await browser.refresh(), await browser.register(), await browser.post('/logout'))
    for (const { headers } of responses) expect(headers).not.toHaveProperty('secure-session-registration')
  })

  it('offers nothing on plain http, where no browser could take it', async () => {
    const made = site({ cookie: {} })
    const res = await request(made.app).post('/login')
    expect(res.headers).not.toHaveProperty('secure-session-registration')
    expect(setCookies(res)).toHaveLength(1)
  })

  it('that is taken back in the same request takes the offer back', async () => {
    const { app } = site()
    const res = await request(app).post('/login-and-out')
    expect(res.headers).not.toHaveProperty('secure-session-registration')
  })
})

describe('the registration', () => {
  it.each(['ES256', 'RS256'] as const)(
    'keeps the key, by %s, and asks for a proof. Nothing else changes yet',
    async (algorithm) => {
      const made = site()
      const browser = made.browser(new Device(algorithm))
      await browser.login()
      const res = await browser.register()
      expect(res.status).toBe(200)
      expect(res.body).toEqual({
        session_identifier: browser.sessionId,
        scope: { include_site: false },
        credentials: [
          {
            type: 'cookie',
            name: boundName(browser.jar.sid),
            attributes: 'Path=/; Secure; HttpOnly; SameSite=Lax',
          },
        ],
        allowed_refresh_initiators: ['*'],
      })
      expect(res.headers['cache-control']).toBe('no-store')
      expect(setCookies(res)).toEqual([])
      expect(bindingOf(made, browser)).toMatchObject({
        state: 'registered',
        key: { algorithm, jwk: browser.device.jwk },
      })
      moveTheClock(60 * MINUTE)
      expect((await browser.get('/')).body).toMatchObject({ user: { id: 'ann' }, isBound: false })
    },
  )

  it.each<[string, (browser: Browser) => Promise<string> | string]>([
    ['nothing', () => ''],
    ['garbage', () => 'garbage'],
    ['no key', ({ device, challenge }) => device.proof(challenge)],
    [
      'the signature of another key',
      ({ device, challenge }) => device.registration(challenge, { signer: new Device().privateKey }),
    ],
    [
      'HS256 with the public key as secret',
      ({ device, challenge }) =>
        device.registration(challenge, {
          header: { alg: 'HS256' },
          signer: device.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
        }),
    ],
    [
      'an RS256 key that says ES256',
      ({ challenge }) => new Device('RS256').registration(challenge, { header: { alg: 'ES256' } }),
    ],
    ['another random part', ({ device, sessionId }) => device.registration(`${sessionId}.${'A'.repeat(43)}`)],
    [
      'the offer of another session',
      ({ device, challenge }) => {
        const other = '019a0000-0000-7000-8000-000000000000'
        return device.registration(`${other}${challenge.slice(36)}`)
      },
    ],
    ['the id alone', ({ device, sessionId }) => device.registration(sessionId)],
  ])('with %s is refused, and changes nothing', async (_what, proof) => {
    const made = site()
    const browser = made.browser()
    await browser.login()
    const [before, writes, events] = [bindingOf(made, browser), writesOf(made), made.seen.length]
    const res = await browser.register(await proof(browser))
    expect([res.status, res.text]).toEqual([400, ''])
    expect(bindingOf(made, browser)).toEqual(before)
    expect([writesOf(made), made.seen.length]).toEqual([writes, events])
    expect((await browser.register()).status).toBe(200)
  })

  it('is over five minutes after the login', async () => {
    const browser = site().browser()
    await browser.login()
    moveTheClock(5 * MINUTE)
    expect((await browser.register()).status).toBe(400)
  })

  it('serves one key: with another one it is refused', async () => {
    const made = site()
    const browser = made.browser()
    const { challenge } = offerIn(await browser.login())
    await browser.register()
    const kept = bindingOf(made, browser)
    const other = new Device()
    for (const proof of [
      other.registration(challenge),
      other.registration(challenge, { header: { jwk: browser.device.jwk } }),
      browser.device.registration(challenge, { header: { jwk: other.jwk } }),
    ]) {
      expect((await browser.register(proof)).status).toBe(400)
    }
    expect(bindingOf(made, browser)).toEqual(kept)
  })

  it('serves one key, also of several at the same time', async () => {
    const browser = site().browser()
    const { challenge } = offerIn(await browser.login())
    const responses = await Promise.all(
      Array.from({ length: 10 }, () => browser.register(new Device().registration(challenge))),
    )
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(responses.filter(({ status }) => status === 400)).toHaveLength(9)
  })

  it('that is sent again, since its response was lost, gets the same again. Nothing is written twice', async () => {
    const made = site()
    const browser = made.browser()
    const { challenge } = offerIn(await browser.login())
    const proof = browser.device.registration(challenge)
    const responses = await Promise.all(Array.from({ length: 5 }, () => browser.register(proof)))
    const [kept, writes] = [bindingOf(made, browser), writesOf(made)]
    responses.push(await browser.register(proof))
    expect(
      responses.map(({ status, body }) => [status, (body as object) && body.session_identifier]),
    ).toEqual(responses.map(() => [200, browser.sessionId]))
    expect([bindingOf(made, browser), writesOf(made)]).toEqual([kept, writes])
    expect((await browser.refresh()).status).toBe(200)
    // From the first proof on it is over.
    expect((await browser.register(proof)).status).toBe(400)
  })

  it('of a session that has ended is refused', async () => {
    const browser = site().browser()
    await browser.login()
    await browser.post('/logout')
    expect((await browser.register()).status).toBe(400)
  })
})

describe('a proof', () => {
  it('that is good gets a bound cookie and the next challenge', async () => {
    const made = site()
    const browser = made.browser()
    await browser.login()
    await browser.register()
    const res = await browser.refresh()
    expect(res.status).toBe(200)
    expect(setCookies(res)).toEqual([
      expect.stringMatching(
        /^__Host-sid-bound-[0-9a-f]{12}=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
      ),
    ])
    expect(res.body).toMatchObject({ session_identifier: browser.sessionId })
    expect(made.seen.filter(({ name }) => name === 'bind')).toMatchObject([
      { name: 'bind', event: { sessionId: browser.sessionId, userId: 'ann', algorithm: 'ES256' } },
    ])
    const [first, again] = [browser.jar.bound, await browser.refresh()]
    expect(again.status).toBe(200)
    expect(browser.jar.bound).not.toBe(first)
    expect(made.seen.filter(({ name }) => name === 'bind')).toHaveLength(1)
  })

  it.each<[string, string]>([
    ['as the draft says, quoted', '"'],
    ['as Chromium does, bare', ''],
  ])('is taken %s', async (_how, quote) => {
    const browser = site().browser()
    await browser.login()
    expect(
      (await browser.register(quote + browser.device.registration(browser.challenge) + quote)).status,
    ).toBe(200)
    const proof = quote + browser.device.proof(browser.challenge) + quote
    const res = await browser.refresh(proof, { 'Sec-Secure-Session-Id': quote + browser.sessionId + quote })
    expect(res.status).toBe(200)
  })

  it('does not move the idle deadline: the request that the browser renews it for says whether its user is active', async () => {
    const made = site({ idleTimeout: '1h' })
    const browser = made.browser()
    await browser.bind()
    moveTheClock(50 * MINUTE)
    expect((await browser.refresh()).status).toBe(403)
    expect((await browser.refresh()).status).toBe(200)
    moveTheClock(10 * MINUTE)
    expect((await browser.refresh()).status).toBe(400)
  })

  it('leaves the client on record: a change of network is for a request to report', async () => {
    const made = site()
    const browser = made.browser()
    await browser.bind()
    const before = made.store.inner.get(browser.sessionId) as SessionRecord
    await browser.refresh(browser.device.proof(browser.challenge), { 'user-agent': 'curl/8' })
    expect(made.store.inner.get(browser.sessionId)).toMatchObject({
      userAgent: before.userAgent,
      ip: before.ip,
    })
  })

  it.each<[string, (browser: Browser) => string | undefined]>([
    ['missing', () => ''],
    ['garbage', () => 'garbage'],
    ['by another key', ({ challenge }) => new Device().proof(challenge)],
    ['by another key, which it brings along', ({ challenge }) => new Device().registration(challenge)],
    [
      'of the right challenge, signed by a key that it brings along',
      ({ device, challenge }) => device.registration(challenge, { signer: new Device().privateKey }),
    ],
    [
      'by HS256 with the public key as secret',
      ({ device, challenge }) =>
        device.proof(challenge, {
          header: { alg: 'HS256' },
          signer: device.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
        }),
    ],
    [
      'by RS256, and says ES256',
      ({ challenge }) => new Device('RS256').proof(challenge, { header: { alg: 'ES256' } }),
    ],
    ['without a signature', ({ device, challenge }) => device.proof(challenge, { header: { alg: 'none' } })],
    [
      'of a challenge that nobody has made',
      ({ device }) => device.proof(`${Date.now() + MINUTE}.${'A'.repeat(43)}`),
    ],
    ['of the offer', ({ device, sessionId }) => device.proof(`${sessionId}.${'A'.repeat(43)}`)],
  ])(
    'that is %s gets a challenge. Nothing is written or told, and the browser goes on',
    async (_what, proof) => {
      const made = site()
      const browser = made.browser()
      await browser.bind()
      const [before, writes, events] = [bindingOf(made, browser), writesOf(made), made.seen.length]
      const res = await browser.refresh(proof(browser))
      expect([res.status, res.text, setCookies(res)]).toEqual([403, '', []])
      expect(res.headers['secure-session-challenge']).toMatch(/^"\d+\.[\w-]{43}";id="[\w-]{36}"$/)
      expect(bindingOf(made, browser)).toEqual(before)
      expect([writesOf(made), made.seen.length]).toEqual([writes, events])
      expect((await browser.refresh()).status).toBe(200)
    },
  )

  it('that was accepted is not accepted again: a browser that has lost the response signs another challenge', async () => {
    const browser = site().browser()
    await browser.bind()
    const proof = browser.device.proof(browser.challenge)
    expect((await browser.refresh(proof)).status).toBe(200)
    const replayed = await browser.refresh(proof)
    expect([replayed.status, setCookies(replayed)]).toEqual([403, []])
    expect((await browser.refresh()).status).toBe(200)
  })

  it('is accepted once, also of several at the same time', async () => {
    const browser = site().browser()
    await browser.bind()
    const proof = browser.device.proof(browser.challenge)
    const responses = await Promise.all(Array.from({ length: 10 }, () => browser.refresh(proof)))
    expect(responses.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(responses.filter(({ status }) => status === 403)).toHaveLength(9)
  })

  it('of a challenge that is too old gets another one', async () => {
    const browser = site().browser()
    await browser.bind()
    moveTheClock(15 * MINUTE)
    expect((await browser.refresh()).status).toBe(403)
    expect((await browser.refresh()).status).toBe(200)
  })

  it('of the challenge of another session, with the own key, is not accepted', async () => {
    const made = site()
    const [one, other] = [made.browser(), made.browser()]
    await one.bind()
    await other.bind()
    expect((await one.refresh(one.device.proof(other.challenge))).status).toBe(403)
    expect((await one.refresh()).status).toBe(200)
  })

  it.each<[string, (browser: Browser) => Promise<unknown>]>([
    ['that is unknown', async (browser) => (browser.jar = { sid: '019a0000-0000-7000-8000-000000000000.x' })],
    ['that is no id', async (browser) => (browser.jar = { sid: 'x' })],
    ['that was never registered', (browser) => browser.login()],
    [
      'that has ended',
      async (browser) => {
        await browser.bind()
        const { jar } = browser
        await browser.post('/logout')
        browser.jar = jar
      },
    ],
    [
      'whose deadline has passed',
      async (browser) => {
        await browser.bind()
        moveTheClock(8 * 24 * 60 * MINUTE)
      },
    ],
  ])('of a session %s ends the binding in the browser', async (_what, prepare) => {
    const made = site()
    const browser = made.browser()
    await prepare(browser)
    const [writes, events] = [writesOf(made), made.seen.length]
    const res = await browser.refresh()
    expect([res.status, res.text]).toEqual([400, ''])
    expect(res.headers).not.toHaveProperty('secure-session-challenge')
    // Not even an expired session is touched: whoever knows an id could do this.
    expect([writesOf(made), made.seen.length]).toEqual([writes, events])
  })

  it('for a session that the browser has left for another one ends the binding of the old one', async () => {
    const made = site()
    const browser = made.browser()
    await browser.bind()
    const old = { ...browser.jar }
    const [before, challenge] = [bindingOf(made, browser), browser.challenge]
    // It has lost its cookies, and logs in again: nothing has ended the old session.
    browser.jar = {}
    await browser.login()
    const cookie = (...tokens: (string | undefined)[]) => ({
      'Sec-Secure-Session-Id': old.sid!.slice(0, 36),
      cookie: tokens.map((token) => `__Host-sid=${token}`).join('; '),
    })
    const proof = browser.device.proof(challenge)
    expect((await browser.refresh(proof, cookie(browser.jar.sid))).status).toBe(400)
    expect(made.store.inner.get(old.sid!.slice(0, 36))).toMatchObject({ binding: before })
    // Somebody has planted another cookie beside the right one, or there is none: that says nothing.
    expect((await browser.refresh(proof, cookie(browser.jar.sid, old.sid))).status).toBe(200)
  })

  it('with two ids, or two proofs, is none', async () => {
    const browser = site().browser()
    await browser.bind()
    const good = browser.device.proof(browser.challenge)
    expect(
      (await browser.refresh(good, { 'Sec-Secure-Session-Id': `${browser.sessionId}, ${browser.sessionId}` }))
        .status,
    ).toBe(400)
    expect((await browser.refresh(`${good}, ${good}`)).status).toBe(403)
  })

  it('may be as large as the server lets headers be', async () => {
    const browser = site().browser()
    await browser.bind()
    expect((await browser.refresh('x'.repeat(8_192))).status).toBe(403)
    expect((await browser.refresh(undefined, { 'Sec-Secure-Session-Id': 'x'.repeat(8_192) })).status).toBe(
      400,
    )
  })

  it.each([
    ['get', 503],
    ['update', 503],
  ] as const)(
    'while the store can not %s gets a 503: the browser tries again later',
    async (operation, status) => {
      const made = site()
      const browser = made.browser()
      await browser.bind()
      made.store.breakAt(operation, 'rejects')
      const res = await browser.refresh(browser.device.proof(browser.challenge))
      expect([res.status, res.headers['retry-after'], res.text]).toEqual([status, '60', ''])
      made.store.mend()
      expect((await browser.refresh()).status).toBe(200)
      expect((await browser.get('/')).body).toMatchObject({ isBound: true })
    },
  )
})

describe('the path', () => {
  it('is the app’s own for what is no call of a browser’s binding', async () => {
    const { app } = site()
    app.get(PATH, (_req, res) => res.send('mine'))
    expect((await request(app).get(PATH).set('Sec-Secure-Session-Id', 'x')).text).toBe('mine')
    for (const res of [
      await request(app).post(PATH),
      await request(app).post(`${PATH}/more`).set('Sec-Secure-Session-Id', 'x'),
      await request(app).post('/elsewhere').set('Sec-Secure-Session-Id', 'x'),
    ]) {
      expect(res.status).toBe(404)
    }
  })

  it('needs neither cookies nor an origin: after a link from another site there are none', async () => {
    const browser = site().browser()
    await browser.bind()
    const res = await browser.refresh(browser.device.proof(browser.challenge), {
      origin: 'https://elsewhere.example',
      'sec-fetch-site': 'cross-site',
    })
    expect(res.status).toBe(200)
  })

  it('may carry a query', async () => {
    const browser = site().browser()
    await browser.login()
    expect((await browser.register(undefined, `${PATH}?x=1`)).status).toBe(200)
  })

  it('is where the option says', async () => {
    const browser = site({ deviceBinding: { path: '/auth/device' } }).browser()
    expect(offerIn(await browser.login()).path).toBe('auth/device')
    expect((await browser.register(undefined, '/auth/device')).status).toBe(200)
  })
})

test('a session in which somebody acts is bound like a login, so that its copy opens nothing, the actor’s own neither', async () => {
  const { browser } = site({ mayActAs: () => true })
  const actor = browser()
  await actor.bind()
  const begin = works.push((session) => session.actAs({ id: 'bob' })) - 1
  const stop = works.push((session) => session.stopActing()) - 1
  const res = await actor.post('/run', actor.jar, { 'X-Work': String(begin) })
  actor.challenge = offerIn(res).challenge
  await actor.register()
  await actor.refresh()
  expect((await actor.get('/bound')).status).toBe(200)
  const stolen = { sid: actor.jar.sid }
  moveTheClock(6 * MINUTE)
  expect((await actor.get('/guarded', stolen)).status).toBe(401)
  const thief = await browser().post('/run', stolen, { 'X-Work': String(stop) })
  expect([thief.status, setCookies(thief)]).toEqual([401, []])
  expect((await actor.get('/bound')).status).toBe(200)
})
