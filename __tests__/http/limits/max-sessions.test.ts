import { randomBytes } from 'node:crypto'
import { createSessions, login, memoryStore, type SessionStore } from 'express-sid'
import { encrypted } from 'express-sid/encrypted'
import { fromExpressSession } from 'express-sid/express-session-store'
import { MemoryStore } from 'express-session'
import { nearCache } from 'express-sid/near-cache'
import { ann } from '../../support/people.js'
import { express5, expresses, site } from '../../support/site.js'
import { replacing } from '../../support/stores.js'

const key = randomBytes(32)
const make = (options: object) => () => createSessions(options)
const invalid = (...words: string[]) =>
  expect.objectContaining({
    code: 'OPTION_INVALID',
    message: expect.stringMatching(new RegExp(words.map((word) => `(?=.*${word})`).join(''), 's')),
  })

describe.each(expresses)('on %s', (_, express) => {
  test('the oldest login is out, and its cookie is cleared by its next logout', async () => {
    const { logIn } = site(express, { maxSessions: 2 })
    const [first, second, third] = [await logIn(), await logIn(), await logIn()]
    expect(await Promise.all([first, second, third].map((one) => one.user()))).toEqual([null, ann, ann])
  })

  test('one too many is refused with 403 as JSON, and nobody is out', async () => {
    const { logIn, visitor } = site(express, { maxSessions: 1, whenFull: 'refuse' })
    const first = await logIn()
    const other = visitor()
    const { status, body } = await other.login({ Accept: 'application/json' })
    expect([status, (body as { error: object }).error]).toMatchObject([403, { code: 'SESSIONS_FULL' }])
    expect(other.cookie).toBe('')
    expect(await first.user()).toEqual(ann)
    // The browser that holds the session may log in again.
    expect((await first.login()).status).toBe(200)
    await first.logout()
    expect((await other.login()).status).toBe(200)
  })
})

test('a limit by user is asked about the user that logs in', async () => {
  const asked: unknown[] = []
  const maxSessions = (user: { role: string }) => {
    asked.push(user)
    return user.role === 'team' ? 2 : 1
  }
  const { visitor, sessions } = site(express5, { maxSessions }, (app) => {
    app.post(
      '/as/:role',
      login((req) => ({ id: req.params.role, role: req.params.role })),
    )
  })
  for (const role of ['team', 'team', 'team', 'alone', 'alone']) await visitor().post(`/as/${role}`)
  expect([(await sessions.list('team')).length, (await sessions.list('alone')).length]).toEqual([2, 1])
  expect(asked).toContainEqual({ id: 'alone', role: 'alone' })
})

test.each([
  ['encrypted', (store: SessionStore) => encrypted(store, { keys: [key] })],
  ['near cache', (store: SessionStore) => nearCache(store, { maxStaleness: '1h' })],
])('a limit holds on a store behind another one: %s', async (_, over) => {
  const memory = memoryStore()
  const nodes = [1, 2].map(() => site(express5, { store: over(memory), maxSessions: 2 }))
  for (let at = 0; at < 6; at += 1) await nodes[at % 2]!.logIn()
  expect(await nodes[0]!.sessions.list('ann')).toHaveLength(2)
})

test.each([0, -1, 1.5, NaN, Infinity, 1_001, '3', null, {}])('maxSessions %p is refused', (maxSessions) => {
  expect(make({ maxSessions })).toThrow(invalid('maxSessions', 'an integer from 1 to 1,000'))
})

test('whenFull is one of two words, and means nothing without a limit', () => {
  expect(make({ maxSessions: 1, whenFull: 'end' })).toThrow(invalid('whenFull', "'endOldest', 'refuse'"))
  expect(make({ whenFull: 'refuse' })).toThrow(invalid('whenFull', 'maxSessions'))
})

test('a store that can’t count says so at start, with the reason', () => {
  const adapted = fromExpressSession(new MemoryStore())
  expect(make({ store: adapted, maxSessions: 1 })).toThrow(
    invalid('maxSessions', 'atomic updates', 'redisStore'),
  )
  const unlisted = replacing(memoryStore(), { listByUser: undefined })
  expect(make({ store: unlisted, maxSessions: 1 })).toThrow(invalid('maxSessions', 'listByUser'))
  expect(make({ store: adapted })).not.toThrow()
})
