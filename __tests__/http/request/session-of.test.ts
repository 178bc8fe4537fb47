import { assert, asyncProperty, jsonValue } from 'fast-check'
import { sessionOf, type RequestSession } from 'express-sid'
import { HOUR, moveTheClock, rejectionOf, stopTheClock } from '../../support/core.js'
import { FaultyStore, styles } from '../../support/faulty-store.js'
import { bob } from '../../support/people.js'
import { express5, expresses, site } from '../../support/site.js'
import { setCookies, type Visitor } from '../../support/visitor.js'

afterEach(() => jest.useRealTimers())

describe.each(expresses)("a session's data on %s", (_name, module) => {
  test.each(styles)(
    'is there in the next request once its promise has resolved, with a store that is %s',
    async (style) => {
      const browser = await site(module, { style }).logIn()
      const wrote = await browser.run((session) => session.set('cart', { items: [1, 'two', null] }))
      expect(setCookies(wrote)).toEqual([])
      const read = await browser.run((session) => session.get('cart'))
      expect(read.body).toEqual({ items: [1, 'two', null] })
    },
  )

  test('is read as it was when the request began, or as the request wrote it', async () => {
    const browser = await site(module).logIn()
    const res = await browser.run(async (session) => {
      const before = session.get('n')
      await session.set('n', 1)
      const between = session.get('n')
      await session.delete('n')
      return [before ?? null, between, session.get('n') ?? null]
    })
    expect(res.body).toEqual([null, 1, null])
  })

  test('is copied in and out, so that only writing changes it', async () => {
    const browser = await site(module).logIn()
    await browser.run(async (session) => {
      const cart = { items: ['book'] }
      const writing = session.set('cart', cart)
      cart.items.push('never')
      await writing
      cart.items.push('never')
      session.get<typeof cart>('cart')!.items.push('never')
      await session.update<typeof cart>('cart', (kept) => {
        const copy = { items: [...kept!.items, 'pen'] }
        setImmediate(() => copy.items.push('never'))
        return copy
      })
    })
    expect((await browser.run((session) => session.get('cart'))).body).toEqual({
      items: ['book', 'pen'],
    })
  })

  test("starts a guest's session at the first write, and none for what writes nothing", async () => {
    const { visitor, sessions, store } = site(module)
    const guest = visitor()
    const nothing = await guest.run(async (session) => {
      await session.delete('a')
      await session.take('a')
      await session.update('a', () => undefined)
      return session.get('a')
    })
    expect(setCookies(nothing)).toEqual([])
    expect(store.calls).toEqual([])
    const started = await guest.run(async (session) => {
      await session.set('a', 1)
      return { id: session.id, user: session.user ?? null, list: await session.list() }
    })
    expect(started.body).toEqual({ id: guest.id, user: null, list: [] })
    expect(started.headers['cache-control']).toBe('no-store')
    const info = await sessions.find(guest.id)
    expect(info!.userId).toBeUndefined()
    expect(info!.expiresAt - info!.createdAt).toBe(HOUR)
    expect((await guest.run((session) => session.get('a'))).body).toBe(1)
  })

  test.each(styles)(
    'two writes of a stranger at once start one guest, with a store that is %s',
    async (style) => {
      const { visitor, store } = site(module, { style })
      const guest = visitor()
      const res = await guest.run((session) => Promise.all([session.set('a', 1), session.set('b', 2)]))
      expect(setCookies(res)).toHaveLength(1)
      expect(store.calls).toEqual(['insert', 'update'])
      const read = await guest.run((session) => [session.get('a'), session.get('b')])
      expect(read.body).toEqual([1, 2])
    },
  )

  test.each(styles)('forty increments at once count to forty, with a store that is %s', async (style) => {
    const browser = await site(module, { style }).logIn()
    const increment = (session: RequestSession) => session.update<number>('n', (n) => (n ?? 0) + 1)
    const counts = await Promise.all(Array.from({ length: 40 }, () => browser.run(increment)))
    expect(counts.map((res) => res.body as number).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 40 }, (_, index) => index + 1),
    )
    expect((await browser.run((session) => session.get('n'))).body).toBe(40)
  })

  /** Each of these visitors writes a key of its own. All wait for each other, so that all begin with one version. */
  async function writeAtOnce(visitors: readonly Visitor[]): Promise<string[]> {
    const keys = visitors.map((_, at) => `key${at}`)
    const writers: (() => void)[] = []
    const write = async (session: RequestSession, key: string) => {
      await new Promise<void>((resolve) => {
        if (writers.push(resolve) === keys.length) for (const go of writers) go()
      })
      await session.set(key, true)
    }
    await Promise.all(visitors.map((visitor, at) => visitor.run((session) => write(session, keys[at]!))))
    return keys
  }

  test('writes of different keys at once lose nothing', async () => {
    const store = new FaultyStore('async')
    const nodes = Array.from({ length: 6 }, () => site(module, { store }))
    const browser = await nodes[0]!.logIn()
    const keys = await writeAtOnce(nodes.map(({ visitor }) => visitor({ cookie: browser.cookie })))
    const kept = await browser.run((session) => keys.filter((key) => session.get(key)))
    expect(kept.body).toEqual(keys)
    expect(store.calls.filter((call) => call === 'update').length).toBeGreaterThan(keys.length)
  })

  test('writes of different keys at once, in one process, are two writes to the store', async () => {
    const { logIn, store } = site(module, { style: 'async' })
    const browser = await logIn()
    const keys = await writeAtOnce(Array.from({ length: 6 }, () => browser))
    const kept = await browser.run((session) => keys.filter((key) => session.get(key)))
    expect(kept.body).toEqual(keys)
    expect(store.calls.filter((call) => call === 'update')).toHaveLength(2)
  })

  test('runs update again on what another request wrote meanwhile', async () => {
    const { logIn, store: other } = site(module)
    const browser = await logIn()
    await browser.run((session) => session.set('n', 1))
    const seen: (number | undefined)[] = []
    const res = await browser.run(async (session) => {
      const record = (await other.get(session.id!))!
      await other.update({ ...record, version: record.version + 1, data: { n: 10 } }, record.version)
      return session.update<number>('n', (n) => {
        seen.push(n)
        return n! + 1
      })
    })
    expect(seen).toEqual([1, 10])
    expect(res.body).toBe(11)
  })

  test('is taken by exactly one of many requests', async () => {
    const { logIn } = site(module, { style: 'async' })
    const browser = await logIn()
    await browser.run((session) => session.set('voucher', 'v1'))
    const taken = await Promise.all(
      Array.from({ length: 12 }, () => browser.run((session) => session.take('voucher'))),
    )
    expect(taken.map((res) => res.body as unknown).filter((answer) => answer !== null)).toEqual(['v1'])
  })

  test('belongs to the session: neither another login nor the next one of this browser sees it', async () => {
    const { logIn } = site(module)
    const browser = await logIn()
    await browser.run((session) => session.set('secret', 1))
    const read = async (other: Visitor) =>
      (await other.run((session) => session.get('secret'))).body as unknown
    expect(await read(await logIn())).toBeNull()
    await browser.login()
    expect(await read(browser)).toBeNull()
  })

  test('can not be written once the session has ended, in any way, and no guest is started', async () => {
    const { logIn, sessions, store } = site(module, { style: 'async' })
    const ways: ((session: RequestSession) => unknown)[] = [
      (session) => session.logout(),
      (session) => sessions.revoke(session.id!),
      () => sessions.revokeAll('ann'),
      (session) => session.revokeAll(),
      (session) => session.revoke(session.id!),
    ]
    for (const end of ways) {
      const browser = await logIn()
      store.calls.length = 0
      const res = await browser.run(async (session) => {
        await end(session)
        const writers = [
          () => session.set('a', 1),
          () => session.update('a', () => 1),
          () => session.delete('a'),
          () => session.take('a'),
        ]
        const errors = []
        for (const write of writers) errors.push(await rejectionOf(write()))
        return errors.map((error) => (error as { code: string }).code)
      })
      expect(res.body).toEqual(Array.from({ length: 4 }, () => 'SESSION_ENDED'))
      expect(store.calls).not.toContain('insert')
      expect(setCookies(res).filter((line) => !line.startsWith('sid=;'))).toEqual([])
    }
  })

  test('can not be written to a session that ended while it was looked up, and starts no guest', async () => {
    stopTheClock()
    const { logIn, store } = site(module)
    const browser = await logIn()
    moveTheClock(HOUR)
    store.breakAt('update', (work) => {
      void store.inner.delete(browser.id)
      return work()
    })
    const res = await browser.run(async (session) => rejectionOf(session.set('a', 1)))
    expect(res.body).toMatchObject({ code: 'SESSION_ENDED' })
    expect(setCookies(res)).toEqual([])
  })

  test('can not be written to a session that has expired meanwhile', async () => {
    stopTheClock()
    const browser = await site(module).logIn()
    const res = await browser.run(async (session) => {
      moveTheClock(8 * 24 * HOUR)
      return rejectionOf(session.set('a', 1))
    })
    expect(res.body).toMatchObject({ code: 'SESSION_ENDED' })
  })

  test('can be written after a logout and a login in the same request', async () => {
    const browser = await site(module).logIn()
    await browser.run(async (session) => {
      await session.logout()
      await session.login(bob)
      await session.set('a', 1)
    })
    const read = await browser.run((session) => [session.user, session.get('a')])
    expect(read.body).toEqual([bob, 1])
  })

  test('can not start a guest once the headers were sent, and the store is not asked', async () => {
    const errors: unknown[] = []
    const { visitor, store } = site(module)
    await visitor().run(async (session, _req, res) => {
      res.write('begun')
      errors.push(await rejectionOf(session.set('a', 1)))
      res.end()
    })
    expect(errors).toEqual([expect.objectContaining({ code: 'HEADERS_SENT' })])
    expect(store.calls).toEqual([])
  })

  test('can be written after the headers were sent, in a session that exists', async () => {
    const browser = await site(module).logIn()
    await browser.run(async (session, _req, res) => {
      res.write('begun')
      await session.set('a', 1)
      res.end()
    })
    expect((await browser.run((session) => session.get('a'))).body).toBe(1)
  })
})

