import { inspect } from 'node:util'
import { login, memoryStore, refuse, requireUser, type SessionStore } from 'express-sid'
import { eventsOf, HOUR, moveTheClock, stopTheClock } from '../support/core.js'
import { ann, firefox } from '../support/people.js'
import { expresses, site as siteOn } from '../support/site.js'
import { wrapped, type Operation } from '../support/stores.js'
import { setCookies, type Visitor, type Work } from '../support/visitor.js'

/** Writes down what it is asked, and fails as drivers do: with what it was asked in the error. */
function ledger() {
  const asked: unknown[] = []
  const broken = new Set<Operation>()
  const store = wrapped(memoryStore(), (operation, method) => (...args) => {
    asked.push([operation, args])
    if (broken.has(operation)) throw Object.assign(new Error(`${operation} failed`), { asked: args })
    return method(...args)
  })
  return { store, asked, broken }
}

/** All that anybody but the browser gets to see while the app runs. */
function watch() {
  const seen: unknown[] = []
  const names = ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const
  for (const name of names) jest.spyOn(console, name).mockImplementation((...what) => void seen.push(what))
  jest.spyOn(process, 'emitWarning').mockImplementation((...what: unknown[]) => void seen.push(what))
  return seen
}

afterEach(() => {
  jest.restoreAllMocks()
  jest.useRealTimers()
})

describe.each(expresses)('the secret of a session on %s', (_name, module) => {
  const site = (store: SessionStore) =>
    siteOn(module, { store, touchInterval: 0 }, (app) => {
      app.post(
        '/login',
        login(() => ann, { keep: ['cart'] }),
      )
      app.post(
        '/refused',
        login(() => refuse({ reason: 'locked', userId: 'ann' })),
      )
      app.get('/me', requireUser(), (req, res) => res.json(req.user))
    })

  const list: Work = (session) => session.list()
  const fillCart: Work = async (session) => {
    await session.set('cart', ['item'])
    return { id: session.id, session: inspect(session.get('cart')) }
  }
  const breakData: Work = (session) => session.set('key', 1n)

  test('is nowhere but in the cookie, whatever happens to the session', async () => {
    stopTheClock()
    const seen = watch()
    const { store, asked, broken } = ledger()
    const { visitor, sessions, errors } = site(store)
    const events = eventsOf(sessions)
    // A chatty listener prints all it is told, and one that fails has its error printed by us.
    sessions.on('login', (event) => {
      console.log(event)
      throw new Error('audit log is full')
    })

    const tokens: string[] = []
    const answers: unknown[] = []
    /** One request, and what it let out. */
    const note = async (asking: ReturnType<Visitor['get']>) => {
      const res = await asking
      for (const line of setCookies(res)) {
        const [, token] = /^sid=([^;]+)/.exec(line) ?? []
        if (token !== undefined) tokens.push(token)
      }
      const { 'set-cookie': _cookie, ...others } = res.headers as Record<string, unknown>
      answers.push([res.text, others])
    }

    const browser = visitor()
    await note(browser.run(fillCart))
    await note(browser.login())
    await note(browser.get('/me'))
    for (const work of [list, fillCart, breakData]) await note(browser.run(work))
    await note(browser.post('/refused'))
    await note(browser.copy(firefox).get('/me'))
    const { cookie } = browser
    const mangled = `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'E' : 'A'}`
    await note(browser.copy({ cookie: mangled }).get('/me'))
    await note(browser.run(fillCart, { 'Sec-Fetch-Site': 'cross-site' }))
    const troubles: [Operation, () => ReturnType<Visitor['get']>][] = [
      ['get', () => browser.get('/me')],
      ['update', () => browser.get('/me')],
      ['update', () => browser.run(fillCart)],
      ['pageByUser', () => browser.run(list)],
      ['insert', () => browser.login()],
      ['delete', () => browser.login()],
      ['delete', () => browser.logout()],
    ]
    for (const [operation, ask] of troubles) {
      broken.add(operation)
      await note(ask())
      broken.delete(operation)
    }
    await note(browser.login())
    await sessions.revokeAll('ann')
    await note(browser.get('/me'))
    const another = visitor()
    await note(another.login())
    const ended = another.copy()
    await note(another.logout())
    await note(ended.run(fillCart))

    // A thief uses a cookie that the browser has long replaced.
    const robbed = visitor()
    await note(robbed.login())
    const thief = robbed.copy()
    for (let hour = 0; hour < 3; hour += 1) {
      moveTheClock(HOUR)
      await note(robbed.get('/me'))
    }
    expect(robbed.token).not.toBe(thief.token)
    await note(thief.get('/me'))

    // The life was as full as it was meant to be: two guests, four logins, a rotation, and each kind of event but one.
    expect(tokens.length).toBeGreaterThanOrEqual(7)
    const names = new Set(events.map(({ name }) => name))
    expect([...names].toSorted()).toEqual(
      [
        'clientChange',
        'login',
        'loginRefused',
        'logout',
        'reuse',
        'revoke',
        'rotate',
        'storeError',
      ].toSorted(),
    )
    expect(errors.length).toBeGreaterThanOrEqual(7)
    expect(seen.length).toBeGreaterThanOrEqual(2)

    const everything = [asked, events, errors, seen, answers, await sessions.list('ann')]
    const text = inspect(everything, { depth: Infinity, showHidden: true, maxStringLength: Infinity })
    expect(text).toContain(tokens[0]!.slice(0, 36))
    for (const token of tokens) {
      const [series, half] = [token.slice(37, 59), token.slice(59)]
      expect(text.includes(series) || text.includes(half)).toBe(false)
    }
  })
})
