import mysql from 'mysql2/promise'
import { Pool } from 'pg'
import { startApp, type App } from '../support/app-process.js'
import { violations } from '../support/history.js'
import { has, urls, type Part } from '../support/needs.js'
import { dropKeys, freshPrefix } from '../support/redis-clients.js'
import { startCluster, type RedisCluster } from '../support/redis-cluster.js'
import { scratchFolder } from '../support/scratch.js'
import { widely } from '../support/wide.js'
import { LIMIT } from '../support/app-limited.js'
import { Workload } from '../support/workload.js'

const file = scratchFolder()
const prefix = freshPrefix()
const table = `sid_two_${process.pid}`
const isLong = process.env.SID_LONG === '1'

/** Each store by name: what it needs, and how the app is told to open it. */
const all: [name: string, part: Part | undefined, open: string][] = [
  ['SQLite', undefined, `sqlite:${file('sessions.sqlite')}`],
  ['Redis through node-redis', 'redis', `redis:${prefix}1:`],
  ['Redis through ioredis', 'redis', `ioredis:${prefix}2:`],
  ['Redis Cluster through node-redis', 'redis-server', 'redis-cluster:one:@CLUSTER'],
  ['Redis Cluster through ioredis', 'redis-server', 'ioredis-cluster:two:@CLUSTER'],
  ['PostgreSQL', 'postgres', `postgres:${table}`],
  ['MariaDB', 'mysql', `mysql:${table}`],
]
const few = new Set(['SQLite', 'Redis through ioredis', 'PostgreSQL'])
const stores = widely(all, ([name]) => few.has(name))
const present = stores.filter(([, part]) => part === undefined || has(part))

/** Logs a user in a hundred times at once, and sees who is in afterwards. */
async function checkLimit(places: readonly string[], user: string, whenFull: string, isBusy: boolean) {
  const logins = await Promise.all(
    Array.from({ length: 100 }, (_, at) => logIn(places[at % places.length]!, user, isBusy)),
  )
  const acknowledged = logins.filter(({ status }) => status === 200)
  expect(new Set(logins.map(({ status }) => status))).toEqual(
    new Set(whenFull === 'refuse' ? [200, 403] : [200]),
  )
  expect(acknowledged).toHaveLength(whenFull === 'refuse' ? LIMIT : 100)
  for (const place of places) {
    const live = (await (await fetch(`${place}/live/${user}`)).json()) as string[]
    expect(live).toHaveLength(LIMIT)
    const isIn = async ({ cookie }: { cookie: string }) =>
      ((await (await fetch(`${place}/me`, { headers: { cookie } })).json()) as { user: unknown }).user !==
      null
    const inside = await Promise.all(acknowledged.map(isIn))
    expect(
      acknowledged
        .filter((_, at) => inside[at])
        .map(({ id }) => id)
        .toSorted(),
    ).toEqual(live.toSorted())
  }
}

/** Changes a user on all places while their session is written to. */
async function checkChanges(places: readonly string[], isBusy: boolean) {
  const user = 'changing'
  const { cookie } = await logIn(places[0]!, user, isBusy)
  const ask = async (method: string, path: string, at: number): Promise<unknown> => {
    for (;;) {
      const response = await fetch(`${places[at % places.length]!}${path}`, { method, headers: { cookie } })
      const body: unknown = await response.json()
      if (response.status === 200) return body
      if (response.status !== 503 || !isBusy)
        throw new Error(`${path}: ${response.status} ${JSON.stringify(body)}`)
    }
  }
  const names = Array.from({ length: 20 }, (_, at) => `change${at}`)
  await Promise.all(
    names.flatMap((name, at) => [
      ask('POST', `/rename/${user}/${name}`, at),
      ask('POST', '/count', at + 1),
      ask('POST', '/count', at),
    ]),
  )
  const seen = (await ask('GET', '/count', 0)) as { user: object; count: number }
  expect(seen.user).toEqual({ id: user, ...Object.fromEntries(names.map((name) => [name, true])) })
  // A write that was refused may have happened all the same, and was tried again.
  expect(seen.count).toBeGreaterThanOrEqual(40)
  if (!isBusy) expect(seen.count).toBe(40)
}

/** Tries again where two processes wait too long for one SQLite file, as a visitor would. */
async function logIn(place: string, user: string, isBusy: boolean) {
  for (;;) {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(`${place}/login`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ id: user }),
    })
    const { id = '' } = (await response.json()) as { id?: string }
    const cookie = response.headers.get('set-cookie')?.split(';')[0] ?? ''
    if (response.status !== 503 || !isBusy) return { status: response.status, id, cookie }
  }
}

describe('two processes on one store', () => {
  let apps: App[] = []
  let cluster: RedisCluster | undefined

  beforeAll(async () => {
    if (present.some(([, part]) => part === 'redis-server')) cluster = await startCluster()
    const names = present.map(([, , open]) => open.replace('CLUSTER', cluster?.primaries[0]!.url ?? ''))
    // So long that a busy machine is no reason to fail.
    const env = { STORE: names.join(' '), TOUCH_INTERVAL: '20', STORE_TIMEOUT: '8000' }
    apps = await Promise.all([1, 2].map(() => startApp('__tests__/support/app-server.ts', env)))
  }, 60_000)

  afterAll(async () => {
    await Promise.all(apps.map((app) => app.stop()))
    await cluster?.remove()
    if (has('redis')) await dropKeys(urls.redis, prefix)
    if (has('postgres')) {
      const pool = new Pool({ connectionString: urls.postgres })
      await pool.query(`DROP TABLE IF EXISTS ${table}, ${table}_schema`)
      await pool.end()
    }
    if (has('mysql')) {
      const pool = mysql.createPool(urls.mysql)
      await pool.query(`DROP TABLE IF EXISTS ${table}, ${table}_schema`)
      await pool.end()
    }
  })

  for (const [name, part] of stores) {
    const run = part === undefined || has(part) ? test : test.skip
    run(
      `${name}: no logout or revocation is undone, no login and no update is lost`,
      async () => {
        const at = present.findIndex(([other]) => other === name)
        const load = new Workload(apps.map(({ url }) => `${url}/${at}`))
        const running = load.run(12)
        await load.haveEach(isLong ? 2_000 : 12)
        load.stop()
        await running
        await load.readAll()

        expect(load.wrong).toEqual([])
        expect(violations(load.history)).toEqual([])
        // Writers of one SQLite file wait for each other for 100 ms at most; nothing else has a reason to fail.
        const failed = load.history.filter(({ result }) => result === 'failed')
        const others = failed.filter(({ reason }) => !(name === 'SQLite' && reason === 'SQLITE_BUSY'))
        expect(others).toEqual([])
      },
      isLong ? 600_000 : 30_000,
    )

    run(
      `${name}: of changes of a user and data writes in the same moment none is lost`,
      async () => {
        const at = present.findIndex(([other]) => other === name)
        const places = apps.map(({ url }) => `${url}/${at}/limited/endOldest`)
        await checkChanges(places, name === 'SQLite')
      },
      30_000,
    )

    for (const whenFull of ['endOldest', 'refuse'] as const) {
      run(
        `${name}: after a hundred simultaneous logins of one user exactly so many are live (${whenFull})`,
        async () => {
          const at = present.findIndex(([other]) => other === name)
          const places = apps.map(({ url }) => `${url}/${at}/limited/${whenFull}`)
          for (let round = 0; round < (isLong ? 20 : 1); round += 1) {
            await checkLimit(places, `${whenFull}-${round}`, whenFull, name === 'SQLite')
          }
        },
        isLong ? 600_000 : 30_000,
      )
    }
  }
})
