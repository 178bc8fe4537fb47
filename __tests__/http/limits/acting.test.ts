import {
  createSessions,
  login,
  memoryStore,
  reauthenticate,
  requireRecentLogin,
  requireUser,
  type RequestSession,
  type SessionOptions,
} from 'express-sid'
import { fromExpressSession } from 'express-sid/express-session-store'
import { MemoryStore } from 'express-session'
import { express5, expresses, site, type ExpressModule } from '../../support/site.js'
import { setCookies, type Visitor } from '../../support/visitor.js'

const people = {
  sue: { id: 'sue', name: 'Sue', role: 'support' },
  ann: { id: 'ann', name: 'Ann', role: 'user' },
  bob: { id: 'bob', name: 'Bob', role: 'admin' },
} as const
type Name = keyof typeof people
type Person = (typeof people)[Name]

const mayActAs = (actor: Person, user: Person) => actor.role === 'support' && user.role !== 'admin'

/** A site where everybody can log in, and say as whom they would act. */
function supportSite(options: SessionOptions = { mayActAs }, express: ExpressModule = express5) {
  const made = site(express, options, (app) => {
    app.post(
      '/in/:id',
      login((req) => people[req.params.id as Name]),
    )
    app.get('/own', requireUser(), (_req, res) => void res.json('ok'))
    app.get(
      '/recent',
      requireRecentLogin({ within: '1h', loginPage: '/confirm' }),
      (_req, res) => void res.json('ok'),
    )
  })
  const enter = async (id: Name) => {
    const visitor = made.visitor()
    await visitor.post(`/in/${id}`)
    return visitor
  }
  return { ...made, enter }
}

const actAs = (visitor: Visitor, id: Name) => visitor.run((session) => session.actAs(people[id]))
const stop = (visitor: Visitor) => visitor.run((session) => session.stopActing())
const who = async (visitor: Visitor) =>
  (
    await visitor.run((session, req) => [
      (req.user as Person | undefined)?.id ?? null,
      (session.actor as Person | undefined)?.id ?? null,
    ])
  ).body as unknown

describe.each(expresses)('on %s', (_, express) => {
  test('support acts as a user and goes back, with a new cookie each time', async () => {
    const { enter, sessions } = supportSite({ mayActAs }, express)
    const sue = await enter('sue')
    await sue.run((session) => session.set('ticket', 7))
    const before = sue.copy()
    const first = sue.token

    const { body, headers } = await actAs(sue, 'ann')
    expect(body).toMatchObject({
      userId: 'ann',
      actor: { userId: 'sue', sessionId: before.id },
      current: true,
    })
    expect(setCookies({ headers })).toHaveLength(1)
    expect(await who(sue)).toEqual(['ann', 'sue'])
    const acting = sue.copy()

    expect((await stop(sue)).body).toMatchObject({ userId: 'sue', current: true })
    expect(await who(sue)).toEqual(['sue', null])
    expect((await sue.run((session) => session.get('ticket'))).body).toBe(7)
    expect(new Set([first, acting.token, sue.token]).size).toBe(3)
    for (const old of [before, acting]) expect(await old.user()).toBeNull()
    expect(await sessions.list('ann')).toEqual([])
  })

  test('both are known in the very request that begins and ends it', async () => {
    const { enter } = supportSite({ mayActAs }, express)
    const sue = await enter('sue')
    const seen = (session: RequestSession, user: unknown) => [
      (user as Person).id,
      (session.actor as Person | undefined)?.id ?? null,
    ]
    const { body } = await sue.run(async (session, req) => {
      await session.actAs(people.ann)
      const during = seen(session, req.user)
      await session.stopActing()
      return [during, seen(session, req.user)]
    })
    expect(body).toEqual([
      ['ann', 'sue'],
      ['sue', null],
    ])
  })
})

test('the user that is acted as sees it, and can end it', async () => {
  const { enter } = supportSite()
  const [sue, ann] = [await enter('sue'), await enter('ann')]
  await actAs(sue, 'ann')
  const { body } = await ann.run(async (session) => {
    const all = await session.list()
    const others = all.filter(({ actor }) => actor !== undefined)
    await session.revoke(others[0]!.id)
    return others.map(({ actor }) => actor?.userId)
  })
  expect(body).toEqual(['sue'])
  expect(await sue.user()).toBeNull()
  expect(await ann.user()).toEqual(people.ann)
})

