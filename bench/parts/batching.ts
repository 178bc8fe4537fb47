import { createHash, randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import type { SessionStore } from 'express-sid'
import { BUILD, load } from '../lib/built.js'
import { fakeRecord, fresh } from '../lib/fake-records.js'
import { inChild } from '../lib/in-child.js'
import type { Run } from '../lib/part.js'
import { say } from '../lib/say.js'
import {
  connectPostgres,
  connectRedis,
  findServers,
  forgetPostgres,
  forgetRedis,
  REDIS_URL,
} from '../lib/servers.js'
import { shuffled, withInterval, type Interval } from '../lib/stats.js'
import { number, spread, table } from '../lib/table.js'

const IN_FLIGHT = [1, 8, 64, 256]
const SESSIONS = 2_000

interface Settings {
  readonly build: string
  readonly rounds: number
  readonly windowMs: number
}

interface Row {
  readonly inFlight: number
  readonly gathered: Interval
  readonly oneEach: Interval
  readonly driver: Interval
  readonly toOneEach: Interval
  readonly toDriver: Interval
}

export type Rows = Record<'redis' | 'ioredis' | 'postgres', Row[] | undefined>

/** What gathering the lookups of one turn saves, on each store on the network that does it. */
export function measure({ isQuick, nodes: [node] }: Run): Promise<Rows> {
  say(`batching, Node ${node!.version}`)
  const counts = isQuick ? { rounds: 3, windowMs: 100 } : { rounds: 8, windowMs: 150 }
  return inChild(import.meta.url, measureHere, { build: BUILD, ...counts }, { node: node! })
}

export async function measureHere(settings: Settings): Promise<Rows> {
  const servers = await findServers()
  return {
    redis: servers.redis ? await onRedis(settings, await connectRedis()) : undefined,
    ioredis: servers.redis ? await onRedis(settings, new Redis(REDIS_URL)) : undefined,
    postgres: servers.postgres ? await onPostgres(settings) : undefined,
  }
}

const tag = `sidbench_${randomBytes(6).toString('hex')}`
type LookUp = (id: string) => Promise<unknown>

async function onRedis(settings: Settings, client: Redis | Awaited<ReturnType<typeof connectRedis>>) {
  const { redisStore } = await load(settings.build, 'stores/redis/index')
  const prefix = `${tag}:`
  const driver: LookUp = async (id) => {
    const text = (await client.get(`${prefix}session:${id}`))!
    return JSON.parse(text.slice(text.indexOf(':') + 1))
  }
  try {
    return await compare(settings, redisStore(client, { prefix }), driver)
  } finally {
    await forgetRedis(await connectRedis(), prefix)
    await client.quit()
  }
}

async function onPostgres(settings: Settings) {
  const { postgresStore } = await load(settings.build, 'stores/postgres/index')
  const pool = await connectPostgres(tag)
  const text = `SELECT record FROM ${tag}.sid_sessions WHERE id = $1`
  const name = `one_${createHash('md5').update(text).digest('hex')}`
  const driver: LookUp = async (id) => {
    const { rows } = await pool.query({ name, text, values: [id] })
    return JSON.parse(rows[0].record)
  }
  try {
    return await compare(settings, postgresStore(pool, { schema: tag }), driver)
  } finally {
    await forgetPostgres(pool, tag)
  }
}

/** Three ways: gathered; the same manager on a store without `getMany`; the bare driver, which checks nothing. */
async function compare(settings: Settings, store: SessionStore, driver: LookUp): Promise<Row[]> {
  const { createSessions } = await load(settings.build, 'index')
  const gathering = createSessions({ store })
  const apart = createSessions({ store: { ...store, getMany: undefined } as unknown as SessionStore })
  const records = Array.from({ length: SESSIONS }, (_each, n) => fakeRecord(n))
  await Promise.all(records.map(async (record) => store.insert(record)))
  const ids = records.map(({ id }) => id)
  const ways = {
    gathered: (id: string) => gathering.find(id),
    oneEach: (id: string) => apart.find(id),
    driver,
  }
  const rows: Row[] = []
  for (const inFlight of IN_FLIGHT) rows.push(await race(settings, ways, inFlight, ids))
  await Promise.all([gathering.close(), apart.close()])
  return rows
}

type Ways = Record<'gathered' | 'oneEach' | 'driver', LookUp>

async function race(
  { rounds, windowMs }: Settings,
  ways: Ways,
  inFlight: number,
  ids: string[],
): Promise<Row> {
  const names = Object.keys(ways) as (keyof Ways)[]
  const rates: Record<keyof Ways, number[]> = { gathered: [], oneEach: [], driver: [] }
  for (const name of names) await ask(ways[name], inFlight, ids, windowMs)
  for (let round = 0; round < rounds; round++) {
    for (const name of shuffled(names)) rates[name].push(await ask(ways[name], inFlight, ids, windowMs))
  }
  const ratio = (name: keyof Ways) =>
    withInterval([rates.gathered.map((rate, round) => rate / rates[name][round]!)])
  return {
    inFlight,
    gathered: withInterval([rates.gathered]),
    oneEach: withInterval([rates.oneEach]),
    driver: withInterval([rates.driver]),
    toOneEach: ratio('oneEach'),
    toDriver: ratio('driver'),
  }
}

/** Loops that each ask again as soon as they have their result. Lookups a second. */
async function ask(lookUp: LookUp, inFlight: number, ids: string[], windowMs: number): Promise<number> {
  let done = 0
  let next = 0
  const start = performance.now()
  const loop = async () => {
    while (performance.now() - start < windowMs) {
      const found = await lookUp(fresh(ids[next++ % ids.length]!))
      if (found === undefined) throw new Error('a session was not found')
      done++
    }
  }
  await Promise.all(Array.from({ length: inFlight }, loop))
  return done / ((performance.now() - start) / 1000)
}

export function report(rows: Rows): string {
  return table(
    ['lookups in flight', 'gathered /s', 'one each /s', 'the driver alone /s', '/ one each', '/ the driver'],
    Object.entries(rows).flatMap(([name, list]) =>
      (list ?? []).map((row) => [
        `${name}, ${row.inFlight}`,
        number(row.gathered.median),
        number(row.oneEach.median),
        number(row.driver.median),
        spread(row.toOneEach),
        spread(row.toDriver),
      ]),
    ),
  )
}
