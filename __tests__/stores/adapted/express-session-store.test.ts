import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import expressSession, { MemoryStore, Store, type SessionData } from 'express-session'
import { fromExpressSession, type ExpressSessionStore } from 'express-sid/express-session-store'
import { makeRecord, storeContract } from 'express-sid/testing'
import { createSessions, requireUser, sessionOf } from 'express-sid'
import { isSessionRecord, type SessionRecord } from '../../../src/record.js'
import type { SessionStore } from '../../../src/store.js'
import { ann } from '../../support/people.js'
import { express5, site } from '../../support/site.js'

type Callback = (error?: unknown, value?: unknown) => void
type FileStoreClass = new (options: object) => ExpressSessionStore
const FileStore =
  jest.requireActual<(session: typeof expressSession) => FileStoreClass>('session-file-store')(expressSession)

const folders: string[] = []
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })))

/** A store on files, in a folder of its own, that does not ask again for what is not there. */
function fileStore(): ExpressSessionStore {
  const path = mkdtempSync(join(tmpdir(), 'sid-files-'))
  folders.push(path)
  return new FileStore({ path, retries: 0, reapInterval: -1, logFn: () => undefined })
}

/** As connect-redis, connect-mongo and connect-pg-simple do: `touch` moves an expiry beside the session. */
class ExpiryStore extends Store {
  readonly rows = new Map<string, { text: string; expires: number }>()

  get(sid: string, callback: (error: unknown, session?: SessionData | null) => void): void {
    const row = this.rows.get(sid)
    if (row === undefined || row.expires <= Date.now()) callback(null, null)
    else callback(null, JSON.parse(row.text) as SessionData)
  }

  set(sid: string, session: SessionData, callback?: Callback): void {
    this.rows.set(sid, { text: JSON.stringify(session), expires: Number(session.cookie.expires) })
    callback?.()
  }

  override touch(sid: string, session: SessionData, callback?: Callback): void {
    const row = this.rows.get(sid)
    if (row !== undefined) row.expires = Number(session.cookie.expires)
    callback?.()
  }

  destroy(sid: string, callback?: Callback): void {
    this.rows.delete(sid)
    callback?.()
  }
}

function withoutTouch<T extends object>(store: T): T {
  return Object.assign(store, { touch: undefined })
}

/** The next version with only what a touch changes. */
function touched(record: SessionRecord, changes: Partial<SessionRecord> = {}): SessionRecord {
  const now = Date.now()
  const expiresAt = Math.min(now + 7 * DAY, record.absoluteExpiresAt)
  return { ...record, version: record.version + 1, lastSeenAt: now, expiresAt, ...changes }
}

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

describe.each<[string, () => ExpressSessionStore, 'anyId'[]]>([
  ['MemoryStore', () => new MemoryStore(), []],
  ['session-file-store', fileStore, ['anyId']],
  ['a store with an expiry of its own', () => new ExpiryStore(), []],
  ['a store without touch', () => withoutTouch(new ExpiryStore()), []],
])('the store contract on %s', (_, open, without) => {
  const store = fromExpressSession(open())
  for (const { name, run } of storeContract(() => store, { without })) test(name, run)
})

