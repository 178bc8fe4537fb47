import { logout, type SessionError } from 'express-sid'
import { eventsOf, rejectionOf } from '../../support/core.js'
import { styles } from '../../support/faulty-store.js'
import { ann, bob, firefox, unissuedToken } from '../../support/people.js'
import { express5, expresses, site } from '../../support/site.js'
import { setCookies, type Visitor, type VisitorOptions } from '../../support/visitor.js'

const asJson = { Accept: 'application/json' }
const cleared = [expect.stringMatching(/^sid=; Max-Age=0; Path=\/; Expires=Thu, 01 Jan 1970/)]

describe.each(expresses)('logout() on %s', (_name, module) => {
  test('ends the session of a client that is refused, and says so', async () => {
    const browser = await site(module).logIn()
    expect((await browser.copy(firefox).logout()).text).toBe('Logged Out')
    expect(await browser.user()).toBeNull()
  })

  test('ends the session of a client that is refused, though a write of the request was refused', async () => {
    const { logIn, sessions } = site(module)
    const browser = await logIn()
    const left = await browser.copy(firefox).run(async (session) => {
      const refused = await rejectionOf(session.set('seen', true))
      return [(refused as SessionError).code, await session.logout()]
    })
    expect(left.body).toEqual(['SESSION_REFUSED', true])
    expect(await sessions.find(browser.id)).toBeUndefined()
  })

  test("ends the session of a guest that is refused, though the request has started another guest's", async () => {
    const { visitor, sessions } = site(module)
    const guest = visitor()
    await guest.run((session) => session.set('cart', ['book']))
    const left = await guest.copy(firefox).run(async (session) => {
      await session.set('seen', true)
      return session.logout()
    })
    expect(left.body).toBe(true)
    expect(await sessions.find(guest.id)).toBeUndefined()
  })

  test.each(styles)('ends the session for good, with a store that is %s', async (style) => {
    const { logIn, sessions } = site(module, { style })
    const browser = await logIn()
    const before = browser.copy()
    const events = eventsOf(sessions)
    const res = await browser.logout()
    expect([res.status, res.text, res.type]).toEqual([200, 'Logged Out', 'text/plain'])
    expect(res.headers['cache-control']).toBe('no-store')
    expect(setCookies(res)).toEqual(cleared)
    expect(events).toMatchObject([
      { name: 'logout', event: { sessionId: before.id, userId: 'ann', replaced: false } },
    ])
    expect(await before.user()).toBeNull()
    expect(await sessions.list('ann')).toEqual([])
  })

  test.each<[string, VisitorOptions]>([
    ['nothing', {}],
    ['garbage', { cookie: 'sid=garbage' }],
    ['an unissued token', { cookie: `sid=${unissuedToken}` }],
  ])('with %s is a 200 that says so', async (_what, held) => {
    const { visitor, sessions } = site(module)
    const events = eventsOf(sessions)
    const text = await visitor(held).logout()
    expect([text.status, text.text]).toEqual([200, "Can't Log Out: No User Logged In"])
    const json = await visitor(held).logout(asJson)
    expect([json.status, json.body]).toEqual([200, { loggedOut: false }])
    expect(events).toEqual([])
  })

  test('a second time is a 200 that says so', async () => {
    const { logIn, visitor } = site(module)
    const browser = await logIn()
    const before = browser.copy()
    const [first, second] = [await browser.logout(asJson), await before.logout(asJson)]
    expect(first.body).toEqual({ loggedOut: true })
    expect(second.body).toEqual({ loggedOut: false })
    // The session of this cookie has ended, so the browser shall forget it the second time, too.
    expect([first, second].map((res) => setCookies(res).length)).toEqual([1, 1])
    expect(setCookies(await visitor({ cookie: 'sid=junk' }).logout())).toEqual([])
    expect(setCookies(await visitor().logout())).toEqual([])
  })

  test("ends a guest's session too", async () => {
    const { visitor, sessions } = site(module)
    const guest = visitor()
    await guest.run((session) => session.set('cart', ['book']))
    const { id } = guest
    const events = eventsOf(sessions)
    await guest.logout()
    expect(await sessions.find(id)).toBeUndefined()
    expect(events).toEqual([])
  })

  test.each(['get', 'post', 'delete'])('refuses %s from a page of another origin', async (method) => {
    const browser = await site(module).logIn()
    for (const headers of [
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
      { Origin: 'https://evil.example' },
    ] as Record<string, string>[]) {
      const res = await browser.ask(method, '/logout', { ...asJson, ...headers })
      expect([res.status, res.body.error.code]).toEqual([403, 'CROSS_ORIGIN'])
      expect(setCookies(res)).toEqual([])
    }
    expect(await browser.user()).toEqual(ann)
  })

  test('does nothing on HEAD and on a prefetch', async () => {
    const browser = await site(module).logIn()
    const head = await browser.ask('HEAD', '/logout')
    const prefetch = await browser.get('/logout', { 'Sec-Purpose': 'prefetch' })
    expect([head.status, prefetch.status]).toEqual([405, 503])
    expect([head, prefetch].map((res) => res.headers['cache-control'])).toEqual(['no-store', 'no-store'])
    expect([head, prefetch].flatMap(setCookies)).toEqual([])
    expect(await browser.user()).toEqual(ann)
  })

  test('sends a browser on, and tells a JSON client where to', async () => {
    const { visitor } = site(module, {}, (routes) => routes.post('/logout', logout({ redirect: '/bye' })))
    const html = await visitor().logout({ Accept: 'text/html' })
    expect([html.status, html.headers.location]).toEqual([303, '/bye'])
    const json = await visitor().logout(asJson)
    expect(json.body).toEqual({ loggedOut: false, redirectTo: '/bye' })
  })

  test('keeps a slow request of before from bringing the session back by what it writes at its end', async () => {
    let goOn: () => void = () => undefined
    let reached: () => void = () => undefined
    const isWaiting = new Promise<void>((resolve) => (reached = resolve))
    const { logIn, sessions } = site(module, { style: 'async' })
    const browser = await logIn()
    const before = browser.copy()
    const slow = before
      .run(async (session) => {
        await new Promise<void>((resolve) => {
          goOn = resolve
          reached()
        })
        await session.set('seen', true)
      })
      .then((res) => res)
    await isWaiting
    await browser.logout()
    goOn()
    const res = await slow
    expect([res.status, res.body.code]).toEqual([401, 'SESSION_ENDED'])
    expect(setCookies(res)).toEqual([])
    expect(await before.user()).toBeNull()
    expect(await sessions.find(before.id)).toBeUndefined()
  })

  test('makes the rest of the request a stranger', async () => {
    const browser = await site(module).logIn()
    const res = await browser.run(async (session, req) => {
      const wasThere = await session.logout()
      const again = await session.logout()
      const [user, id] = [req.user ?? null, session.id ?? null]
      return { wasThere, again, user, id, list: await session.list() }
    })
    expect(res.body).toEqual({ wasThere: true, again: false, user: null, id: null, list: [] })
  })

  test('followed by a login in one request sets one cookie, the last', async () => {
    const browser = await site(module).logIn()
    const switched = await browser.run(async (session, _req, res) => {
      res.cookie('other', '1')
      await session.logout()
      await session.login(bob)
    })
    const [other, sid, ...more] = setCookies(switched)
    expect([other, more]).toEqual(['other=1; Path=/', []])
    expect(sid).toContain(`sid=${browser.token};`)
    expect(await browser.user()).toEqual(bob)
  })
})

