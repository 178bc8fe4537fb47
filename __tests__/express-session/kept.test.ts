import { createHmac } from 'node:crypto'
import expressSession from 'express-session'
import express5 from 'express'
import session, { Cookie, MemoryStore, Session, Store } from 'express-sid/express-session'
import { app, everyExpress, everyStore, secret } from './support/app.js'
import { Client } from './support/client.js'

// What applications know of express-session holds here.

describe.each(everyExpress)('on %s', (_, express) => {
  describe.each(everyStore)('with %s', (__, makeStore) => {
    const site = (options = {}) =>
      app(
        { express, store: makeStore(), ...options },
        {
          '/count': (req, res) => {
            req.session.n = (req.session.n ?? 0) + 1
            res.json({ n: req.session.n })
          },
          '/read': (req, res) => void res.json({ n: req.session.n, id: req.sessionID === req.session.id }),
          '/save': async (req, res) => {
            req.session.n = 7
            await req.session.save()
            res.json('saved')
          },
          '/destroy': (req, res) =>
            req.session.destroy((error) => void res.json({ error, session: typeof req.session })),
          '/destroy-promise': async (req, res) => {
            await req.session.destroy()
            res.json('gone')
          },
          '/regenerate': (req, res) => {
            const { id } = req.session
            req.session.regenerate((error) => {
              req.session.fresh = true
              res.json({ error, isNew: req.session.id !== id, n: req.session.n })
            })
          },
          '/reload': (req, res) => {
            req.session.n = 99
            req.session.reload((error) => void res.json({ error, n: req.session.n }))
          },
          '/max-age': (req, res) => {
            req.session.n = 1
            req.session.cookie.maxAge = 60_000
            res.json({ maxAge: req.session.cookie.maxAge, original: req.session.cookie.originalMaxAge })
          },
        },
      )

    test('values stay from request to request', async () => {
      const client = new Client(site())
      expect((await client.get('/count')).body).toEqual({ n: 1 })
      expect((await client.get('/count')).body).toEqual({ n: 2 })
      expect((await client.get('/read')).body).toEqual({ n: 2, id: true })
    })

    test('the cookie is that of express-session: s:<id>.<HMAC-SHA256>', async () => {
      const client = new Client(site())
      await client.get('/count')
      const signature = createHmac('sha256', secret).update(client.sid!).digest('base64').replace(/=+$/, '')
      expect(decodeURIComponent(client.cookie!)).toBe(`connect.sid=s:${client.sid}.${signature}`)
    })

    test('a session that nobody changed is not kept, and gets no cookie', async () => {
      const client = new Client(site())
      const res = await client.get('/read')
      expect(res.headers['set-cookie']).toBeUndefined()
    })

    test('methods take callbacks, and return promises', async () => {
      const client = new Client(site())
      await client.get('/save').expect(200, '"saved"')
      expect((await client.get('/read')).body.n).toBe(7)
      expect((await client.get('/reload')).body).toEqual({ n: 7 })
      const before = client.sid
      expect((await client.get('/regenerate')).body).toEqual({ isNew: true })
      expect(client.sid).not.toBe(before)
      expect((await client.get('/destroy')).body).toEqual({ session: 'undefined' })
      await client.get('/count')
      await client.get('/destroy-promise').expect(200, '"gone"')
    })

    test('destroy ends the session and clears the cookie', async () => {
      const client = new Client(site())
      await client.get('/count')
      const copy = client.copy()
      await client.get('/destroy')
      expect(client.cookie).toBeUndefined()
      expect((await copy.get('/read')).body.n).toBeUndefined()
    })

    test('maxAge of one session is kept with it', async () => {
      const client = new Client(site({ cookie: { maxAge: 1_000 } }))
      const res = await client.get('/max-age')
      expect(res.body.original).toBe(60_000)
      const expires = /Expires=([^;]+)/.exec(String(res.headers['set-cookie']))![1]!
      expect(Date.parse(expires) - Date.now()).toBeGreaterThan(50_000)
      expect((await client.get('/count')).body.n).toBe(2)
    })

    test('a secret in second place still opens old cookies', async () => {
      const store = makeStore()
      const client = new Client(site({ store, secret: 'old' }))
      await client.get('/count')
      const next = Object.assign(new Client(site({ store, secret: ['new', 'old'] })), {
        cookie: client.cookie,
      })
      expect((await next.get('/count')).body.n).toBe(2)
      const other = Object.assign(new Client(site({ store, secret: 'new' })), { cookie: client.cookie })
      expect((await other.get('/count')).body.n).toBe(1)
    })

    test('a cookie that is given again is signed by the first secret', async () => {
      const options = { store: makeStore(), cookie: { maxAge: 60_000 } }
      const client = new Client(site({ ...options, secret: 'old' }))
      await client.get('/count')
      const signedByOld = client.cookie
      const next = Object.assign(new Client(site({ ...options, secret: ['new', 'old'] })), {
        cookie: signedByOld,
      })
      await next.get('/count')
      expect(next.cookie).not.toBe(signedByOld)
      const other = Object.assign(new Client(site({ ...options, secret: 'new' })), { cookie: next.cookie })
      expect((await other.get('/count')).body.n).toBe(3)
      expect(other.cookie).toBe(next.cookie)
    })
  })
})