describe("a session's data", () => {
  const module = express5

  test('takes any string as a key, and inherits none', async () => {
    const browser = await site(module).logIn()
    const keys = [
      '__proto__',
      'constructor',
      'toString',
      'hasOwnProperty',
      '',
      ' ',
      '\0',
      '\ud800',
      '😀',
      'a.b',
      'x'.repeat(5000),
    ]
    const before = await browser.run((session) => keys.map((key) => session.get(key) ?? null))
    expect(before.body).toEqual(keys.map(() => null))
    await browser.run(async (session) => {
      for (const key of keys) await session.set(key, { of: key.length })
    })
    const after = await browser.run((session) => keys.map((key) => session.get(key)))
    expect(after.body).toEqual(keys.map((key) => ({ of: key.length })))
    const taken = await browser.run(async (session) => [
      await session.take('__proto__'),
      (await session.take('__proto__')) ?? null,
      session.get('x') ?? null,
    ])
    expect(taken.body).toEqual([{ of: 9 }, null, null])
    expect(({} as { of?: unknown }).of).toBeUndefined()
  })

  test('keeps every JSON value as it is', async () => {
    const browser = await site(module).logIn()
    await assert(
      asyncProperty(jsonValue(), async (value) => {
        const kept = JSON.parse(JSON.stringify(value)) as unknown
        await browser.run((session) => session.set('value', value))
        let read: unknown
        await browser.run((session) => (read = session.get('value')))
        expect(read).toEqual(kept)
      }),
      { numRuns: 40 },
    )
  })

  test.each([
    ['undefined', undefined, 'delete()'],
    ['a function', () => 1, 'function'],
    ['a symbol', Symbol('s'), 'symbol'],
    ['a bigint', 1n, 'Pick plain data from it, with no BigInt'],
    ['a promise', Promise.resolve(1), 'Await it first'],
  ])('refuses %s, and says the fix', async (_what, value, words) => {
    const { logIn, store } = site(module)
    const browser = await logIn()
    store.calls.length = 0
    let error: unknown
    await browser.run(async (session) => void (error = await rejectionOf(session.set('a', value))))
    expect(error).toMatchObject({ code: 'DATA_INVALID', message: expect.stringContaining(words) })
    expect(store.calls).toEqual(['get'])
  })

  test.each([400, 3_000, 4_000, 100_000])('nested %i deep is either refused or readable', async (depth) => {
    const browser = await site(module).logIn()
    let code: string | undefined
    await browser.run(async (session) => {
      const deep = JSON.parse('['.repeat(depth) + ']'.repeat(depth)) as unknown
      code = await session.set('deep', deep).then(
        () => 'kept',
        (error: { code: string }) => error.code,
      )
    })
    expect(['kept', 'DATA_INVALID']).toContain(code)
    const read = await browser.run((session) => void session.get('deep'))
    expect(read.status).toBe(200)
  })

  test('refuses a key that is no string, and an update that is async', async () => {
    const errors: unknown[] = []
    const browser = await site(module).logIn()
    await browser.run(async (session) => {
      errors.push(await rejectionOf(session.set(1 as never, 1)))
      errors.push(await rejectionOf(session.update('a', async () => 1)))
    })
    expect(errors).toEqual([
      expect.objectContaining({ code: 'DATA_INVALID', message: expect.stringContaining("such as 'cart'") }),
      expect.objectContaining({ code: 'DATA_INVALID' }),
    ])
  })

  test('is unchanged when update throws, and the next write goes on', async () => {
    const browser = await site(module).logIn()
    const res = await browser.run(async (session) => {
      await session.set('n', 1)
      const failed = session.update('n', () => {
        throw new Error('changed my mind')
      })
      const next = session.set('m', 2)
      const error = (await rejectionOf(failed)) as Error
      await next
      return [error.message, session.get('n'), session.get('m')]
    })
    expect(res.body).toEqual(['changed my mind', 1, 2])
  })

  test('is not written where nothing changes', async () => {
    const { logIn, store } = site(module)
    const browser = await logIn()
    store.calls.length = 0
    await browser.run(async (session) => {
      await session.take('nothing')
    })
    expect(store.calls).toEqual(['get'])
    // Somebody else may have written it meanwhile, and what is deleted must be gone.
    await browser.run((session) => session.delete('nothing'))
    expect(store.calls).toEqual(['get', 'get', 'get'])
  })
})

test('sessionOf throws MIDDLEWARE_MISSING on a request of no app', () => {
  expect(() => sessionOf({} as never)).toThrow(expect.objectContaining({ code: 'MIDDLEWARE_MISSING' }))
})
