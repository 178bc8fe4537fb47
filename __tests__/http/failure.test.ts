import { login, requireUser, sessionOf, type SessionOptions } from 'express-sid'
import { eventsOf, MINUTE, moveTheClock, stopTheClock } from '../support/core.js'
import { styles, waysToFail, type Style } from '../support/faulty-store.js'
import { ann, unissuedId } from '../support/people.js'
import { express5, expresses, site as siteOn, type ExpressModule } from '../support/site.js'
import { turn, type Operation } from '../support/stores.js'
import { expectNoUnhandledRejection } from '../support/unhandled.js'
import { setCookies, type Answer, type Visitor } from '../support/visitor.js'
import { widely } from '../support/wide.js'

/** Long enough for what answers, short enough for what hangs. */
const storeTimeout = 40

function site(module: ExpressModule, style: Style, given: SessionOptions = {}) {
  const made = siteOn(module, { style, storeTimeout, ...given }, (routes) => {
    routes.get('/', (req, res) => res.json({ user: req.user ?? null, data: sessionOf(req).get('a') ?? null }))
    routes.get('/guarded', requireUser({ loginPage: '/sign-in' }), (req, res) => res.json(req.user))
  })
  /** A visitor who is logged in, and has data. */
  const logIn = async () => {
    const browser = await made.logIn()
    await actions['a data write'](browser)
    return browser
  }
  return { ...made, logIn }
}

/** All that a visitor can do that needs the store. */
const actions = {
  'a page': (browser: Visitor) => browser.get(),
  'a guarded page': (browser: Visitor) => browser.get('/guarded'),
  'a login': (browser: Visitor) => browser.login(),
  'a logout': (browser: Visitor) => browser.logout(),
  'a data write': (browser: Visitor) => browser.run((session) => session.set('a', 1)),
  'a take': (browser: Visitor) => browser.run((session) => session.take('a')),
  'a list': (browser: Visitor) => browser.run((session) => session.list()),
  'a revocation': (browser: Visitor) => browser.run((session) => session.revoke(unissuedId)),
  'revoking others': (browser: Visitor) => browser.run((session) => session.revokeOthers()),
  'revoking all': (browser: Visitor) => browser.run((session) => session.revokeAll()),
}
type Action = keyof typeof actions

const codes = {
  throws: 'STORE_FAILED',
  rejects: 'STORE_FAILED',
  hangs: 'STORE_TIMEOUT',
  damaged: 'RECORD_DAMAGED',
} as const
const faults = ['throws', 'rejects', 'hangs'] as const

function expectRefusal(res: Answer, fault: keyof typeof codes): void {
  expect([res.status, res.body.code]).toEqual([503, codes[fault]])
  expect(setCookies(res)).toEqual([])
}

expectNoUnhandledRejection()
afterEach(() => jest.useRealTimers())