test.each([
  ['an admin', 'sue', 'bob', {}, 'ACT_AS_REFUSED', 403],
  ['anybody, by a user', 'ann', 'sue', {}, 'ACT_AS_REFUSED', 403],
  ['anybody, without mayActAs', 'sue', 'ann', { mayActAs: undefined }, 'ACT_AS_REFUSED', 403],
] as const)('acting as %s is refused', async (_, actor, user, options, code, status) => {
  const { enter } = supportSite({ mayActAs, ...options })
  const visitor = await enter(actor)
  const answer = await actAs(visitor, user)
  expect([answer.status, answer.body]).toMatchObject([status, { code }])
  expect(await who(visitor)).toEqual([actor, null])
})

test('a stranger can’t act as anybody, and nobody can stop what has not begun', async () => {
  const { enter, visitor } = supportSite()
  expect((await actAs(visitor(), 'ann')).body).toMatchObject({ code: 'UNAUTHENTICATED' })
  expect([(await stop(await enter('sue'))).status, (await stop(await enter('sue'))).body]).toMatchObject([
    409,
    { code: 'NOT_ACTING' },
  ])
})

test('who acts can’t step up as the other one, in any way', async () => {
  const { enter } = supportSite()
  const sue = await enter('sue')
  await actAs(sue, 'ann')
  expect((await sue.get('/own')).body).toBe('ok')
  const { status, body } = await sue.get('/recent', { Accept: 'application/json' })
  expect([status, (body as { error: object }).error]).toMatchObject([403, { code: 'ACTING' }])
  // Not to a page where Sue would give Ann's password either.
  expect((await sue.get('/recent', { Accept: 'text/html' })).status).toBe(403)
  expect((await sue.run((session) => session.hasRecentLogin({ within: '1h' }))).body).toBe(false)
  for (const attempt of [
    sue.run((session) => session.reauthenticate(people.ann, { method: 'password' })),
    sue.run((session) => session.credentialsChanged()),
    sue.run((session) => session.actAs(people.bob)),
  ]) {
    expect((await attempt).body).toMatchObject({ code: 'ACTING' })
  }
  expect(await who(sue)).toEqual(['ann', 'sue'])
})

test('who acts can’t try the passwords of the other one where users confirm theirs', async () => {
  const asked = jest.fn((): Person => people.ann)
  const { visitor } = site(express5, { mayActAs }, (app) => {
    app.post(
      '/in/:id',
      login((req) => people[req.params.id as Name]),
    )
    app.post('/confirm', reauthenticate(asked))
  })
  const sue = visitor()
  await sue.post('/in/sue')
  await actAs(sue, 'ann')
  const { status, body } = await sue.post('/confirm', { Accept: 'application/json' })
  expect([status, body]).toMatchObject([403, { error: { code: 'ACTING' } }])
  expect(asked).not.toHaveBeenCalled()
})

test('the end of the actor’s own session ends both, at once', async () => {
  const { enter, sessions } = supportSite()
  const sue = await enter('sue')
  await actAs(sue, 'ann')
  await sessions.revokeAll('sue')
  expect(await sue.user()).toBeNull()
  expect((await stop(sue)).status).toBe(401)
})

test('a logout while acting is a logout of both', async () => {
  const { enter, sessions } = supportSite()
  const sue = await enter('sue')
  const before = sue.copy()
  await actAs(sue, 'ann')
  await sue.logout()
  expect(sue.cookie).toBe('')
  expect(await before.user()).toBeNull()
  expect([await sessions.list('sue'), await sessions.list('ann')]).toEqual([[], []])
})

test('after the headers nothing begins, and the actor is as they were', async () => {
  const { enter, sessions } = supportSite()
  const sue = await enter('sue')
  const { text } = await sue.run(async (session, _req, res) => {
    res.write('begun ')
    res.end(await session.actAs(people.ann).catch((error: { code: string }) => error.code))
  })
  expect(text).toBe('begun HEADERS_SENT')
  expect(await who(sue)).toEqual(['sue', null])
  expect(await sessions.list('ann')).toEqual([])
})

test('headers that leave while it begins leave the actor as they were', async () => {
  const { enter, sessions } = supportSite({ mayActAs, store: undefined })
  const sue = await enter('sue')
  await sue.run(async (session, _req, res) => {
    const begun = session.actAs(people.ann)
    res.end('gone')
    await begun.catch(() => undefined)
  })
  expect(await who(sue)).toEqual(['sue', null])
  expect(await sessions.list('ann')).toEqual([])
})

test('the options are checked at start', () => {
  const make = (options: object) => () => createSessions(options)
  const invalid = (word: string) =>
    expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(word) as unknown })
  expect(make({ mayActAs: true })).toThrow(invalid('mayActAs'))
  expect(make({ actingTimeout: 0 })).toThrow(invalid('actingTimeout'))
  expect(make({ mayActAs, store: fromExpressSession(new MemoryStore()) })).toThrow(invalid('atomic updates'))
  expect(make({ mayActAs, store: memoryStore(), actingTimeout: '15m' })).not.toThrow()
})