test('the classes can be inherited from, by classes and by functions', () => {
  class Modern extends Store {
    override get(): void {}
    override set(): void {}
    override destroy(): void {}
  }
  function Old(this: unknown) {
    ;(Store as unknown as () => void).call(this)
  }
  Object.setPrototypeOf(Old.prototype, Store.prototype)
  expect(new Modern().listenerCount('connect')).toBe(0)
  expect(new (Old as unknown as new () => Store)()).toBeInstanceOf(Store)
  expect([session.Store, session.MemoryStore, session.Session, session.Cookie]).toEqual([
    Store,
    MemoryStore,
    Session,
    Cookie,
  ])
})

test('code that has patched or wrapped a method of the store is called', async () => {
  const store = new MemoryStore()
  const called: string[] = []
  const site = app({ store }, { '/': (req, res) => void res.json(++(req.session as { n: number }).n) })
  const patched = store as unknown as Record<string, (...args: unknown[]) => unknown>
  for (const name of ['generate', 'get', 'set', 'createSession', 'regenerate']) {
    const before = patched[name]!
    patched[name] = function (...args) {
      called.push(name)
      if (name === 'generate') {
        before.apply(this, args)
        ;(args[0] as { session: { n: number } }).session.n = 0
        return undefined
      }
      return before.apply(this, args)
    }
  }
  const client = new Client(site)
  await client.get('/').expect(200, '1')
  await client.get('/').expect(200, '2')
  expect(called).toEqual(['generate', 'set', 'get', 'createSession', 'get', 'set'])
})

test('store.load() finds a session where there is no request', async () => {
  const store = new expressSession.MemoryStore()
  const client = new Client(app({ store }, { '/': (req, res) => res.json((req.session.n = 5)) }))
  await client.get('/')
  const loaded = await new Promise<{ n?: number } | undefined>((resolve, reject) =>
    store.load(client.sid!, (error, found) => (error ? reject(error) : resolve(found))),
  )
  expect(loaded?.n).toBe(5)
})

test('a request whose session is there already is passed on', async () => {
  const site = express5()
  site.use((req, _res, next) => {
    Object.assign(req, { session: { mine: true } })
    next()
  })
  site.use(session({ secret, resave: false, saveUninitialized: false }))
  site.get('/', (req, res) => void res.json(req.session))
  expect((await new Client(site).get('/')).body).toEqual({ mine: true })
})

declare module 'express-session' {
  interface SessionData {
    n: number
    fresh: boolean
  }
}
