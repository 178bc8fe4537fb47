import {
  createSessions,
  login,
  reauthenticate,
  requireRecentLogin,
  sessionStatus,
  type SessionStore,
} from 'express-sid'
import { MINUTE, moveTheClock } from './core.js'
import { ann } from './people.js'
import { express5, site } from './site.js'
import { Visitor } from './visitor.js'

/** An app on this store: a login of half an hour's idle time, the time left, a guard and the way through it. */
function nodeOn(store: SessionStore) {
  const sessions = createSessions({ store, storeTimeout: '8s', idleTimeout: '7d', rotateEvery: false })
  const { app } = site(express5, sessions, (routes) => {
    const lifetime = { idle: '30m', absolute: '2h', persistent: false }
    routes.post(
      '/enter',
      login(() => ann, { lifetime, method: 'password' }),
    )
    routes.post(
      '/confirm',
      reauthenticate((req) => req.user, { method: 'otp' }),
    )
    routes.all('/session', sessionStatus())
    routes.get(
      '/danger',
      requireRecentLogin({ within: '5m', methods: 'otp' }),
      (_req, res) => void res.send('done'),
    )
  })
  return { app, sessions }
}

/** What must hold of lifetimes and re-authentication with two nodes on one store. The clock must stand still. */
export async function lifetimesHold(stores: readonly [SessionStore, SessionStore]): Promise<void> {
  const [one, other] = [nodeOn(stores[0]), nodeOn(stores[1])]
  const browser = new Visitor(one.app)
  const there = () => new Visitor(other.app, { cookie: browser.cookie })
  expect((await browser.post('/enter')).headers['set-cookie']![0]).not.toContain('Max-Age')

  // The other node knows the lifetime of this one session, and keeps it at its touch.
  moveTheClock(20 * MINUTE)
  expect((await there().get('/session')).body).toEqual({ idleSeconds: 600, absoluteSeconds: 6000 })
  expect((await there().post('/session')).body).toEqual({ idleSeconds: 1800, absoluteSeconds: 6000 })
  expect((await browser.get('/session')).body.idleSeconds).toBe(1800)

  // Of ten re-authentications on both nodes exactly one counts, and no write that was acknowledged is lost.
  const copies = Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? browser.copy() : there()))
  /** Says which session was written to: who comes too late is a stranger, and writes to a guest's. */
  const count = (visitor: Visitor) =>
    visitor.run(async (session) => {
      const { id } = session
      await session.update('n', (n = 0) => Number(n) + 1)
      return id
    })
  const both = copies.map((copy) => Promise.all([copy.post('/confirm'), count(copy.copy())]))
  const results = await Promise.all(both)
  const winners = copies.filter((_, at) => results[at]![0].status === 200)
  expect(winners).toHaveLength(1)
  const counted = results.filter(([, write]) => write.body === browser.id).length
  const kept = (await winners[0]!.run((session) => session.get('n') ?? 0)).body as number
  expect(kept).toBe(counted)
  const { id } = winners[0]!
  const list = () =>
    other.sessions.can.listByUser
      ? other.sessions.list(ann.id)
      : other.sessions.find(id).then((found) => [found])
  // The others were taken back. No response waits for that.
  let listed = await list()
  while (listed.length > 1) listed = await list()
  expect(listed).toMatchObject([{ id, methods: [{ method: 'otp' }, { method: 'password' }] }])
  expect((await winners[0]!.get('/danger')).text).toBe('done')
  expect(await browser.user()).toBeNull()
  // A minute more: a store of express-session may know no better.
  moveTheClock(31 * MINUTE)
  expect(await winners[0]!.user()).toBeNull()
}
