import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { Client } from 'pg'
import { createClient } from 'redis'
import { createSessions, type SessionStore, type Sessions } from 'express-sid'
import { makeRecord } from 'express-sid/testing'
import { startEndingNode } from '../support/ending-node.js'
import { watch, type Watched } from '../support/hearing.js'
import { MysqlServer } from '../support/mysql-server.js'
import { needs } from '../support/needs.js'
import { nearMysql, nearPostgres, nearRedis, nearSqlite, type NearStore } from '../support/near-store.js'
import { createPostgres } from '../support/postgres-server.js'
import { startCluster } from '../support/redis-cluster.js'
import { eventually, RedisServer } from '../support/redis-servers.js'
import { scratchFolder } from '../support/scratch.js'
import { wrapped } from '../support/stores.js'
import { TcpProxy } from '../support/tcp-proxy.js'

const WITHIN = 3_000
/** What the lookups and a busy machine may add to it. */
const SLACK = 1_500
/** Looking for ten sessions, which is done every two seconds, is hardly ever so fast. */
const AT_ONCE = 900
const file = scratchFolder()

/** What is done to a store's server. */
interface Server {
  /** Ends it as a crash does, and starts it again with what it has on disk. */
  readonly kill: () => Promise<unknown>
  readonly restart: () => Promise<unknown>
  readonly remove: () => unknown
}

interface Subject {
  readonly server: Server
  /** How another process opens the store. */
  readonly there: string
  readonly near: () => NearStore | Promise<NearStore>
  /** The same, with its channel through a proxy. */
  readonly proxied?: { readonly proxy: TcpProxy; readonly near: () => NearStore | Promise<NearStore> }
}

const durable = ['--appendonly', 'yes', '--appendfsync', 'always']

async function redis(kind: 'redis' | 'ioredis'): Promise<Subject> {
  const server = await RedisServer.start(durable)
  const proxy = await TcpProxy.start(server.port)
  const url = `redis://127.0.0.1:${proxy.port}`
  const lines = {
    redis: () => createClient({ url }),
    ioredis: () => new Redis(url, { lazyConnect: true, retryStrategy: () => null }),
  }
  return {
    server: { kill: () => server.kill(), restart: () => server.restart(), remove: () => server.remove() },
    there: `${kind}+heard:ends:@${server.url}`,
    near: () => nearRedis(kind, server.url, 'ends:', true),
    proxied: { proxy, near: () => nearRedis(kind, server.url, 'ends:', lines[kind]) },
  }
}

async function cluster(kind: 'redis-cluster' | 'ioredis-cluster'): Promise<Subject> {
  const servers = await startCluster(1_000, durable)
  const [first] = servers.primaries
  const proxy = await TcpProxy.start(first!.port)
  const url = `redis://127.0.0.1:${proxy.port}`
  return {
    server: servers,
    there: `${kind}+heard:ends:@${first!.url}`,
    near: () => nearRedis(kind, first!.url, 'ends:', true),
    proxied: { proxy, near: () => nearRedis(kind, first!.url, 'ends:', () => createClient({ url })) },
  }
}

async function postgres(): Promise<Subject> {
  const server = await createPostgres()
  await server.start()
  const { host, port, user, database } = server.config
  const proxy = await TcpProxy.start(Number(port))
  return {
    server: { kill: () => server.kill(), restart: () => server.start(), remove: () => server.remove() },
    there: `postgres+heard:sessions@postgres://${user}@${host}:${port}/${String(database)}`,
    near: () => nearPostgres(server.config, 'sessions', true),
    proxied: {
      proxy,
      near: () =>
        nearPostgres(server.config, 'sessions', () => new Client({ ...server.config, port: proxy.port })),
    },
  }
}

async function mariadb(): Promise<Subject> {
  const server = await MysqlServer.start()
  return {
    server: { kill: () => server.kill(), restart: () => server.restart(), remove: () => server.remove() },
    there: `mysql:sessions@${server.url}`,
    near: () => nearMysql(server.url, 'sessions'),
  }
}

/** It has no server: what can be lost are the connections of a process, each to the file. */
function sqlite(): Subject {
  const path = file('long.sqlite')
  const connections = new Set<Connection>()
  const each = async (what: 'lose' | 'open') => connections.forEach((connection) => connection[what]())
  return {
    server: { kill: () => each('lose'), restart: () => each('open'), remove: () => undefined },
    there: `sqlite:${path}`,
    near() {
      const connection = new Connection(path)
      connections.add(connection)
      const close = () => {
        connections.delete(connection)
        connection.lose()
      }
      return { store: connection.store, close }
    },
  }
}

/** A connection to a SQLite file, which can be lost, so that each call fails, and opened again. */
class Connection {
  #open: NearStore
  readonly store: SessionStore

  constructor(private readonly path: string) {
    this.#open = nearSqlite(path)
    this.store = wrapped(this.#open.store, (name) => (...args) => {
      const method = this.#open.store[name] as (...given: unknown[]) => unknown
      return method(...args)
    })
  }

  lose(): void {
    this.#open.close()
  }

  open(): void {
    this.#open = nearSqlite(this.path)
  }
}

const looking = { hasChannel: false }
const hearing = { hasChannel: true }

