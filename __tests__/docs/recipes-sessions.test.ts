import {
  createSessions,
  login,
  logout,
  memoryStore,
  requireUser,
  sessionMiddleware,
  userOf,
  type SessionInfo,
  type Sessions,
} from 'express-sid'
import type { Express } from 'express'
import expressSession from 'express-session'
import { moveTheClock, MINUTE, stopTheClock } from '../support/core.js'
import { ann, bob, chrome, firefox } from '../support/people.js'
import { Visitor } from '../support/visitor.js'
import { readText, runBlock } from './support/page.js'
import { bareApp, runRecipe } from './support/recipes.js'

// The recipes of docs/recipes.md about sessions, as they stand there.

const fromForm = { 'Content-Type': 'application/x-www-form-urlencoded', 'Sec-Fetch-Site': 'same-origin' }

afterEach(() => jest.useRealTimers())

const withMe = (app: Express) => void app.get('/me', requireUser(), (req, res) => void res.json(userOf(req)))
const withLogin = (app: Express) =>
  void app.post(
    '/login',
    login((req) => (req.query.as === 'bob' ? bob : ann)),
  )
const isIn = async (visitor: Visitor) => (await visitor.get('/me')).status === 200

/** In place of a template: shows what it is given. */
class JsonView {
  readonly path = 'devices'

  render({ devices }: { devices: SessionInfo[] }, done: (error: null, text: string) => void) {
    done(null, JSON.stringify(devices))
  }
}

describe('an app that moves from express-session', () => {
  test('has both beside each other: old data stays, and a login and a logout are ours', async () => {
    const app = bareApp(
      (routes) => {
        runRecipe('asBefore', {
          app: routes,
          expressSession,
          asBefore: { secret: 'x', resave: false, saveUninitialized: false },
          sessions: createSessions(),
          authenticate: () => ann,
          logout,
        })
      },
      withMe,
      (routes) =>
        void routes.get('/views', (req, res) => {
          const session = req.session as { views?: number }
          session.views = (session.views ?? 0) + 1
          res.json(session.views)
        }),
    )
    const visitor = new Visitor(app)
    expect((await visitor.get('/views')).body).toBe(1)
    expect((await visitor.post('/login', fromForm)).headers.location).toBe('/')
    expect((await visitor.get('/me')).body).toEqual(ann)
    expect((await visitor.get('/views')).body).toBe(2)
    expect((await visitor.post('/logout', fromForm)).headers.location).toBe('/login')
    expect(await isIn(visitor)).toBe(false)
    expect((await visitor.get('/views')).body).toBe(3)
  })
})

test('what the page for troubles listens to are events that there are', async () => {
  const sessions = createSessions()
  const said: unknown[] = []
  const log = { log: (name: string) => said.push(name) }
  runBlock('loginRefused', { sessions, console: log }, readText('docs/troubleshooting.md'))
  const app = bareApp(
    (routes) => void routes.use(sessionMiddleware(sessions)),
    (routes) => {
      routes.post(
        '/login',
        login((req) => req.query.as === 'ann' && ann),
      )
    },
  )
  await new Visitor(app).post('/login')
  const visitor = new Visitor(app)
  await visitor.post('/login?as=ann')
  await visitor.copy(firefox).get('/')
  await sessions.revoke(visitor.id)
  expect(said).toEqual(['loginRefused', 'clientChange', 'revoke'])
})

