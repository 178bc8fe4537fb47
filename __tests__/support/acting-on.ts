import { createSessions, login, type SessionStore } from 'express-sid'
import { ann } from './people.js'
import { express5, site } from './site.js'
import { Visitor } from './visitor.js'

const sue = { id: 'sue', name: 'Sue' }

/** An app on this store in which Sue of the support may act as others, and apps may log in with a token. */
function nodeOn(store: SessionStore) {
  const sessions = createSessions({
    store,
    storeTimeout: '8s',
    rotateEvery: false,
    bearer: true,
    mayActAs: (actor: { id: string }) => actor.id === 'sue',
  })
  const { app } = site(express5, sessions, (routes) => {
    routes.post(
      '/support',
      login(() => sue),
    )
  })
  return { app, sessions }
}

const idOf = (user: unknown) => (user as { id: string } | undefined)?.id ?? null
const who = async (visitor: Visitor): Promise<unknown> =>
  (await visitor.run((session) => [idOf(session.user), idOf(session.actor)])).body

/** What must hold of support that acts as a user, with two nodes on one store. */
export async function actingHolds(stores: readonly [SessionStore, SessionStore]): Promise<void> {
  const [one, other] = [nodeOn(stores[0]), nodeOn(stores[1])]
  const browser = new Visitor(one.app)
  const there = () => new Visitor(other.app, { cookie: browser.cookie })
  await browser.post('/support')
  const { id: own } = (await browser.get()).body as { id: string }

  // The other node knows both: who acts, and as whom. The acting session is listed under the user.
  expect((await browser.run((session) => session.actAs(ann))).status).toBe(200)
  expect(await who(there())).toEqual([ann.id, 'sue'])
  expect(await other.sessions.list(ann.id)).toMatchObject([{ actor: { userId: 'sue', sessionId: own } }])
  expect((await there().run((session) => session.actAs(ann))).status).toBeGreaterThanOrEqual(400)

  // To end the actor's own session on one node ends both on the other.
  expect(await one.sessions.revoke(own)).toBe(true)
  expect(await who(there())).toEqual([null, null])
  expect(await other.sessions.list(ann.id)).toEqual([])

  // Of stops on both nodes at the same time one gives the actor a fresh session; the acting one has ended.
  await browser.post('/support')
  await browser.run((session) => session.actAs(ann))
  const copies = [browser.copy(), there()]
  const stops = await Promise.all(copies.map((copy) => copy.run((session) => session.stopActing())))
  const winners = copies.filter((_, at) => stops[at]!.status === 200)
  expect(winners).toHaveLength(1)
  expect(await who(winners[0]!)).toEqual(['sue', null])
  expect(await who(there())).toEqual([null, null])
}

/** What must hold of tokens in `Authorization`, with two nodes on one store. */
export async function bearerHolds(stores: readonly [SessionStore, SessionStore]): Promise<void> {
  const [one, other] = [nodeOn(stores[0]), nodeOn(stores[1])]
  const answer = await new Visitor(one.app).login({ 'Session-Via': 'bearer' })
  const { token } = answer.body as { token: string }
  const by = { Authorization: `Bearer ${token}` }
  const userBy = async (headers: Record<string, string>) =>
    ((await new Visitor(other.app).get('/', headers)).body as { user: { id: string } | null }).user?.id

  expect(answer.headers['set-cookie']).toBeUndefined()
  expect(await userBy(by)).toBe(ann.id)
  // A token opens its session in its own place alone, on every node.
  expect(await userBy({ Cookie: `sid=${token}` })).toBeUndefined()
  const { cookie } = await loggedIn(one.app)
  expect(await userBy({ Authorization: `Bearer ${cookie.slice('sid='.length)}` })).toBeUndefined()

  expect((await new Visitor(one.app).logout(by)).status).toBe(200)
  expect(await userBy(by)).toBeUndefined()
}

async function loggedIn(app: ConstructorParameters<typeof Visitor>[0]): Promise<Visitor> {
  const visitor = new Visitor(app)
  await visitor.login()
  return visitor
}
