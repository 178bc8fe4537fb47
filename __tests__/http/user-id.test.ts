import { createSessions, login, refuse } from 'express-sid'
import { fromExpressSession } from 'express-sid/express-session-store'
import { MemoryStore } from 'express-session'
import { eventsOf } from '../support/core.js'
import { styles } from '../support/faulty-store.js'
import { chromeElsewhere, firefox } from '../support/people.js'
import { express5, site } from '../support/site.js'

/** An application whose ids are numbers, as an SQL database's. */
function numbered(options: Parameters<typeof site>[1] = {}) {
  const users = new Map([[7, { id: 7, name: 'Ann' }]])
  const asked: unknown[] = []
  const loadUser = (id: number) => {
    asked.push(id)
    return users.get(id)
  }
  const log = login(() => users.get(7))
  const made = site(express5, { loadUser, ...options }, (app) => {
    app.set('trust proxy', true)
    app.post('/login', log)
    app.post(
      '/refused',
      login(() => refuse({ userId: 7 })),
    )
  })
  return { ...made, asked }
}

test.each(styles)('a number comes back as a number, with a store that is %s', async (style) => {
  const { logIn, asked, sessions, visitor } = numbered({ style })
  const events = eventsOf(sessions)
  const browser = await logIn()
  expect(await browser.user()).toEqual({ id: 7, name: 'Ann' })
  expect(new Set(asked)).toEqual(new Set([7]))

  const [info] = await sessions.list(7)
  expect(info!.userId).toBe(7)
  expect((await sessions.find(browser.id))!.userId).toBe(7)
  expect((await browser.run((session) => session.list())).body).toMatchObject([{ userId: 7 }])
  // Text and bigint name the same user: sessions are kept by the text.
  for (const id of ['7', 7n]) expect(await sessions.list(id)).toHaveLength(1)

  await browser.copy(firefox).get()
  await browser.copy(chromeElsewhere).get()
  await visitor().post('/refused')
  await browser.logout()
  const other = await logIn()
  await sessions.revoke(other.id)
  await logIn()
  await sessions.revokeAll(7)
  const names = ['login', 'clientChange', 'loginRefused', 'logout', 'login', 'revoke', 'login', 'revoke']
  expect(events.map(({ name }) => name)).toEqual(names)
  for (const { event } of events) expect((event as { userId: unknown }).userId).toBe(7)
})

test('a number comes back as a number from a store of express-session', async () => {
  const { logIn } = numbered({ store: fromExpressSession(new MemoryStore()) })
  expect(await (await logIn()).user()).toEqual({ id: 7, name: 'Ann' })
})

test('text that looks like a number stays text', async () => {
  const asked: unknown[] = []
  const sessions = createSessions({ loadUser: (id: unknown) => asked.push(id) })
  const { visitor } = site(express5, sessions)
  const browser = visitor()
  await browser.run((session) => session.login({ id: '007' }))
  await browser.get()
  expect(asked).toEqual(['007'])
  expect((await sessions.list('007'))[0]!.userId).toBe('007')
})

test('with serializeUser and no loadUser, the JSON of a login tells the number', async () => {
  const { visitor } = site(express5, {}, (app) => {
    app.post(
      '/login',
      login(() => ({ id: 7 })),
    )
  })
  expect((await visitor().login({ Accept: 'application/json' })).body).toEqual({ user: { id: 7 } })
})