describe('a store for express-session', () => {
  const record = makeRecord({ id: 'a', data: { cart: [1] } })
  let store: ExpiryStore
  let sessions: SessionStore

  beforeEach(async () => {
    store = new ExpiryStore()
    sessions = fromExpressSession(store)
    await sessions.insert(record)
  })

  test('refuses an id that it has, with a code and the fix', async () => {
    await expect(sessions.insert(record)).rejects.toMatchObject({
      code: 'STORE_FAILED',
      message: expect.stringContaining(
        `There is a session ${record.id} already. Insert each id once.`,
      ) as unknown,
    })
  })

  test('is given what it finds its time to live in, whichever property it reads', async () => {
    const set = jest.spyOn(store, 'set')
    const before = Date.now()
    await sessions.insert({ ...record, id: 'b' })
    const { cookie } = set.mock.calls[0]![1]
    const left = record.expiresAt - before
    expect(cookie.expires).toBeInstanceOf(Date)
    expect(cookie.expires!.getTime() - record.expiresAt).toBe(2_000)
    expect(cookie.maxAge).toBe(cookie.originalMaxAge)
    expect(cookie.maxAge).toBeGreaterThan(left)
    expect(cookie.maxAge).toBeLessThanOrEqual(left + 2_000)
  })

  test('gets a minute to spare where the record alone keeps the deadline', async () => {
    await fromExpressSession(withoutTouch(store)).insert({ ...record, id: 'b' })
    expect(store.rows.get('b')!.expires - record.expiresAt).toBe(MINUTE)
  })

  test('tells an express-session application nothing of the user', () => {
    const read = JSON.parse(store.rows.get('a')!.text) as object
    expect(Object.keys(read)).toEqual(['cookie', 'expressSid'])
  })

  test('keeps the sessions of an express-session application out of reach', async () => {
    const theirs = { text: '{"cookie":{},"passport":{"user":1}}', expires: Infinity }
    store.rows.set('theirs', theirs)
    expect(await sessions.get('theirs')).toBeUndefined()
    expect(await sessions.update({ ...record, id: 'theirs', version: 2 }, 1)).toBe('absent')
    expect(await sessions.delete('theirs')).toBe(false)
    expect(store.rows.get('theirs')).toBe(theirs)
  })

  test.each(['"not JSON"', '5', '{}', '"{\\"id\\":\\"other\\"}"'])(
    'a damaged record, %s, is no record, and can be ended',
    async (text) => {
      store.rows.set('a', { text: `{"cookie":{},"expressSid":${text}}`, expires: Infinity })
      const answer = await sessions.get('a')
      expect(answer).toEqual({ id: 'a' })
      expect(isSessionRecord(answer)).toBe(false)
      expect(await sessions.update({ ...record, version: 2 }, 1)).toBe('conflict')
      expect(await sessions.delete('a')).toBe(true)
      expect(store.rows.has('a')).toBe(false)
    },
  )

  test('a session that the store can’t even read can be ended', async () => {
    store.get = (_sid, callback) => callback(new SyntaxError('Unexpected token'))
    await expect(sessions.get('a')).rejects.toThrow('Unexpected token')
    expect(await sessions.delete('a')).toBe(true)
    expect(store.rows.has('a')).toBe(false)
  })

  test('has no list of a user’s sessions, and says what has', async () => {
    const manager = createSessions({ store: sessions })
    for (const ask of [() => manager.list('u'), () => manager.revokeAll('u')]) {
      await expect(ask()).rejects.toMatchObject({
        code: 'UNSUPPORTED',
        status: 501,
        message: expect.stringMatching(/Redis, PostgreSQL/) as unknown,
      })
    }
  })

  test('tells at the start what it can not do', () => {
    expect('listByUser' in sessions).toBe(false)
    expect(sessions.atomicUpdates).toBe(false)
  })

  test('may emit errors without ending the process', () => {
    expect(store.emit('error', new Error('connection lost'))).toBe(true)
  })

  test.each([[undefined], [null], [ExpiryStore], [{ get: () => {}, set: () => {} }], ['redis']])(
    'is an instance with get, set and destroy: %p is refused',
    (wrong) => {
      expect(() => fromExpressSession(wrong as never)).toThrow(
        expect.objectContaining({ code: 'OPTION_INVALID' }),
      )
    },
  )

  describe('answers once, however it answers:', () => {
    const failure = new Error('down')
    const noEntry = Object.assign(new Error('no such file'), { code: 'ENOENT' })
    const kept = () => JSON.parse(store.rows.get('a')!.text) as object

    test.each<[string, ExpressSessionStore['get']]>([
      ['with null', (_, callback) => callback(null, null)],
      ['with nothing', (_, callback) => callback()],
      ['with ENOENT, as stores on files', (_, callback) => callback(noEntry)],
      ['with a promise of nothing', () => Promise.resolve()],
      ['with nothing, and then with a session', (_, callback) => (callback(), callback(null, kept()))],
    ])('%s for what is absent', async (_, get) => {
      Object.assign(store, { get })
      expect(await sessions.get('a')).toBeUndefined()
    })

    test.each<[string, ExpressSessionStore['get']]>([
      ['before it returns', (_, callback) => callback(null, kept())],
      ['later', (_, callback) => setImmediate(() => callback(null, kept()))],
      ['and calls back again', (_, callback) => (callback(null, kept()), callback(failure))],
      ['and then throws', (_, callback) => (callback(null, kept()), fail())],
      ['and then rejects', (_, callback) => (callback(null, kept()), Promise.reject(failure))],
      [
        'after its promise',
        (_, callback) => (setImmediate(() => callback(null, kept())), Promise.resolve(undefined)),
      ],
      ['with a promise alone', () => Promise.resolve(kept())],
    ])('%s, with the session', async (_, get) => {
      Object.assign(store, { get })
      expect(await sessions.get('a')).toEqual(record)
    })

    test.each<[string, ExpressSessionStore['get']]>([
      ['throws', () => fail()],
      ['calls back with an error', (_, callback) => callback(failure)],
      ['rejects and never calls back', (...all) => Promise.reject(all.length === 2 ? failure : null)],
    ])('fails where the store %s', async (_, get) => {
      Object.assign(store, { get })
      await expect(sessions.get('a')).rejects.toBe(failure)
    })

    test('a write into a folder that is gone is a failure, not an absence', async () => {
      store.set = (_, _session, callback) => callback?.(noEntry)
      await expect(sessions.insert({ ...record, id: 'b' })).rejects.toBe(noEntry)
    })

    function fail(): never {
      throw failure
    }
  })

  describe('writes one session’s changes one after another:', () => {
    /** A store whose writes arrive when they are told to. */
    function slowWrites(): { arrive: () => void } {
      const set = store.set.bind(store)
      let arrive!: () => void
      const arrived = new Promise<void>((resolve) => (arrive = resolve))
      store.set = (sid, session, callback) => {
        void arrived.then(() => set(sid, session, callback))
      }
      return { arrive }
    }

    test('a logout waits for a write that is under way, and is final', async () => {
      const { arrive } = slowWrites()
      const writing = sessions.update({ ...record, version: 2, data: {} }, 1)
      const ending = sessions.delete('a')
      arrive()
      expect(await writing).toBe('ok')
      expect(await ending).toBe(true)
      expect(await sessions.get('a')).toBeUndefined()
      expect(store.rows.size).toBe(0)
    })

    test('a write that comes after the logout finds nothing', async () => {
      const ending = sessions.delete('a')
      const writing = sessions.update({ ...record, version: 2, data: {} }, 1)
      await ending
      expect(await writing).toBe('absent')
    })

    test('a write that fails lets the next one go on', async () => {
      store.set = (_, _session, callback) => callback?.(new Error('disk full'))
      const failing = sessions.update({ ...record, version: 2, data: {} }, 1)
      const ending = sessions.delete('a')
      await expect(failing).rejects.toThrow('disk full')
      expect(await ending).toBe(true)
    })

    test('other sessions do not wait', async () => {
      slowWrites()
      void sessions.update({ ...record, version: 2, data: {} }, 1)
      await expect(sessions.delete('b')).resolves.toBe(false)
    })

    test('a session at rest is not waited for: its turn begins at once', async () => {
      await sessions.delete('a')
      await new Promise(setImmediate)
      const get = jest.spyOn(store, 'get')
      void sessions.delete('a')
      expect(get).toHaveBeenCalled()
    })

    test('changes of the given record after the call change nothing', async () => {
      const given = { ...record, version: 2, data: { cart: [1, 2] } }
      const writing = sessions.update(given, 1)
      given.data.cart.push(3)
      await writing
      expect((await sessions.get('a'))?.data).toEqual({ cart: [1, 2] })
    })

    test('but another process can bring back a session that is ended while it writes: the limit that is documented', async () => {
      const other = fromExpressSession(store)
      const { arrive } = slowWrites()
      const writing = other.update({ ...record, version: 2, data: {} }, 1)
      await new Promise(setImmediate)
      expect(await sessions.delete('a')).toBe(true)
      expect(await sessions.get('a')).toBeUndefined()
      arrive()
      expect(await writing).toBe('ok')
      expect(await sessions.get('a')).toMatchObject({ version: 2 })
    })
  })
})