describe('a stolen laptop', () => {
  async function site() {
    const sessions = createSessions()
    const passwords: unknown[] = []
    const app = bareApp(
      (routes) => void routes.use(sessionMiddleware(sessions)),
      withLogin,
      withMe,
      (routes) => {
        routes.set('view', JsonView)
        runRecipe("res.render('devices'", { app: routes })
        runRecipe('revokeAll(userId)', {
          app: routes,
          sessions,
          changePassword: async (id: string, body: unknown) => void passwords.push([id, body]),
          resetPassword: async () => 'ann',
        })
      },
    )
    const logIn = async (client: object, as = 'ann') => {
      const visitor = new Visitor(app, client)
      await visitor.post(`/login?as=${as}`)
      return visitor
    }
    const [laptop, phone, other] = [await logIn(chrome), await logIn(firefox), await logIn(chrome, 'bob')]
    const devices = async (visitor: Visitor) =>
      JSON.parse((await visitor.get('/devices')).text) as SessionInfo[]
    return { laptop, phone, other, stranger: new Visitor(app), devices, passwords }
  }

  test('is in the list of another device, and can be ended there, at once', async () => {
    const { laptop, phone, devices } = await site()
    const list = await devices(phone)
    expect(list.map(({ label, current }) => `${label} ${current}`).toSorted()).toEqual([
      'Chrome on Linux false',
      'Firefox on Linux true',
    ])
    const { id } = list.find(({ current }) => !current)!
    expect((await phone.post(`/devices/${id}/end`)).headers.location).toBe('/devices')
    expect([await isIn(laptop), await isIn(phone)]).toEqual([false, true])
    expect(await devices(phone)).toHaveLength(1)
  })

  test('can’t be ended by another user, nor by a stranger', async () => {
    const { laptop, phone, other, stranger, devices } = await site()
    const { id } = (await devices(phone)).find(({ current }) => !current)!
    await other.post(`/devices/${id}/end`)
    expect((await stranger.post(`/devices/${id}/end`)).status).toBe(401)
    expect(await isIn(laptop)).toBe(true)
  })

  test('is out when all others are ended, and when the password is changed or reset', async () => {
    for (const path of ['/devices/end-others', '/password']) {
      const { laptop, phone, other, passwords } = await site()
      expect((await phone.post(path, fromForm).send('new=secret')).status).toBe(303)
      expect([await isIn(laptop), await isIn(phone), await isIn(other)]).toEqual([false, true, true])
      expect(passwords).toEqual(path === '/password' ? [['ann', { new: 'secret' }]] : [])
    }
    const { laptop, phone, other } = await site()
    await other.post('/password/reset', fromForm).send('token=t')
    expect([await isIn(laptop), await isIn(phone), await isIn(other)]).toEqual([false, false, true])
  })
})

describe('a client with IPv4 and IPv6', () => {
  const home = { v4: '203.0.113.7', v6: '2001:db8::7' }
  const thief = '198.51.100.20'
  /** Stands for a database of autonomous systems. */
  const providerOf = async (ip: string) => ([home.v4, home.v6].includes(ip) ? 64500 : 64501)

  async function site(make: () => Sessions) {
    stopTheClock()
    const app = bareApp(
      (routes) => void routes.set('trust proxy', true).use(sessionMiddleware(make())),
      withLogin,
      withMe,
    )
    const visitor = new Visitor(app, { ip: home.v4 })
    await visitor.post('/login')
    return { visitor, at: (ip: string) => visitor.copy({ ip }) }
  }

  test('is logged out and in where the network must stay the same, as the problem says', async () => {
    const { at } = await site(() => createSessions({ onClientChange: { network: 'refuse' } }))
    expect([await isIn(at(home.v6)), await isIn(at(home.v4))]).toEqual([false, true])
  })

  test('stays logged in where the provider must stay the same, and a thief elsewhere does not', async () => {
    const globals = { store: memoryStore(), providerOf }
    const { at } = await site(() => runRecipe('providerOf', globals, 'return sessions') as Sessions)
    for (const ip of [home.v6, home.v4, home.v6]) {
      expect(await isIn(at(ip))).toBe(true)
      moveTheClock(10 * MINUTE)
    }
    await isIn(at(thief))
    for (let turn = 0; turn < 20; turn += 1) await new Promise(setImmediate)
    expect([await isIn(at(thief)), await isIn(at(home.v4))]).toEqual([false, false])
  })
})
