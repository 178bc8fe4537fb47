import { createSessions, sessionOf, type SessionOptions, type SessionStore } from 'express-sid'
import { express5, site } from './site.js'
import { ann } from './people.js'
import { Visitor } from './visitor.js'

/** An app on this store, with a counter in each session. */
function nodeOn(store: SessionStore, more: SessionOptions = {}) {
  const sessions = createSessions({ store, storeTimeout: '8s', rotateEvery: false, ...more })
  return site(express5, sessions, (routes) => {
    routes.post('/count', (req, res, next) => {
      sessionOf(req)
        .update('count', (count = 0) => Number(count) + 1)
        .then((count) => res.json(count), next)
    })
    routes.get('/seen', (req, res) => {
      const user = req.user as { name: string } | undefined
      res.json([user?.name ?? null, sessionOf(req).get('count')])
    })
  })
}

const seenBy = async (visitor: Visitor): Promise<unknown> => (await visitor.get('/seen')).body

/** What must hold of changed users and credentials, with two nodes on one store. */
export async function usersHold(stores: readonly [SessionStore, SessionStore]): Promise<void> {
  const [one, other] = [nodeOn(stores[0]), nodeOn(stores[1])]
  const [here, there] = [await one.logIn(), await other.logIn()]
  const elsewhere = (visitor: Visitor, app = other.app) => new Visitor(app, { cookie: visitor.cookie })

  // A new name reaches all sessions on both nodes, and neither it nor a write of the same moment is lost.
  const writes = Array.from({ length: 5 }, async () => here.post('/count'))
  const rename = (user: object) => ({ ...user, name: 'Anna' })
  expect(await other.sessions.updateUser(ann.id, rename)).toBe(2)
  await Promise.all(writes)
  expect([await seenBy(elsewhere(here)), await seenBy(elsewhere(there, one.app))]).toEqual([
    ['Anna', 5],
    ['Anna', null],
  ])

  // Changed credentials: the others are out on every node, and so is the old cookie. The data stays.
  const old = elsewhere(here)
  await here.run(async (session) => (await session.credentialsChanged()).id)
  expect([await seenBy(there), await seenBy(old), await seenBy(elsewhere(here))]).toEqual([
    [null, null],
    [null, null],
    ['Anna', 5],
  ])
  await one.sessions.revokeAll(ann.id)
}

/** What must hold of the versions of users, with two nodes on one store. */
export async function versionsHold(stores: readonly [SessionStore, SessionStore]): Promise<void> {
  let version = 1
  const options = { loadUser: () => ann, authVersion: () => version }
  const [one, other] = [nodeOn(stores[0], options), nodeOn(stores[1], options)]
  const [here, there] = [await one.logIn(), await other.logIn()]
  version = 2
  const late = await other.logIn()
  expect(await Promise.all([here, there, late].map((visitor) => visitor.user()))).toEqual([null, null, ann])
  await one.sessions.revokeAll(ann.id)
}