describe('a touch', () => {
  let record: SessionRecord

  beforeEach(() => {
    // The clock alone: nothing here waits for a timer.
    const timers = ['nextTick', 'setImmediate', 'setTimeout', 'setInterval', 'queueMicrotask'] as const
    jest.useFakeTimers({ doNotFake: [...timers] })
    record = makeRecord({ id: 'a', data: { cart: [1] } })
  })

  afterEach(() => jest.useRealTimers())

  const pass = (ms: number) => jest.setSystemTime(Date.now() + ms)

  /** What this process sees, and what one does that has only the store. */
  const readers = (sessions: SessionStore, store: ExpressSessionStore) => ({
    here: () => sessions.get('a'),
    elsewhere: () => fromExpressSession(store).get('a'),
  })

  describe.each<[string, () => ExpressSessionStore]>([
    ['MemoryStore, which rewrites the cookie', () => new MemoryStore()],
    ['session-file-store, which rewrites the cookie', fileStore],
    ['a store with an expiry of its own', () => new ExpiryStore()],
    ['a store whose touch is a set', () => touchBySet(new ExpiryStore())],
  ])('on %s', (_, open) => {
    let store: ExpressSessionStore
    let sessions: SessionStore

    beforeEach(async () => {
      store = open()
      sessions = fromExpressSession(store)
      await sessions.insert(record)
    })

    test('is remembered in this process, the whole of it', async () => {
      pass(MINUTE)
      const next = touched(record, { ip: '::1', userAgent: 'other' })
      expect(await sessions.update(next, 1)).toBe('ok')
      expect(await sessions.get('a')).toEqual(next)
      expect(await sessions.update(next, 1)).toBe('conflict')
      const last = { ...next, version: 3, data: { cart: [1, 2] } }
      expect(await sessions.update(last, 2)).toBe('ok')
      expect(await sessions.get('a')).toEqual(last)
      expect(await sessions.update(touched(last), 3)).toBe('ok')
    })

    test('keeps a session alive past the deadline of its login, here and elsewhere', async () => {
      let last = record
      for (let day = 0; day < 20; day++) {
        pass(DAY)
        const next = touched(last)
        expect(await sessions.update(next, last.version)).toBe('ok')
        last = next
      }
      pass(6 * DAY)
      for (const reader of Object.values(readers(sessions, store))) {
        expect((await reader())?.expiresAt).toBeGreaterThan(Date.now())
      }
    })

    test('does not keep it past the idle deadline', async () => {
      pass(6 * DAY)
      await sessions.update(touched(record), 1)
      pass(7 * DAY + 2_001)
      for (const reader of Object.values(readers(sessions, store))) {
        expect((await reader())?.expiresAt ?? 0).toBeLessThan(Date.now())
      }
    })

    test('does not keep it past the absolute deadline, whatever the store does', async () => {
      const end = record.absoluteExpiresAt
      let last = record
      while (Date.now() + 5 * DAY < end) {
        pass(5 * DAY)
        const next = touched(last)
        await sessions.update(next, last.version)
        last = next
      }
      for (const reader of Object.values(readers(sessions, store))) {
        expect((await reader())?.expiresAt).toBeLessThanOrEqual(end)
      }
    })

    test('leaves what another process has written', async () => {
      const other = fromExpressSession(store)
      pass(MINUTE)
      expect(await sessions.update(touched(record), 1)).toBe('ok')
      const theirs = { ...record, version: 2, data: { cart: [1, 2] } }
      expect(await other.update(theirs, 1)).toBe('ok')
      expect(await sessions.get('a')).toEqual(theirs)
      // Both processes count a version 2, of different changes: the one that touched must read again.
      expect(await sessions.update({ ...record, version: 3, data: {} }, 2)).toBe('conflict')
      expect(await sessions.get('a')).toMatchObject({ version: 2, data: { cart: [1, 2] } })
      expect(await sessions.update({ ...theirs, version: 3, data: {} }, 2)).toBe('ok')
    })

    test('of a session that has ended is answered absent', async () => {
      await fromExpressSession(store).delete('a')
      expect(await sessions.update(touched(record), 1)).toBe('absent')
      expect(await sessions.get('a')).toBeUndefined()
    })

    test('that fails is not remembered', async () => {
      store.touch = (_sid, _session, callback) => callback(new Error('down'))
      await expect(sessions.update(touched(record), 1)).rejects.toThrow('down')
      expect(await sessions.get('a')).toEqual(record)
    })
  })

  test('is the store’s own touch and never a set, which could bring back an ended session', async () => {
    const store = new ExpiryStore()
    const sessions = fromExpressSession(store)
    await sessions.insert(record)
    const [set, touch] = [jest.spyOn(store, 'set'), jest.spyOn(store, 'touch')]
    pass(MINUTE)
    const guest = { userId: undefined, user: undefined }
    await sessions.insert({ ...record, ...guest, id: 'b' })
    set.mockClear()
    const changes = { ip: '::1', userAgent: 'other' }
    expect(await sessions.update(touched(record, changes), 1)).toBe('ok')
    expect(await sessions.update(touched({ ...record, ...guest, id: 'b' }, changes), 1)).toBe('ok')
    expect(set).not.toHaveBeenCalled()
    expect(touch).toHaveBeenCalledTimes(2)
  })

  test.each<[string, Partial<SessionRecord>]>([
    ['data', { data: { cart: [] } }],
    ['the secret', { secretHash: 'other' }],
    ['the user', { user: { id: 'x' } }],
  ])('is not what changes %s: that is a set', async (_, changes) => {
    const store = new ExpiryStore()
    const sessions = fromExpressSession(store)
    await sessions.insert(record)
    const next = touched(record, changes)
    await sessions.update(next, 1)
    expect(await fromExpressSession(store).get('a')).toEqual(next)
  })

  test('gives the store the record as it is stored, so that touching by set writes nothing else', async () => {
    const store = new ExpiryStore()
    const sessions = fromExpressSession(store)
    await sessions.insert(record)
    const stored = (JSON.parse(store.rows.get('a')!.text) as { expressSid: string }).expressSid
    const touch = jest.spyOn(store, 'touch')
    await sessions.update(touched(record), 1)
    expect(touch.mock.calls[0]![1]).toMatchObject({ expressSid: stored })
  })

  test('is exact where the store rewrites the cookie: past the deadline is past it', async () => {
    const store = new MemoryStore()
    const sessions = fromExpressSession(store)
    await sessions.insert(record)
    pass(DAY)
    const next = touched(record)
    await sessions.update(next, 1)
    pass(7 * DAY)
    const found = await fromExpressSession(store).get('a')
    expect(found?.expiresAt).toBe(next.expiresAt)
    expect(next.expiresAt).toBe(Date.now())
  })

  test('on a store with an expiry of its own is unknown elsewhere, so a session is taken as of now', async () => {
    const store = new ExpiryStore()
    const sessions = fromExpressSession(store)
    await sessions.insert(record)
    pass(5 * DAY)
    await sessions.update(touched(record), 1)
    pass(5 * DAY)
    const found = await fromExpressSession(store).get('a')
    expect(found).toEqual({ ...record, expiresAt: Date.now() + 7 * DAY })
  })

  describe('on a store without touch', () => {
    let store: ExpiryStore
    let sessions: SessionStore
    let next: SessionRecord

    beforeEach(async () => {
      store = withoutTouch(new ExpiryStore())
      sessions = fromExpressSession(store)
      await sessions.insert(record)
      pass(DAY)
      next = touched(record)
    })

    test('writes nothing, and the deadline stays that of the login', async () => {
      const set = jest.spyOn(store, 'set')
      expect(await sessions.update(next, 1)).toBe('ok')
      expect(set).not.toHaveBeenCalled()
      expect((await sessions.get('a'))?.expiresAt).toBe(record.expiresAt)
      expect(await fromExpressSession(store).get('a')).toEqual(record)
    })

    test('is remembered otherwise, so that it is not tried on every request', async () => {
      await sessions.update(next, 1)
      expect(await sessions.get('a')).toEqual({ ...next, expiresAt: record.expiresAt })
    })

    test('leaves the deadline to a data write, which moves it', async () => {
      await sessions.update({ ...next, data: {} }, 1)
      expect((await fromExpressSession(store).get('a'))?.expiresAt).toBe(next.expiresAt)
    })

    test('past the deadline is past it, though the store still has the session', async () => {
      await sessions.update(next, 1)
      pass(6 * DAY + 1)
      expect((await sessions.get('a'))?.expiresAt).toBeLessThan(Date.now())
    })
  })

  test('that is forgotten leaves no version under which a late request could undo a newer write', async () => {
    const sessions = fromExpressSession(new ExpiryStore())
    for (const id of ['a', 'other']) await sessions.insert({ ...record, id })
    pass(MINUTE)
    // A slow request holds what it has touched twice, version 3.
    const once = touched(record)
    await sessions.update(once, 1)
    const held = touched(once)
    await sessions.update(held, 2)
    await forgetAllTouches(sessions)
    // Others read version 1 now, and write more than once.
    let last = record
    for (const cart of [[2], [2, 3], [2, 3, 4]]) {
      await changed(sessions, (current) => (last = { ...current, data: { cart } }))
      expect(await sessions.update({ ...held, version: 4, data: { cart: ['late'] } }, 3)).toBe('conflict')
    }
    expect((await sessions.get('a'))?.data).toEqual(last.data)
    // It reads again, and its write is kept as well.
    await changed(sessions, (current) => ({ ...current, data: { ...current.data, late: true } }))
    expect((await sessions.get('a'))?.data).toEqual({ ...last.data, late: true })
  })

  /** Touches so many other sessions that those of before are forgotten. */
  async function forgetAllTouches(sessions: SessionStore): Promise<void> {
    for (let at = 0; at < 10_000; at++) {
      const other = { ...record, id: `s${at}` }
      await sessions.insert(other)
      await sessions.update(touched(other), 1)
    }
  }

  /** What the core does for a change: it reads, writes, and begins again on conflict. */
  async function changed(
    sessions: SessionStore,
    edit: (current: SessionRecord) => SessionRecord,
  ): Promise<void> {
    for (let attempt = 0; attempt < 5; attempt++) {
      const current = (await sessions.get('a'))!
      const next = { ...edit(current), version: current.version + 1 }
      if ((await sessions.update(next, current.version)) === 'ok') return
    }
    throw new Error('five conflicts in a row')
  }

  test('of more sessions than are remembered forgets the one touched longest ago, which is then touched again', async () => {
    const sessions = fromExpressSession(new ExpiryStore())
    const ids = Array.from({ length: 10_001 }, (_, at) => `s${at}`)
    const last = ids.at(-1)!
    for (const id of ids) await sessions.insert({ ...record, id })
    pass(MINUTE)
    const next = touched(record)
    for (const id of ids.slice(0, -1)) await sessions.update({ ...next, id }, 1)
    await sessions.update({ ...touched(next), id: 's0' }, 2)
    await sessions.update({ ...next, id: last }, 1)
    expect(await sessions.get('s1')).toEqual({ ...record, id: 's1' })
    for (const id of ['s0', 's2', last]) {
      expect((await sessions.get(id))?.lastSeenAt).toBe(Date.now())
    }
  })
})