const apps = [
  ...styles.map((style) => ['Express 5', style, express5] as const),
  ['Express 4', 'async', expresses[1][1]] as const,
]
describe.each(widely(apps, ([, style]) => style === 'async'))(
  'a store that fails',
  (version, style, module) => {
    describe(`on ${version}, and is otherwise ${style}`, () => {
      test.each([...faults, 'damaged'] as const)(
        'at the lookup, where it %s: every request with a session is a 503',
        async (fault) => {
          const { visitor, logIn, store, errors, sessions } = site(module, style)
          const browser = await logIn()
          const events = eventsOf(sessions)
          store.breakAt('get', fault)
          const all: Action[] = ['a page', 'a guarded page', 'a list', 'a login', 'a logout', 'a data write']
          for (const res of await Promise.all(all.map(async (action) => actions[action](browser)))) {
            expectRefusal(res, fault)
            expect(res.headers['cache-control']).toBe('no-store')
          }
          expect(errors).toHaveLength(all.length)
          if (fault !== 'damaged')
            expect(new Set(events.map(({ name }) => name))).toEqual(new Set(['storeError']))
          // Strangers need no lookup.
          expect((await visitor().get()).body).toEqual({ user: null, data: null })
          store.mend()
          expect((await browser.get()).body).toEqual({ user: ann, data: 1 })
        },
      )

      test.each(faults)(
        'at the lookup, where it %s, with onStoreError anonymous: reads go on, nothing else does',
        async (fault) => {
          const { logIn, store } = site(module, style, { onStoreError: 'anonymous' })
          const browser = await logIn()
          store.breakAt('get', fault)
          const { 'a page': readPage, ...rest } = actions
          const read = await readPage(browser)
          expect([read.status, read.body]).toEqual([200, { user: null, data: null }])
          expect(setCookies(read)).toEqual([])
          const before = store.calls.length
          const answers = await Promise.all(Object.values(rest).map(async (act) => act(browser)))
          for (const res of answers) expectRefusal(res, fault)
          expect(new Set(store.calls.slice(before))).toEqual(new Set(['get']))
          store.mend()
          expect(await browser.user()).toEqual(ann)
        },
      )

      const operations: [string, Operation, Action][] = [
        ['a login', 'insert', 'a login'],
        ['a login that ends another', 'delete', 'a login'],
        ['a logout', 'delete', 'a logout'],
        ['a data write', 'update', 'a data write'],
        ['a take', 'update', 'a take'],
        ['a list', 'listByUser', 'a list'],
        ['a revocation', 'listByUser', 'a revocation'],
        ['revoking all', 'listByUser', 'revoking all'],
        ['revoking all', 'delete', 'revoking all'],
      ]
      test.each(operations)(
        'at %s (%s): 503, no cookie, and the session lives on',
        async (_what, operation, action) => {
          for (const fault of faults) {
            const { logIn, store, sessions } = site(module, style)
            const browser = await logIn()
            const before = await sessions.list('ann')
            store.breakAt(operation, fault)
            expectRefusal(await actions[action](browser), fault)
            expect(await browser.user()).toEqual(ann)
            store.mend()
            if (operation === 'insert') expect(await sessions.list('ann')).toEqual(before)
            expect((await browser.get()).body).toEqual({ user: ann, data: 1 })
          }
        },
      )

      test("at a guest's first write: 503 and no cookie", async () => {
        for (const fault of faults) {
          const { visitor, store } = site(module, style)
          store.breakAt('insert', fault)
          expectRefusal(await actions['a data write'](visitor()), fault)
        }
      })

      test('at a touch: an event, and the request goes on', async () => {
        for (const fault of faults) {
          stopTheClock()
          const { logIn, store, sessions } = site(module, style)
          const browser = await logIn()
          moveTheClock(6 * MINUTE)
          const events = eventsOf(sessions)
          store.breakAt('update', fault)
          expect(await browser.user()).toEqual(ann)
          // The touch is under way while the response is, so its failure may show later.
          while (events.length === 0) await turn()
          expect(events).toMatchObject([
            {
              name: 'storeError',
              event: { operation: 'update', error: expect.objectContaining({ code: codes[fault] }) },
            },
          ])
          jest.useRealTimers()
        }
      })
    })

    test('gives the 503 before any byte of the response, however long it hangs', async () => {
      const { logIn, store } = site(module, 'async')
      const browser = await logIn()
      store.breakAt('get', 'hangs')
      const before = performance.now()
      expect((await browser.get()).status).toBe(503)
      expect(performance.now() - before).toBeLessThan(storeTimeout + 1_000)
    })

    test('is waited for where it is slow, but in time', async () => {
      const { logIn, store } = site(module, style)
      const browser = await logIn()
      for (const operation of ['get', 'update', 'delete', 'insert'] as const) store.breakAt(operation, 'lags')
      expect(await browser.user()).toEqual(ann)
      expect((await actions['a data write'](browser)).status).toBe(200)
      expect((await browser.login()).status).toBe(200)
      expect((await browser.logout()).text).toBe('Logged Out')
    })

    test('after it has deleted the session: the logout is a 503, and the visitor is a stranger from then on', async () => {
      const { logIn, store } = site(module, style)
      const browser = await logIn()
      store.breakNext('delete', 'loses')
      expectRefusal(await browser.logout(), 'rejects')
      expect(await browser.user()).toBeNull()
    })

    test('is not to be shown to visitors, and no part of it holds a token', async () => {
      const { logIn, store, errors } = site(module, 'sync')
      const browser = await logIn()
      store.breakAt('get', 'throws')
      const res = await browser.get()
      const [error] = errors as { expose: boolean; cause: Error; message: string; stack: string }[]
      expect(error).toMatchObject({
        expose: false,
        cause: expect.objectContaining({ message: 'the disk is on fire' }),
      })
      const secret = browser.token.slice(-65)
      for (const text of [res.text, error!.message, error!.stack, JSON.stringify(error)]) {
        expect(text).not.toContain(secret)
      }
    })
  },
)

