import { execFile } from 'node:child_process'
import { createServer, type IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { authenticateUpgrade, login, sessionOf, type RequestSession, type SessionStore } from 'express-sid'
import { Watched } from '../../../src/lib/async/watched.js'
import { eventsOf, rejectionOf } from '../../support/core.js'
import { ann } from '../../support/people.js'
import { expresses, express5, site } from '../../support/site.js'
import { failing, turns } from '../../support/stores.js'
import { expectNoUnhandledRejection } from '../../support/unhandled.js'
import { memoryStore } from '../../../src/stores/memory/index.js'

expectNoUnhandledRejection()

interface Warning {
  readonly message: string
  readonly code: string
}
let warnings: Warning[] = []
beforeEach(() => {
  warnings = []
  jest.spyOn(process, 'emitWarning').mockImplementation((message: unknown, options: unknown) => {
    warnings.push({ message: String(message), code: (options as { code: string }).code })
  })
})
afterEach(() => jest.restoreAllMocks())

/** What an application does with a promise that it does not await. */
const ignore = (_promise: Promise<unknown>) => undefined

describe.each(expresses)('a write that nobody awaits, on %s', (_name, module) => {
  const floating = (options = {}) =>
    site(module, options, (app) => {
      app.get('/floating', (req, res) => {
        ignore(sessionOf(req).set('visited', true))
        res.redirect('/')
      })
    })

  test('ends no process for a stranger whose response has begun, and is reported once', async () => {
    const { visitor, sessions } = floating()
    const events = eventsOf(sessions)
    for (let round = 0; round < 3; round += 1) expect((await visitor().get('/floating')).status).toBe(302)
    await turns()
    expect(warnings).toEqual([
      {
        code: 'SID_UNAWAITED',
        message: expect.stringMatching(
          /^sessionOf\(req\)\.set\(\) failed, and nobody awaited it\. Await it, at .*unawaited\.test\.ts:\d+.*HEADERS_SENT/,
        ),
      },
    ])
    expect(events).toMatchObject([
      {
        name: 'unawaited',
        event: {
          call: 'sessionOf(req).set()',
          place: expect.stringContaining('unawaited.test.ts'),
          error: expect.objectContaining({ code: 'HEADERS_SENT' }),
        },
      },
    ])
  })

  test('ends no process while the store is away', async () => {
    const { logIn, store, sessions } = floating()
    const browser = await logIn()
    const events = eventsOf(sessions)
    store.breakAt('update', 'rejects')
    await browser.get('/floating')
    await turns()
    expect(events.map(({ name }) => name)).toEqual(['storeError', 'unawaited'])
    expect(warnings.map(({ code }) => code)).toEqual(['SID_UNAWAITED'])
  })
})

type Floating = (session: RequestSession, sessions: ReturnType<typeof site>['sessions']) => unknown

const broken = (): SessionStore => {
  let store: SessionStore = memoryStore()
  for (const operation of ['update', 'delete', 'listByUser', 'pageByUser', 'insert'] as const)
    store = failing(store, operation, () => Promise.reject(new Error('the store is away')))
  return store
}

describe('every call that reaches the store', () => {
  const calls: Record<string, Floating> = {
    'sessionOf(req).login()': (session) => session.login(ann),
    'sessionOf(req).list()': (session) => session.list(),
    'sessionOf(req).revoke()': (session) => session.revoke('019a0000-0000-7000-8000-000000000000'),
    'sessionOf(req).revokeOthers()': (session) => session.revokeOthers(),
    'sessionOf(req).revokeAll()': (session) => session.revokeAll(),
    'sessionOf(req).logout()': (session) => session.logout(),
    'sessionOf(req).set()': (session) => session.set('a', 1),
    'sessionOf(req).update()': (session) => session.update('a', () => 1),
    'sessionOf(req).delete()': (session) => session.delete('before'),
    'sessionOf(req).take()': (session) => session.take('before'),
    'sessions.find()': async (_, sessions) => ignore(sessions.find('019a0000-0000-7000-8000-000000000000')),
    'sessions.list()': (_, sessions) => sessions.list('ann'),
    'sessions.revoke()': (_, sessions) => sessions.revoke('019a0000-0000-7000-8000-000000000000'),
    'sessions.revokeAll()': (_, sessions) => sessions.revokeAll('ann'),
    // A callback hears what came, and not what failed.
    'sessionOf(req).set() with then': (session) => session.set('a', 1).then(() => undefined),
    'sessionOf(req).set() with finally': (session) => session.set('a', 1).finally(() => undefined),
  }

  test.each(Object.keys(calls))('%s is reported where nobody awaits it', async (call) => {
    const store = memoryStore()
    const { logIn, sessions } = site(express5, { store })
    const browser = await logIn()
    await browser.run((session) => session.set('before', 1))
    const away = broken()
    const get = store.get.bind(store)
    Object.assign(store, away, {
      get: (id: string) => {
        if (id.startsWith('019a0000')) throw new Error('the store is away')
        return get(id)
      },
      getMany: undefined,
    })
    const events = eventsOf(sessions)
    await browser.run((session) => void calls[call]!(session, sessions))
    await turns()
    const reported = events.flatMap(({ name, event }) => (name === 'unawaited' ? [event.call] : []))
    expect(reported).toEqual([call.replace(/ with .*/, '')])
  })

  test('authenticateUpgrade() too', async () => {
    const { logIn, store, sessions } = site(express5)
    const browser = await logIn()
    const events = eventsOf(sessions)
    store.breakAt('get', 'rejects')
    const request = { headers: { cookie: browser.cookie }, socket: createServer(), method: 'GET' }
    ignore(authenticateUpgrade(sessions, request as unknown as IncomingMessage))
    await turns()
    expect(events.map(({ name }) => name)).toEqual(['storeError', 'unawaited'])
  })
})

test('the place is known for an application that wants no stacks, and its limit stays', async () => {
  const { visitor, sessions } = site(express5)
  const events = eventsOf(sessions)
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  try {
    await visitor().run((session) => void session.set('a', 1n))
    await turns()
    expect(Error.stackTraceLimit).toBe(0)
  } finally {
    Error.stackTraceLimit = stackTraceLimit
  }
  const places = events.flatMap(({ name, event }) => (name === 'unawaited' ? [event.place] : []))
  expect(places).toEqual([expect.stringContaining('unawaited.test.ts')])
})

describe('a call that is awaited', () => {
  test.each<[string, (promise: Promise<unknown>) => Promise<unknown>]>([
    ['at once', (promise) => rejectionOf(promise)],
    ['with others', (promise) => rejectionOf(Promise.all([promise, promise]))],
    ['by catch', (promise) => promise.catch((error: unknown) => error)],
    ['by then with two callbacks', (promise) => promise.then(undefined, (error: unknown) => error)],
    ['through then', (promise) => rejectionOf(promise.then(() => 1))],
    ['through finally', (promise) => rejectionOf(promise.finally(() => undefined))],
    ['as the result of an async function', (promise) => rejectionOf((async () => promise)())],
    ['as soon as it can be', async (promise) => rejectionOf(Promise.resolve().then(() => promise))],
  ])('%s rejects as usual, and nothing is reported', async (_, listen) => {
    const { visitor, sessions } = site(express5)
    const events = eventsOf(sessions)
    const res = await visitor().run(async (session) => {
      const error = (await listen(session.set('a', 1n))) as { code: string }
      return error.code
    })
    expect(res.body).toBe('DATA_INVALID')
    await turns()
    expect([events, warnings]).toEqual([[], []])
  })
})

describe('a promise that is refused', () => {
  const rejected = () => Promise.reject(new Error('of the application'))
  const works: Record<string, (session: RequestSession) => Promise<unknown>> = {
    'set(key, promise)': (session) => session.set('a', rejected()),
    'set(promise, value)': (session) => session.set(rejected() as unknown as string, 1),
    'update(key, async fn)': (session) => session.update<unknown>('a', rejected),
    'login(promise)': (session) => session.login(rejected()),
    'login(user whose id is a promise)': (session) => session.login({ id: rejected() }),
    'login(user, promise)': (session) => session.login(ann, rejected() as unknown as object),
    'login(user, { keep: promise })': (session) =>
      session.login(ann, { keep: rejected() as unknown as string[] }),
  }

  test.each(Object.keys(works))('is heard: %s', async (work) => {
    const { visitor } = site(express5)
    const res = await visitor().run(works[work]!)
    expect(res.status).toBe(500)
    expect(res.body.message).toMatch(/promise|of type object|an array of names/i)
    await turns()
  })

  test.each(['userId', 'serializeUser'])('is heard: an async %s', async (option) => {
    const { visitor } = site(express5, { [option]: rejected }, (app) => {
      app.post(
        '/log-in',
        login(() => ann),
      )
    })
    const res = await visitor().post('/log-in')
    expect([res.status, res.body.code]).toEqual([500, 'USER_INVALID'])
    await turns()
  })

  test('is heard where the login fails before the user is looked at', async () => {
    const { visitor } = site(express5)
    await visitor().run(async (session, _req, res) => {
      res.json(null)
      await rejectionOf(session.login(rejected()))
    })
    await turns()
  })
})

describe('a watched promise', () => {
  test('leaves an error of the application’s own callback to the application', async () => {
    // In a process of its own: Jest fails a test for any rejection that is left.
    const script = `
      import { Watched } from './src/lib/async/watched.ts'
      process.on('unhandledRejection', (error) => console.log('unhandled', error.message))
      const watched = new Watched(Promise.resolve(1), () => console.log('reported'))
      watched.then(() => { throw new Error('of the callback') })`
    const words = ['--import', 'tsx', '--input-type=module', '-e', script]
    const { stdout } = await promisify(execFile)(process.execPath, words, {
      cwd: join(__dirname, '../../..'),
    })
    expect(stdout).toBe('unhandled of the callback\n')
  })

  test('reports its own failure, at the end of any chain', async () => {
    const reported: unknown[] = []
    const failure = new Error('failed')
    const chain = new Watched(Promise.reject(failure), (error) => reported.push(error))
    ignore(
      chain
        .then(() => 1)
        .finally(() => undefined)
        .then(() => 2),
    )
    await turns()
    expect(reported).toEqual([failure])
  })

  test('is a promise like others to everybody who looks at it', async () => {
    const watched = new Watched(Promise.resolve(7), () => undefined)
    expect(watched).toBeInstanceOf(Promise)
    expect(await watched).toBe(7)
    expect(await watched.then((value) => value + 1)).toBe(8)
    expect(await watched.catch(() => 0)).toBe(7)
    expect(await watched.finally(() => 0)).toBe(7)
    expect(await Promise.all([watched, watched])).toEqual([7, 7])
  })
})
