import express from 'express'
import {
  createSessions,
  login,
  memoryStore,
  sessionMiddleware,
  sessionOf,
  type SessionStore,
} from 'express-sid'
import { nearCache } from 'express-sid/near-cache'
import { MINUTE, moveTheClock, stopTheClock } from '../../support/core.js'
import { FaultyStore } from '../../support/faulty-store.js'
import { has } from '../../support/needs.js'
import { ann } from '../../support/people.js'
import { nodeKinds } from '../../support/two-nodes.js'
import { Browser } from './site.js'

// Several nodes on each store. A browser's calls go to any of them.

beforeEach(() => stopTheClock())
afterEach(() => jest.useRealTimers())

function appOn(store: SessionStore) {
  const app = express()
  const sessions = createSessions({
    store,
    cookie: { secure: true },
    deviceBinding: true,
    storeTimeout: '8s',
  })
  app.use(sessionMiddleware(sessions))
  app.post(
    '/login',
    login(() => ann),
  )
  app.get('/', (req, res) => res.json({ in: req.user !== undefined, isBound: sessionOf(req).isBound }))
  return app
}

/** The same browser, whose next calls go to another node. */
function at(app: ReturnType<typeof appOn>, browser: Browser): Browser {
  const there = new Browser(app, browser.device)
  there.jar = browser.jar
  there.challenge = browser.challenge
  return there
}

const isIn = { in: true, isBound: true }

describe.each(nodeKinds('binding'))('on %s', (_name, part, open) => {
  const run = part === undefined || has(part) ? test : test.skip

  run('a proof counts once, whichever nodes it is sent to, and all of them let the browser in', async () => {
    const { stores, close } = await open()
    try {
      const [one, other] = stores.map(appOn) as [ReturnType<typeof appOn>, ReturnType<typeof appOn>]
      let browser = new Browser(one)
      await browser.login()
      browser = at(other, browser)
      expect((await browser.register()).status).toBe(200)
      browser = at(one, browser)
      const proof = browser.device.proof(browser.challenge)
      const sent = await Promise.all(
        Array.from({ length: 12 }, (_, index) => at(index % 2 === 0 ? one : other, browser).refresh(proof)),
      )
      expect(sent.filter(({ status }) => status === 200)).toHaveLength(1)
      expect(sent.filter(({ status }) => status === 403)).toHaveLength(11)
      // The one that was accepted is lost: the browser signs another challenge, on the other node.
      browser = at(other, browser)
      await browser.refresh(proof)
      expect((await browser.refresh()).status).toBe(200)
      moveTheClock(6 * MINUTE)
      for (const app of [one, other]) {
        expect((await at(app, browser).get('/')).body).toEqual(isIn)
        expect((await at(app, browser).get('/', { sid: browser.jar.sid })).body).toMatchObject({ in: false })
      }
    } finally {
      await close()
    }
  })
})

test('behind near caches, a node whose record is old reads it again before it calls a browser stale', async () => {
  const store = memoryStore()
  const [one, other] = [0, 1].map(() => appOn(nearCache(store, { maxStaleness: '1h' }))) as [
    ReturnType<typeof appOn>,
    ReturnType<typeof appOn>,
  ]
  const browser = new Browser(one)
  await browser.bind()
  moveTheClock(6 * MINUTE)
  // The other node touches the session, then learns the record as it is now …
  for (const _ of [1, 2]) expect((await at(other, browser).get('/')).body).toEqual(isIn)
  // … and the browser renews on the first one.
  expect((await browser.refresh()).status).toBe(200)
  expect((await at(other, browser).get('/')).body).toEqual(isIn)
  // A proof of the newest challenge is good on the other node, too, whose record is old again.
  await at(other, browser).get('/')
  expect((await browser.refresh()).status).toBe(200)
  expect((await at(other, browser).refresh()).status).toBe(200)
})

describe('where a call to the store fails', () => {
  const faults = ['throws', 'rejects', 'loses'] as const
  const operations = ['get', 'update'] as const
  const cases = operations.flatMap((operation) => faults.map((fault) => [operation, fault] as const))

  test.each(cases)(
    'during the registration (%s %s), the session is an ordinary one or goes on',
    async (operation, fault) => {
      const store = new FaultyStore('async')
      const browser = new Browser(appOn(store))
      await browser.login()
      store.breakNext(operation, fault)
      expect((await browser.register()).status).toBe(503)
      moveTheClock(6 * MINUTE)
      expect((await browser.get('/')).body).toEqual({ in: true, isBound: false })
    },
  )

  test.each(cases)(
    'during the first proof (%s %s), the browser tries again and goes on',
    async (operation, fault) => {
      const store = new FaultyStore('async')
      const browser = new Browser(appOn(store))
      await browser.login()
      await browser.register()
      const proof = browser.device.proof(browser.challenge)
      store.breakNext(operation, fault)
      expect((await browser.refresh(proof)).status).toBe(503)
      if ((await browser.refresh(proof)).status === 403) expect((await browser.refresh()).status).toBe(200)
      moveTheClock(6 * MINUTE)
      expect((await browser.get('/')).body).toEqual(isIn)
    },
  )

  test('before a stale request is known, it is a failure: 503, and nobody is let in', async () => {
    const store = new FaultyStore('async')
    const browser = new Browser(appOn(store))
    await browser.bind()
    moveTheClock(6 * MINUTE)
    store.breakNext('get', 'rejects')
    expect((await browser.get('/', { sid: browser.jar.sid, bound: 'A'.repeat(43) })).status).toBe(503)
    expect((await browser.get('/')).body).toEqual(isIn)
  })
})
