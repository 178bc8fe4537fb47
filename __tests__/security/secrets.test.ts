import { inspect } from 'node:util'
import {
  login,
  logout,
  memoryStore,
  refuse,
  requireUser,
  sessionOf,
  type SessionRecord,
  type SessionStore,
} from 'express-sid'
import request from 'supertest'
import { agents, cookieOf, expresses, makeApp, route, setCookies, tokenOf } from '../http/support/apps.js'
import { eventsOf } from '../support/core.js'

const ann = { id: 'ann', name: 'Ann' }

/** Writes down what it is asked, and fails as drivers do: with what it was asked in the error. */
class Ledger implements SessionStore {
  readonly asked: unknown[] = []
  failing = ''
  readonly #inner = memoryStore()

  insert = (record: SessionRecord) => this.#do('insert', record, () => this.#inner.insert(record))
  get = (id: string) => this.#do('get', id, () => this.#inner.get(id))
  update = (record: SessionRecord, version: number) =>
    this.#do('update', record, () => this.#inner.update(record, version))
  delete = (id: string) => this.#do('delete', id, () => this.#inner.delete(id))
  listByUser = (userId: string) => this.#do('listByUser', userId, () => this.#inner.listByUser(userId))

  #do<T>(operation: string, asked: unknown, work: () => T): T {
    this.asked.push([operation, asked])
    if (this.failing === operation) throw Object.assign(new Error(`${operation} failed`), { asked })
    return work()
  }
}

/** All that anybody but the browser gets to see while the app runs. */
function watch() {
  const seen: unknown[] = []
  const names = ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const
  for (const name of names) jest.spyOn(console, name).mockImplementation((...what) => void seen.push(what))
  jest.spyOn(process, 'emitWarning').mockImplementation((...what: unknown[]) => void seen.push(what))
  return seen
}

afterEach(() => jest.restoreAllMocks())

describe.each(expresses)('the secret of a session on %s', (_name, module) => {
  const site = (store: SessionStore) =>
    makeApp(module, { store, touchInterval: 0 }, (app) => {
      app.post(
        '/login',
        login(() => ann, { keep: ['cart'] }),
      )
      app.post(
        '/refused',
        login(() => refuse({ reason: 'locked', userId: 'ann' })),
      )
      app.post('/logout', logout())
      app.get('/me', requireUser(), (req, res) => res.json(req.user))
      app.get(
        '/list',
        route(async (req, res) => res.json(await sessionOf(req).list())),
      )
      app.post(
        '/cart',
        route(async (req, res) => {
          await sessionOf(req).set('cart', ['item'])
          res.json({ id: sessionOf(req).id, session: inspect(sessionOf(req).get('cart')) })
        }),
      )
      app.post(
        '/broken',
        route((req) => sessionOf(req).set('key', 1n)),
      )
    })

  test('is nowhere but in the cookie, whatever happens to the session', async () => {
    const seen = watch()
    const store = new Ledger()
    const { app, sessions, errors } = site(store)
    const events = eventsOf(sessions)
    // A chatty listener prints all it is told, and one that fails has its error printed by us.
    sessions.on('login', (event) => {
      console.log(event)
      throw new Error('audit log is full')
    })

    const tokens: string[] = []
    const answers: unknown[] = []
    const ask = async (path: string, cookie = '', headers: Record<string, string> = {}) => {
      const method = path === '/me' || path === '/list' ? 'get' : 'post'
      const all = { 'User-Agent': agents.chrome, ...(cookie && { Cookie: cookie }), ...headers }
      const res = await request(app)[method](path).set(all)
      if (setCookies(res).length > 0 && tokenOf(res) !== '') tokens.push(tokenOf(res))
      const { 'set-cookie': _cookie, ...others } = res.headers as Record<string, unknown>
      answers.push([res.text, others])
      return res
    }

    const guest = cookieOf(await ask('/cart'))
    const first = cookieOf(await ask('/login', guest))
    for (const path of ['/me', '/list', '/cart', '/broken', '/refused']) await ask(path, first)
    await ask('/me', first, { 'User-Agent': agents.firefox })
    await ask('/me', `${first.slice(0, -1)}${first.endsWith('A') ? 'E' : 'A'}`)
    await ask('/cart', first, { 'Sec-Fetch-Site': 'cross-site' })
    for (const [operation, path] of [
      ['get', '/me'],
      ['update', '/me'],
      ['update', '/cart'],
      ['listByUser', '/list'],
      ['insert', '/login'],
      ['delete', '/login'],
      ['delete', '/logout'],
    ] as const) {
      store.failing = operation
      await ask(path, first)
      store.failing = ''
    }
    const second = cookieOf(await ask('/login', first))
    await sessions.revokeAll('ann')
    await ask('/me', second)
    const third = cookieOf(await ask('/login'))
    await ask('/logout', third)
    await ask('/cart', third)

    // The life was as full as it was meant to be: four sessions and a last guest, and each kind of event but one.
    expect(tokens.length).toBeGreaterThanOrEqual(5)
    const names = new Set(events.map(({ name }) => name))
    expect([...names].toSorted()).toEqual(
      ['clientChange', 'login', 'loginRefused', 'logout', 'revoke', 'storeError'].toSorted(),
    )
    expect(errors.length).toBeGreaterThanOrEqual(7)
    expect(seen.length).toBeGreaterThanOrEqual(2)

    const everything = [store.asked, events, errors, seen, answers, await sessions.list('ann')]
    const text = inspect(everything, { depth: Infinity, showHidden: true, maxStringLength: Infinity })
    expect(text).toContain(tokens[0]!.slice(0, 36))
    for (const token of tokens) {
      const [series, half] = [token.slice(37, 59), token.slice(59)]
      expect(text.includes(series) || text.includes(half)).toBe(false)
    }
  })
})
