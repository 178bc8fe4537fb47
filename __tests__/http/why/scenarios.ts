import {
  createSessions,
  memoryStore,
  sessionOf,
  type AnonymousReason,
  type SessionOptions,
} from 'express-sid'
import express from 'express'
import { site as bindingSite, type Browser } from '../binding/site.js'
import { ann, chromeElsewhere, firefox, unissuedToken } from '../../support/people.js'
import { express5, site, toErrorHandler, type Site } from '../../support/site.js'
import { Visitor, type VisitorOptions } from '../../support/visitor.js'

// Each way of being anonymous, provoked by requests. Runs as a process of its own too, with NODE_DEBUG.

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

let shift = 0
const realNow = Date.now
/** The clock of this process goes on by this much. */
function wait(ms: number): void {
  shift += ms
}
export function useOwnClock(): void {
  Date.now = () => realNow() + shift
}

type Reason = AnonymousReason | undefined

/** A site that remembers, for the last request, what `reason` said when its response was sent. */
function watched(given: SessionOptions | Site = {}) {
  const inner = 'visitor' in given ? given : site(express5, { refused: toErrorHandler, ...given })
  inner.app.set('trust proxy', true)
  let last: Reason
  const app = express()
  app.set('trust proxy', true)
  app.use((req, res, next) => {
    res.once('finish', () => (last = sessionOf(req).reason))
    next()
  })
  app.use(inner.app)
  const visitor = (options?: VisitorOptions) => new Visitor(app, options)
  const logIn = async () => {
    const one = visitor()
    await one.login()
    return one
  }
  return { ...inner, visitor, logIn, last: () => last }
}

async function reasonOf(visitor: Visitor, { last }: { last: () => Reason }): Promise<Reason> {
  await visitor.get()
  return last()
}

/** A way to each reason. The compiler keeps it complete. */
export const scenarios: Record<AnonymousReason, () => Promise<Reason>> = {
  async noCookie() {
    const its = watched()
    return reasonOf(its.visitor({ cookie: 'theme=dark; notsid=1' }), its)
  },
  async otherCookieName() {
    const its = watched()
    const { token } = await its.logIn()
    return reasonOf(its.visitor({ cookie: `__Host-sid=${token}` }), its)
  },
  async malformed() {
    const its = watched()
    return reasonOf(its.visitor({ cookie: 'sid=s%3Aabc.def' }), its)
  },
  async tooManyCookies() {
    const its = watched()
    const values = ['A', 'B', 'C', 'D', 'E'].map((letter) => unissuedToken.slice(0, -1) + letter)
    await its.visitor().get('/', { Cookie: values.map((value) => `sid=${value}`).join('; ') })
    return its.last()
  },
  async unknown() {
    const its = watched()
    const visitor = await its.logIn()
    await its.sessions.revoke(visitor.id)
    return reasonOf(visitor, its)
  },
  async wrongSecret() {
    const its = watched()
    const { id } = await its.logIn()
    return reasonOf(its.visitor({ cookie: `sid=${id}.${'A'.repeat(65)}` }), its)
  },
  async misplaced() {
    const its = watched({ bearer: true })
    const { body } = await its.visitor().login({ 'Session-Via': 'bearer' })
    return reasonOf(its.visitor({ cookie: `sid=${(body as { token: string }).token}` }), its)
  },
  async expired() {
    const its = watched()
    const visitor = await its.logIn()
    wait(8 * DAY)
    return reasonOf(visitor, its)
  },
  async ended() {
    const its = watched()
    await (await its.logIn()).run((session) => session.logout())
    return its.last()
  },
  async superseded() {
    const its = watched({ rotateEvery: '15m', rotationGrace: '5m' })
    const visitor = await its.logIn()
    const thief = visitor.copy()
    wait(16 * MINUTE)
    await visitor.get()
    wait(6 * MINUTE)
    await visitor.get()
    wait(6 * MINUTE)
    return reasonOf(thief, its)
  },
  async stale() {
    const bound = bindingSite()
    const its = watched(bound)
    const browser = bound.browser()
    await browser.bind()
    wait(30 * MINUTE)
    return reasonOf(its.visitor({ cookie: `__Host-sid=${browser.jar.sid}` }), its)
  },
  async otherEngine() {
    const its = watched()
    return reasonOf((await its.logIn()).copy(firefox), its)
  },
  async otherNetwork() {
    const its = watched({ onClientChange: { network: 'refuse' } })
    return reasonOf((await its.logIn()).copy(chromeElsewhere), its)
  },
  async severalSessions() {
    const its = watched()
    const [one, other] = [await its.logIn(), await its.logIn()]
    await its.visitor().get('/', { Cookie: `sid=${one.token}; sid=${other.token}` })
    return its.last()
  },
  async guest() {
    const its = watched()
    const visitor = its.visitor()
    await visitor.run((session) => session.set('theme', 'dark'))
    return reasonOf(visitor, its)
  },
  async userNotFound() {
    const its = watched({ loadUser: () => undefined })
    return reasonOf(await its.logIn(), its)
  },
  async userNotKept() {
    const store = memoryStore()
    const visitor = await watched({ store, loadUser: () => ann }).logIn()
    const its = watched({ store })
    return reasonOf(its.visitor({ cookie: visitor.cookie }), its)
  },
  async storeFailed() {
    const its = watched()
    const visitor = await its.logIn()
    its.store.breakAt('get', 'rejects')
    return reasonOf(visitor, its)
  },
  async loadUserFailed() {
    const its = watched({
      loadUser: () => {
        throw new Error('no database')
      },
    })
    return reasonOf(await its.logIn(), its)
  },
  async crossOrigin() {
    const its = watched()
    const visitor = await its.logIn()
    await visitor.post('/', { Origin: 'https://evil.test' })
    return its.last()
  },
}

/** What else is decided, and leaves a line. */
export const decisions: Record<string, () => Promise<unknown>> = {
  async login() {
    const its = watched()
    const visitor = await its.logIn()
    await visitor.get('/reset/0123456789abcdefghijklmnop?token=query-secret')
    await visitor.logout()
  },
  async rotation() {
    const its = watched({ rotateEvery: '15m', rotationGrace: '5m' })
    const visitor = await its.logIn()
    wait(6 * MINUTE)
    await visitor.get()
    wait(16 * MINUTE)
    await visitor.get()
    wait(6 * MINUTE)
    await visitor.get()
  },
  async binding() {
    const browser: Browser = bindingSite().browser()
    await browser.bind()
    await browser.refresh('bad proof')
  },
  async forgedLine() {
    const its = site(express5, createSessions(), (app) => {
      app.post('/as', async (req, res) => {
        await sessionOf(req).login({ id: 'eve\nEXPRESS-SID 1: user "root"' })
        res.sendStatus(204)
      })
    })
    await its.visitor().post('/as')
  },
}
