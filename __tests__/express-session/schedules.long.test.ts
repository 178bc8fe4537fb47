import { setImmediate as turn } from 'node:timers/promises'
import type { RequestHandler } from 'express'
import { memoryStore } from 'express-sid'
import { fromExpressSession } from 'express-sid/express-session-store'
import type { SessionRecord, SessionStore, UpdateResult } from 'express-sid'
import { type AppOptions, app, param } from './support/app.js'
import { Backend } from './support/backend.js'
import { Client } from './support/client.js'

// Two processes over one store, in random order. After an acknowledged logout no request finds the session.

const rounds = Number(process.env.SID_ROUNDS ?? 60)

/** A store of this package whose answers take a random time, in each process a different one. */
function slow(store: SessionStore, { act }: Pick<Backend, 'act'>): SessionStore {
  return {
    insert: async (record) => act(() => store.insert(record) as void),
    get: async (id) => act(() => store.get(id) as SessionRecord | undefined),
    update: (record, version) => act(() => store.update(record, version) as UpdateResult),
    delete: (id) => act(() => store.delete(id) as boolean),
  }
}

const random = (seed: number) => () => {
  seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648
  return seed / 2_147_483_648
}

const setUps: Record<string, (backend: Backend) => [AppOptions, AppOptions]> = {
  'stores of this package': (backend) => {
    const store = memoryStore()
    const act = backend.act.bind(backend)
    return [{ store: slow(store, { act }) }, { store: slow(store, { act }) }]
  },
  'a store of express-session, shared': (backend) => [
    { store: backend.store(), shared: true },
    { store: backend.store(), shared: true },
  ],
  'fromExpressSession, shared': (backend) => [
    { store: fromExpressSession(backend.store(), { shared: true }) },
    { store: fromExpressSession(backend.store(), { shared: true }) },
  ],
  'sessions that are being taken over': (backend) => {
    const store = memoryStore()
    const act = backend.act.bind(backend)
    const one = () => ({ store: slow(store, { act }), migrateFrom: backend.store() })
    return [one(), one()]
  },
}

const waits =
  (chance: () => number): RequestHandler =>
  async (_req, _res, next) => {
    for (let turns = Math.floor(chance() * 12); turns > 0; turns -= 1) await turn()
    next()
  }

test.each(Object.entries(setUps))(
  'no session is back after its logout: %s',
  async (name, setUp) => {
    for (let round = 1; round <= rounds; round += 1) {
      const chance = random(round * 7919)
      const backend = new Backend(chance)
      const wait = waits(chance)
      const sites = setUp(backend).map((options) => {
        const made = app({ touchInterval: 0, ...options }, {})
        made.get('/set', wait, (req, res) => {
          ;(req.session as never as Record<string, unknown>)[param(req, 'key')] = 1
          res.json('ok')
        })
        made.get('/read', (req, res) => void res.json(req.session.n ?? null))
        made.get('/logout', wait, (req, res) => req.session.destroy((error) => void res.json(error ?? 'bye')))
        return made
      })
      const begin = name.includes('taken over')
        ? app({ store: backend.store() }, { '/set': (req, res) => res.json((req.session.n = 1)) })
        : sites[0]!
      const client = new Client(begin)
      await client.get('/set?key=n')
      const at = (site: number) => Object.assign(new Client(sites[site % 2]!), { cookie: client.cookie })
      const work = Array.from({ length: 6 }, (_, i) =>
        at(i)
          .get(`/set?key=k${i}`)
          .then((res) => res.status),
      )
      const loggedOut = await at(round).get('/logout')
      expect([round, loggedOut.status]).toEqual([round, 200])
      // Reads that begin after the logout was acknowledged, while older requests still write.
      const reads = await Promise.all([0, 1, 0, 1].map((site) => at(site).get('/read')))
      expect([round, reads.map(({ body }) => body)]).toEqual([round, [null, null, null, null]])
      const statuses = await Promise.all(work)
      expect(statuses.filter((status) => status !== 200 && status !== 401)).toEqual([])
      const last = await Promise.all([0, 1].map((site) => at(site).get('/read')))
      expect([round, last.map(({ body }) => body)]).toEqual([round, [null, null]])
    }
  },
  120_000,
)