describe('SQLite', () => behaves(async () => sqlite(), looking))
needs('redis-server')('Redis through node-redis', () => behaves(() => redis('redis'), hearing))
needs('redis-server')('Redis through ioredis', () => behaves(() => redis('ioredis'), hearing))
needs('redis-server')('Redis Cluster through node-redis', () =>
  behaves(() => cluster('redis-cluster'), hearing),
)
needs('redis-server')('Redis Cluster through ioredis', () =>
  behaves(() => cluster('ioredis-cluster'), hearing),
)
needs('postgres-bin')('PostgreSQL', () => behaves(postgres, hearing))
needs('mysql-bin')('MariaDB', () => behaves(mariadb, looking))

function behaves(start: () => Promise<Subject>, { hasChannel }: typeof hearing): void {
  let subject: Subject
  let toClose: (() => unknown)[] = []

  beforeAll(async () => {
    subject = await start()
  }, 60_000)
  afterEach(async () => {
    for (const close of toClose.toReversed()) await close()
    toClose = []
  })
  afterAll(async () => {
    await subject.proxied?.proxy.close()
    await subject.server.remove()
  }, 60_000)

  /** A node in this process. */
  async function node(near: Subject['near']): Promise<{ sessions: Sessions; store: SessionStore }> {
    const { store, close } = await near()
    const sessions = createSessions({ store, heardWithin: WITHIN, storeTimeout: 1_000 })
    toClose.push(close, () => sessions.close())
    return { sessions, store }
  }

  /** Sessions that are watched, each by a socket. */
  async function watched(sessions: Sessions, store: SessionStore, count: number) {
    const records = Array.from({ length: count }, () => makeRecord())
    for (const record of records) await store.insert(record)
    return records.map(({ id }) => ({ id, socket: watch(sessions, id) }))
  }

  test('a node that is killed while it ends sessions: what it has ended is heard in time, once, and nothing else', async () => {
    const { sessions, store } = await node(subject.near)
    for (let round = 0; round < 3; round += 1) {
      const there = await startEndingNode([subject.there])
      const logins = await Promise.all(Array.from({ length: 25 }, () => there.logIn(0)))
      const sockets = logins.map(({ id }) => watch(sessions, id))
      await pause(300)
      const ends = logins.map((login) => login.end())
      await pause(randomInt(25))
      await there.kill()
      await Promise.all(ends)
      await pause(WITHIN + SLACK)
      const facts = await Promise.all(
        logins.map(async ({ id }, at) => ({
          isGone: (await store.get(id)) === undefined,
          calls: sockets[at]!.calls(),
        })),
      )
      expect(facts.filter(({ isGone, calls }) => calls !== (isGone ? 1 : 0))).toEqual([])
      for (const { forget } of sockets) forget()
    }
  }, 120_000)

  test('a store that is killed and restarted ends nobody; what ends afterwards is heard in time, once', async () => {
    const here = await node(subject.near)
    const all = await watched(here.sessions, here.store, 20)
    await pause(500)
    await subject.server.kill()
    await pause(2 * WITHIN)
    expect(total(all)).toBe(0)
    await subject.server.restart()
    await pause(WITHIN + SLACK)
    expect(total(all)).toBe(0)
    const there = await node(subject.near)
    await expectHeard(all.slice(0, 10), there.sessions)
    expect(total(all)).toBe(10)
  }, 120_000)

  for (const way of hasChannel ? (['cut', 'silence'] as const) : []) {
    test(`a channel that is lost by ${way}: each end is heard in time, once, and at once when it is back`, async () => {
      const { proxy, near } = subject.proxied!
      const here = await node(near)
      const there = await node(subject.near)
      const all = await watched(here.sessions, here.store, 40)
      await eventually(async () => proxy.connections > 0)
      await pause(500)
      // It works.
      await expectHeard(all.slice(0, 10), there.sessions, AT_ONCE)
      proxy[way]()
      await expectHeard(all.slice(10, 20), there.sessions)
      await pause(2 * WITHIN)
      await expectHeard(all.slice(20, 30), there.sessions)
      proxy.mend()
      await pause(2 * WITHIN)
      await expectHeard(all.slice(30, 40), there.sessions, AT_ONCE)
      await pause(WITHIN)
      expect(all.map(({ socket }) => socket.calls())).toEqual(all.map(() => 1))
    }, 120_000)
  }

  /** Ends these sessions at another node. Each must be heard so soon, and once. */
  async function expectHeard(
    some: readonly { id: string; socket: Watched }[],
    there: Sessions,
    within = WITHIN + SLACK,
  ): Promise<void> {
    const began = performance.now()
    for (const { id } of some) expect(await there.revoke(id)).toBe(true)
    const never = pause(3 * WITHIN, Infinity, { ref: false })
    const ended = await Promise.all(some.map(({ socket }) => Promise.race([socket.ended, never])))
    expect(Math.max(...ended) - began).toBeLessThan(within)
    expect(some.map(({ socket }) => socket.calls())).toEqual(some.map(() => 1))
  }
}

const total = (all: readonly { socket: Watched }[]): number =>
  all.reduce((sum, { socket }) => sum + socket.calls(), 0)