describe('sessionOf(req)', () => {
  async function threeLogins() {
    const made = site(express5)
    const browsers = [await made.logIn(), await made.logIn(), await made.logIn()] as const
    const bobs = made.visitor()
    await bobs.run((session) => session.login(bob))
    return { ...made, browsers, ids: browsers.map(({ id }) => id), first: browsers[0], bobs }
  }

  const list = (visitor: Visitor) => visitor.run((session) => session.list())
  const revoke = (visitor: Visitor, id: string) => visitor.run((session) => session.revoke(id))
  const revokeOthers = (visitor: Visitor) => visitor.run((session) => session.revokeOthers())
  const revokeAll = (visitor: Visitor) => visitor.run((session) => session.revokeAll())

  test('lists the sessions of the user, this one marked, and nothing that opens one', async () => {
    const { first, ids, browsers } = await threeLogins()
    const res = await list(first)
    const listed = res.body as { id: string; current: boolean }[]
    expect(listed.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
    expect(listed.filter(({ current }) => current).map(({ id }) => id)).toEqual([first.id])
    expect(Object.keys(listed[0]!).toSorted()).toEqual(
      [
        'id',
        'via',
        'isBound',
        'userId',
        'user',
        'label',
        'userAgent',
        'ip',
        'methods',
        'createdAt',
        'authenticatedAt',
        'lastSeenAt',
        'expiresAt',
        'absoluteExpiresAt',
        'current',
      ].toSorted(),
    )
    for (const { token } of browsers) expect(res.text).not.toContain(token.slice(-65))
  })

  test('revokes one session of the user', async () => {
    const { first, ids, sessions } = await threeLogins()
    const events = eventsOf(sessions)
    expect((await revoke(first, ids[1]!)).body).toBe(true)
    expect((await revoke(first, ids[1]!)).body).toBe(false)
    expect((await sessions.list('ann')).map(({ id }) => id).toSorted()).toEqual([ids[0], ids[2]])
    expect(events).toMatchObject([{ name: 'revoke', event: { sessionId: ids[1], userId: 'ann' } }])
  })

  test("never revokes another user's session", async () => {
    const { first, bobs, sessions } = await threeLogins()
    expect((await revoke(first, bobs.id)).body).toBe(false)
    expect(await sessions.list('bob')).toHaveLength(1)
  })

  test('revoking this session is a logout', async () => {
    const { first, ids, sessions } = await threeLogins()
    const res = await revoke(first, first.id)
    expect(res.body).toBe(true)
    expect(setCookies(res)).toEqual(cleared)
    expect(await sessions.find(ids[0]!)).toBeUndefined()
  })

  test.each([undefined, '', 'sid', '../sid'])(
    'revoking %p ends nothing, and not this session',
    async (id) => {
      const { first, visitor, sessions, browsers } = await threeLogins()
      expect((await revoke(first, id as string)).body).toBe(false)
      // A client that was refused has no session to see, and still holds one.
      const refused = browsers[1].copy(firefox)
      expect((await revoke(refused, id as string)).body).toBe(false)
      expect((await revoke(visitor(), id as string)).body).toBe(false)
      expect(await sessions.list('ann')).toHaveLength(3)
    },
  )

  test('revokes all others, or all', async () => {
    const { first, ids, sessions } = await threeLogins()
    expect((await revokeOthers(first)).body).toBe(2)
    expect((await sessions.list('ann')).map(({ id }) => id)).toEqual([ids[0]])
    const all = await revokeAll(first)
    expect(all.body).toBe(1)
    expect(setCookies(all)).toEqual(cleared)
    expect(await sessions.list('ann')).toEqual([])
    expect(await sessions.list('bob')).toHaveLength(1)
  })

  test('gives a stranger nothing to list or revoke', async () => {
    const { visitor, ids, sessions } = await threeLogins()
    expect((await list(visitor())).body).toEqual([])
    expect((await revoke(visitor(), ids[0]!)).body).toBe(false)
    expect((await revokeOthers(visitor())).body).toBe(0)
    expect((await revokeAll(visitor())).body).toBe(0)
    expect(await sessions.list('ann')).toHaveLength(3)
  })
})

test.each([
  [{ redirct: '/' }, 'Did you mean redirect?'],
  [{ redirect: ['/'] }, 'redirect of logout() must be a path or an address'],
  ['/', 'The options of logout() must be an object'],
])('logout() refuses the options %j at the start', (options, words) => {
  expect(() => logout(options as never)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(words) }),
  )
})
