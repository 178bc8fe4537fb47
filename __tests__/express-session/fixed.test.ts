import type { RequestHandler } from 'express'
import { app, everyExpress, everyStore, param, valuesOf } from './support/app.js'
import { Client } from './support/client.js'
import { Doors } from './support/doors.js'

// What express-session gets wrong, and this does not.

describe.each(everyExpress)('on %s', (_, express) => {
  describe.each(everyStore)('with %s', (__, makeStore) => {
    const doors = new Doors()
    const routes: Record<string, RequestHandler> = {
      '/read': (req, res) => void res.json(valuesOf(req.session)),
      '/set': (req, res) => {
        Object.assign(req.session, req.query)
        res.json('ok')
      },
      '/slow': async (req, res) => {
        await doors.wait(param(req, 'door'))
        const { set, remove, push } = req.query as Record<string, string>
        if (set) (req.session as never as Record<string, unknown>)[set] = 1
        if (remove) delete (req.session as never as Record<string, unknown>)[remove]
        if (push) req.session.list = [...(req.session.list ?? []), push]
        res.json('ok')
      },
      '/logout': (req, res) => req.session.destroy((error) => void res.json({ error })),
      '/login': (req, res) => {
        req.session.userId = param(req, 'user')
        res.json(req.session.id)
      },
      '/redirect': (req, res) => {
        req.session.n = 5
        // Nobody waits for it.
        void req.session.save()
        res.redirect('/read')
      },
    }
    const site = (options = {}) =>
      app({ express, store: makeStore(), userId: (s: { userId?: string }) => s.userId, ...options }, routes)
    const started = async (options = {}) => {
      const client = new Client(site(options))
      await client.get('/set?n=1')
      return client
    }

    test('a request that changed a session which has ended meanwhile gets a 401, and nothing comes back', async () => {
      const client = await started()
      const slow = client
        .copy()
        .get('/slow?door=a&set=late')
        .then((res) => res)
      await doors.arrived('a')
      const copy = client.copy()
      await client.get('/logout')
      doors.open('a')
      const res = await slow
      expect([res.status, res.body.code]).toEqual([401, 'SESSION_ENDED'])
      expect((await copy.get('/read')).body).toEqual({})
    })

    test('one that has changed nothing goes on', async () => {
      const client = await started({ resave: true })
      const slow = client
        .copy()
        .get('/slow?door=b')
        .then((res) => res)
      await doors.arrived('b')
      const copy = client.copy()
      await client.get('/logout')
      doors.open('b')
      expect((await slow).status).toBe(200)
      expect((await copy.get('/read')).body).toEqual({})
    })

    test('parallel requests keep the keys of each other: 20 of 20', async () => {
      const client = await started()
      const all = Array.from({ length: 20 }, (___, i) =>
        client
          .copy()
          .get(`/slow?door=c&set=k${i}&push=p${i}`)
          .then((res) => res),
      )
      await doors.arrived('c', 20)
      doors.open('c')
      expect((await Promise.all(all)).map(({ status }) => status)).toEqual(Array(20).fill(200))
      const { body } = await client.get('/read')
      expect(Object.keys(body as object).filter((key) => key.startsWith('k'))).toHaveLength(20)
      expect(body.list).toHaveLength(20)
    })

    test('a removal wins over a parallel request that still has the value', async () => {
      const client = await started()
      const slow = client
        .copy()
        .get('/slow?door=d&set=other')
        .then((res) => res)
      await doors.arrived('d')
      await client.get('/slow?door=open&remove=n')
      doors.open('d')
      expect((await slow).status).toBe(200)
      expect((await client.get('/read')).body).toEqual({ other: 1 })
    })

    test('a redirect does not overtake the session, although nobody awaited save()', async () => {
      const client = await started()
      await client.get('/redirect').expect(302)
      expect((await client.get('/read')).body.n).toBe(5)
    })

    test('another user is another session: a new id, the same data, and the old one has ended', async () => {
      const client = await started()
      const before = client.copy()
      await client.get('/login?user=ann')
      expect(client.sid).not.toBe(before.sid)
      expect((await client.get('/read')).body).toEqual({ n: '1', userId: 'ann' })
      expect((await before.get('/read')).body).toEqual({})
      const ann = client.copy()
      await client.get('/slow?door=open&remove=userId')
      expect(client.sid).not.toBe(ann.sid)
      expect((await client.get('/read')).body).toEqual({ n: '1' })
      expect((await ann.get('/read')).body).toEqual({})
    })

    test('the same user is the same session', async () => {
      const client = await started()
      await client.get('/login?user=ann')
      const { sid } = client
      await client.get('/login?user=ann')
      await client.get('/set?x=1')
      expect(client.sid).toBe(sid)
    })
  })
})

describe('a session that can not be saved', () => {
  const broken = (method: 'set' | 'destroy', options = {}) => {
    const store = everyStore[2]![1]() as unknown as Record<string, unknown>
    const site = app(
      { store: store as never, ...options },
      {
        '/set': (req, res) => {
          req.session.n = 1
          res.set('ETag', '"x"').json({ a: 'long body of the route' })
        },
        '/stream': (req, res) => {
          req.session.n = 2
          res.write('hello, ')
          setTimeout(() => res.end('world!'), 20)
        },
        '/late': (req, res) => {
          res.write('hello, ')
          req.session.n = 3
          setTimeout(() => res.end('world!'), 20)
        },
        '/logout': (req, res) => req.session.destroy(() => void res.json('bye')),
      },
    )
    const client = new Client(site)
    const fail = () => {
      store[method] = (_sid: string, ...rest: ((error: Error) => void)[]) => rest.at(-1)!(new Error('boom'))
    }
    return { client, fail, site }
  }

  test('is an error in place of the response, with none of its headers', async () => {
    const { client, fail } = broken('set')
    fail()
    const res = await client.get('/set')
    expect([res.status, res.body.message]).toEqual([500, 'boom'])
    expect(res.headers['set-cookie']).toBeUndefined()
    expect(res.headers['cache-control']).toBe('no-store')
    expect(res.headers.etag).not.toBe('"x"')
  })

  test('also of a response that is streamed, whose route goes on', async () => {
    const { client, fail, site } = broken('set')
    fail()
    expect((await client.get('/stream')).status).toBe(500)
    await new Promise((resolve) => setTimeout(resolve, 40))
    expect(site.errors).toHaveLength(1)
  })

  test('cuts off a response that has begun before', async () => {
    const { client, fail } = broken('set')
    await client.get('/set')
    fail()
    await expect(client.get('/late').then((res) => res.status)).rejects.toThrow(
      /aborted|hang up|reset|terminated/,
    )
  })

  test('is no logout: the response does not say that it was one', async () => {
    const { client, fail } = broken('destroy')
    await client.get('/set')
    fail()
    const res = await client.get('/logout')
    expect([res.status, res.body.message]).toEqual([500, 'boom'])
    expect(client.cookie).toBeDefined()
  })

  test('is reported afterwards with legacyErrors, as express-session does it', async () => {
    const { client, fail, site } = broken('set', { legacyErrors: true })
    fail()
    expect((await client.get('/set')).status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(site.errors.map((error) => (error as Error).message)).toEqual(['boom'])
  })
})

declare module 'express-session' {
  interface SessionData {
    userId: string
    list: string[]
  }
}