describe('a login that can not end the session that the browser held', () => {
  test.each(styles)('leaves no new one, with a store that is %s', async (style) => {
    const { logIn, store, sessions } = site(express5, style)
    const browser = await logIn()
    let calls = 0
    // Only the first one fails: that of the old session. The new one is taken back then.
    store.breakNext('delete', () => {
      calls += 1
      throw new Error('no')
    })
    const events = eventsOf(sessions)
    const res = await browser.login()
    expect([res.status, setCookies(res), calls]).toEqual([503, [], 1])
    await new Promise((resolve) => setImmediate(resolve))
    expect(await sessions.list('ann')).toHaveLength(1)
    expect(await browser.user()).toEqual(ann)
    expect(events.map(({ name }) => name)).toEqual(['storeError'])
  })
})

describe.each(expresses)('loadUser on %s', (_name, module) => {
  function members(loadUser: (id: string) => unknown, given: SessionOptions = {}) {
    return site(module, 'sync', { loadUser, ...given })
  }

  test('reads the user of each request; the session keeps the id alone', async () => {
    let name = 'Ann'
    const { logIn, sessions } = members(async (id) => ({ id, name }))
    const browser = await logIn()
    name = 'Anna'
    expect(await browser.user()).toEqual({ id: 'ann', name: 'Anna' })
    expect(await sessions.list('ann')).toMatchObject([{ userId: 'ann', user: undefined }])
  })

  test.each([undefined, null, false, Promise.resolve(null)])(
    'that returns %p makes the request anonymous and ends nothing',
    async (answer) => {
      let isThere = true
      const { logIn, sessions } = members(() => (isThere ? ann : answer))
      const browser = await logIn()
      isThere = false
      const res = await browser.get()
      expect(res.body.user).toBeNull()
      expect(setCookies(res)).toEqual([])
      expect((await browser.get('/guarded')).status).toBe(401)
      expect(await sessions.list('ann')).toHaveLength(1)
      isThere = true
      expect(await browser.user()).toEqual(ann)
    },
  )

  test.each<[string, () => unknown]>([...waysToFail, ['hangs', () => new Promise(() => undefined)]])(
    'that %s is a 503, whatever onStoreError says, and ends nothing',
    async (_how, failing) => {
      for (const onStoreError of ['fail', 'anonymous'] as const) {
        let isWell = true
        const { logIn, sessions } = members(() => (isWell ? ann : failing()), { onStoreError })
        const browser = await logIn()
        isWell = false
        for (const path of ['/', '/guarded']) {
          const res = await browser.get(path)
          expect([res.status, res.body.code]).toEqual([503, 'USER_LOAD_FAILED'])
          expect(setCookies(res)).toEqual([])
        }
        isWell = true
        expect(await sessions.list('ann')).toHaveLength(1)
        expect(await browser.user()).toEqual(ann)
      }
    },
  )

  test('is not asked for strangers and guests', async () => {
    const asked: string[] = []
    const { visitor } = members((id) => void asked.push(id))
    const guest = visitor()
    await actions['a data write'](guest)
    expect((await guest.get()).body).toEqual({ user: null, data: 1 })
    await visitor().get()
    expect(asked).toEqual([])
  })

  test('makes a login respond with the id alone: a row may hold a password hash, or values that JSON can not express', async () => {
    const { visitor } = siteOn(module, { loadUser: (id) => ({ id }) }, (routes) => {
      routes.post(
        '/login',
        login(() => ({ id: 'ann', balance: 1n, passwordHash: 'argon2' })),
      )
    })
    const res = await visitor().login({ Accept: 'application/json' })
    expect([res.status, res.body]).toEqual([200, { user: { id: 'ann' } }])
  })
})

test('a closed manager responds 503 to requests with a session, and lets strangers pass', async () => {
  const { logIn, visitor, sessions } = siteOn(express5)
  const browser = await logIn()
  await sessions.close()
  const res = await browser.get()
  expect([res.status, res.body.code]).toEqual([503, 'CLOSED'])
  expect((await visitor().get()).status).toBe(200)
})