function touchBySet(store: ExpiryStore): ExpiryStore {
  store.touch = (sid, session, callback) => store.set(sid, session, callback)
  return store
}

test('session-file-store keeps nothing of an ended session', async () => {
  const store = fileStore()
  const sessions = fromExpressSession(store)
  const record = makeRecord()
  await sessions.insert(record)
  const folder = folders.at(-1)!
  expect(readdirSync(folder)).toHaveLength(1)
  await sessions.delete(record.id)
  expect(readdirSync(folder)).toHaveLength(0)
})

test('an application on MemoryStore logs in, keeps data, and stays logged out after logout', async () => {
  const { logIn } = site(express5, { store: fromExpressSession(new MemoryStore()) }, (routes) => {
    routes.get('/me', requireUser(), (req, res) => res.json([req.user, sessionOf(req).get('cart')]))
  })
  const browser = await logIn()
  const before = browser.copy()
  expect((await browser.run((session) => session.set('cart', ['book']))).status).toBe(200)
  const { status, body } = await browser.get('/me')
  expect([status, body]).toEqual([200, [ann, ['book']]])
  await browser.logout()
  expect((await before.get('/me')).status).toBe(401)
})

test('a path in place of an id reaches no file outside of the folder of session-file-store', async () => {
  const store = fileStore()
  const sessions = createSessions({ store: fromExpressSession(store) })
  const victim = join(folders.at(-1)!, '../sid-victim.json')
  // What can't be read can still be ended, so it would be.
  writeFileSync(victim, 'no session')
  try {
    expect(await sessions.find('../sid-victim')).toBeUndefined()
    expect(await sessions.revoke('../sid-victim')).toBe(false)
    expect(existsSync(victim)).toBe(true)
  } finally {
    rmSync(victim, { force: true })
  }
})
