import { createSessions, login, memoryStore, sessionOf } from 'express-sid'
import { fromExpressSession } from 'express-sid/express-session-store'
import { MemoryStore } from 'express-session'
import { ann } from '../../support/people.js'
import { express5, expresses, site, type Site } from '../../support/site.js'
import { setCookies } from '../../support/visitor.js'

const invalid = (...words: string[]) =>
  expect.objectContaining({
    code: 'OPTION_INVALID',
    message: expect.stringMatching(new RegExp(words.map((word) => `(?=.*${word})`).join(''), 's')),
  })

describe.each(expresses)('credentialsChanged() on %s', (_, express) => {
  const change = (visitor: Awaited<ReturnType<Site['logIn']>>) =>
    visitor.run(async (session, req) => {
      const { id } = await session.credentialsChanged()
      return { id, own: session.id, user: req.user, data: session.get('cart') }
    })

  test('gives the browser a new cookie, and every other cookie of the user is dead', async () => {
    const { logIn } = site(express)
    const [here, there] = [await logIn(), await logIn()]
    await here.run((session) => session.set('cart', ['tea']))
    const copy = here.copy()
    const before = here.id
    const { body, headers } = await change(here)
    expect(body).toEqual({ id: here.id, own: here.id, user: ann, data: ['tea'] })
    expect(here.id).not.toBe(before)
    expect(setCookies({ headers })).toHaveLength(1)
    expect(headers['cache-control']).toContain('no-store')
    expect(await Promise.all([here, there, copy].map((one) => one.user()))).toEqual([ann, null, null])
  })

  test('is refused for a stranger and a guest, and after the headers nothing happens', async () => {
    const { logIn, visitor, sessions } = site(express)
    const guest = visitor()
    await guest.run((session) => session.set('a', 1))
    for (const one of [visitor(), guest])
      expect((await change(one)).body).toMatchObject({ code: 'UNAUTHENTICATED' })
    const [here] = [await logIn(), await logIn()]
    const { text } = await here.run(async (session, _req, res) => {
      res.write('begun ')
      res.end(await session.credentialsChanged().catch((error: { code: string }) => error.code))
    })
    expect(text).toBe('begun HEADERS_SENT')
    expect(await sessions.list('ann')).toHaveLength(2)
  })

  test('of a session that was ended meanwhile is SESSION_ENDED', async () => {
    const { logIn, sessions } = site(express)
    const here = await logIn()
    const { status, body } = await here.run(async (session) => {
      await sessions.revoke(session.id!)
      return session.credentialsChanged()
    })
    expect([status, body]).toMatchObject([401, { code: 'SESSION_ENDED' }])
    expect(await sessions.list('ann')).toHaveLength(0)
  })
})

describe('updateUser() of a request', () => {
  test('changes this session’s user, and req.user at once, and no other session', async () => {
    const { logIn } = site(express5)
    const [here, there] = [await logIn(), await logIn()]
    await here.run((session) => session.set('cart', 1))
    const { body } = await here.run(async (session, req) => {
      const user = await session.updateUser((before) => ({ ...before, name: 'Anna' }))
      return [user, req.user, session.user, session.get('cart')]
    })
    const anna = { id: 'ann', name: 'Anna' }
    expect(body).toEqual([anna, anna, anna, 1])
    expect([await here.user(), await there.user()]).toEqual([anna, ann])
  })

  test('and data writes of the same request and of others: neither is lost', async () => {
    const { logIn } = site(express5, { style: 'async' })
    const here = await logIn()
    await Promise.all(
      Array.from({ length: 20 }, (_, at) =>
        here.run((session) =>
          at % 2 === 0
            ? session.update<number>('views', (views = 0) => views + 1)
            : session.updateUser((user: { n?: number }) => ({ ...user, n: (user.n ?? 0) + 1 })),
        ),
      ),
    )
    const { body } = await here.run((session, req) => [session.get('views'), req.user])
    expect(body).toEqual([10, { ...ann, n: 10 }])
  })

  test.each([
    ['a stranger', 'UNAUTHENTICATED', {}, false],
    ['with loadUser', 'UNSUPPORTED', { loadUser: () => ann }, true],
  ])('of %s is %s', async (_, code, options, isIn) => {
    const { logIn, visitor } = site(express5, options)
    const here = isIn ? await logIn() : visitor()
    const { body } = await here.run((session) => session.updateUser((user) => user))
    expect(body).toMatchObject({ code })
  })

  test('needs a function', async () => {
    const { logIn } = site(express5)
    const { body } = await (await logIn()).run((session) => session.updateUser(ann as never))
    expect(body).toMatchObject({
      code: 'OPTION_INVALID',
      message: expect.stringContaining('...user') as unknown,
    })
  })

  test('works on a store of express-session; what needs a list there is UNSUPPORTED', async () => {
    const { logIn, sessions } = site(express5, { store: fromExpressSession(new MemoryStore()) })
    const here = await logIn()
    await here.run((session) => session.updateUser((user) => ({ ...user, name: 'Anna' })))
    expect(await here.user()).toEqual({ id: 'ann', name: 'Anna' })
    await expect(sessions.updateUser('ann', (user: object) => user)).rejects.toMatchObject({
      code: 'UNSUPPORTED',
    })
    const { body } = await here.run((session) => session.credentialsChanged())
    expect(body).toMatchObject({ code: 'UNSUPPORTED' })
    expect(await here.user()).toEqual({ id: 'ann', name: 'Anna' })
  })
})

describe('authVersion', () => {
  test('signs out who has an older version, on every node, at the next click', async () => {
    const people = new Map([['ann', { ...ann, version: 1 }]])
    const store = memoryStore()
    const make = () =>
      site(
        express5,
        createSessions({
          store,
          loadUser: (id: string) => people.get(id),
          authVersion: (user: { version: number }) => user.version,
        }),
        (app) => {
          app.post(
            '/in',
            login(() => people.get('ann')),
          )
          app.post('/password', async (req, res) => {
            people.set('ann', { ...ann, version: 2 })
            await sessionOf(req).credentialsChanged()
            res.json(req.user)
          })
        },
      )
    const [one, other] = [make(), make()]
    const [here, there] = [one.visitor(), other.visitor()]
    for (const visitor of [here, there]) await visitor.post('/in')
    expect((await here.post('/password')).body).toMatchObject({ version: 2 })
    expect([await here.user(), await there.user()]).toMatchObject([{ version: 2 }, null])
    // A change of the version alone is enough.
    people.set('ann', { ...ann, version: 3 })
    expect(await here.user()).toBeNull()
  })

  test('needs loadUser, and says so at start', () => {
    expect(() => createSessions({ authVersion: () => 1 })).toThrow(invalid('authVersion', 'loadUser'))
    expect(() => createSessions({ authVersion: 1 as never, loadUser: () => ann })).toThrow(
      invalid('authVersion'),
    )
  })
})
