// One store at one size, in a process of its own: `node --expose-gc children/scale.js <settings>`.
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'
import { uuidv7 } from '../lib/uuid.js'
import { quantile } from '../lib/stats.js'

const { build, store: kind, size, file } = JSON.parse(process.argv[2])
const HOUR = 3_600_000
/** A user with this many sessions is listed, too. */
const MANY = 100
/** So long removal is watched: of ten million sessions, SQLite needs an hour to remove half at its gentle pace. */
const MAX_SECONDS = 600
const begun = Date.now()

const hash = () => createHash('sha256').update(randomBytes(8)).digest('base64url')

/** Half of them end in the past, so that the sweep has half of them to remove. Every string is one's own. */
function record(n) {
  const user = n < MANY ? 'many' : `user-${n}`
  const lastSeenAt = begun - (n % 2 === 0 ? HOUR : 2 * HOUR)
  return {
    id: uuidv7(),
    version: 1,
    secretHash: hash(),
    seriesHash: hash(),
    userId: user,
    user: { id: user, name: `User ${n}` },
    data: {},
    userAgent: `Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${n % 200}.0.0.0 Safari/537.36`,
    ip: `203.0.${n % 200}.${n % 250}`,
    createdAt: lastSeenAt,
    authenticatedAt: lastSeenAt,
    lastSeenAt,
    // Spread over some minutes, as logins are.
    expiresAt: lastSeenAt + 1.5 * HOUR - (n % 997) * 300,
    absoluteExpiresAt: lastSeenAt + 720 * HOUR,
  }
}

/** Those that are looked up: spread over all, and few enough to be kept beside them. */
const isSampled = (n) => n % Math.ceil(size / 20_000) === 0
const pick = (ids) => ids[Math.floor(Math.random() * ids.length)]

const heap = () => {
  globalThis.gc()
  globalThis.gc()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** The same records in a Map: what keeping them costs at the least. */
function plainMap() {
  const map = new Map()
  const ids = []
  const before = heap()
  for (let n = 0; n < size; n++) {
    const one = record(n)
    map.set(one.id, one)
    if (isSampled(n)) ids.push(one.id)
  }
  const bytes = (heap() - before) / map.size
  return { bytes, lookup: times(20_000, () => map.get(fresh(pick(ids)))) }
}

async function memory() {
  const { memoryStore } = await import(`${build}stores/memory/index.js`)
  const store = memoryStore({ maxSessions: size })
  const ids = []
  const before = heap()
  for (let n = 0; n < size; n++) {
    const one = record(n)
    store.insert(one)
    if (isSampled(n)) ids.push(one.id)
  }
  const bytes = (heap() - before) / size
  return { bytes, ...(await ask(store, ids)) }
}

async function sqlite() {
  const { default: Database } = await import('libsql')
  const { sqliteStore } = await import(`${build}stores/sqlite/index.js`)
  const isNew = !existsSync(file)
  const start = performance.now()
  const database = new Database(file)
  const store = sqliteStore(database)
  store.get(uuidv7())
  const coldStart = performance.now() - start
  if (!isNew) return { coldStart }
  const ids = fill(database, store)
  return { bytes: statSync(file).size / size, ...(await ask(store, ids)) }
}

/** Without waiting for the disk: how they came there is not what is measured. */
function fill(database, store) {
  const ids = []
  database.exec('PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 10000')
  for (let n = 0; n < size; n++) {
    const one = record(n)
    store.insert(one)
    if (isSampled(n)) ids.push(one.id)
  }
  database.exec('PRAGMA wal_checkpoint(TRUNCATE); PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 100')
  return ids
}

async function ask(store, ids) {
  const lookup = times(20_000, () => store.get(fresh(pick(ids))))
  const listOne = times(2_000, (n) => store.listByUser(`user-${MANY + (n % (size - MANY))}`))
  const listMany = times(200, () => store.listByUser('many'))
  return { lookup, listOne, listMany, sweep: await sweep(store, ids) }
}

/** As from a cookie: a new string, whose hash is not known yet. */
const fresh = (id) => Buffer.from(id).latin1Slice()

/** Microseconds each, by the median of batches after a warm-up. */
function times(count, call) {
  const batch = Math.max(1, count / 100)
  const took = []
  for (let n = 0; n < 120; n++) {
    const start = performance.now()
    for (let i = 0; i < batch; i++) call(n * batch + i)
    if (n >= 20) took.push(((performance.now() - start) / batch) * 1000)
  }
  return { median: quantile(took, 0.5), low: quantile(took, 0.25), high: quantile(took, 0.75) }
}

/** The manager's own sweep over the expired half, while requests look sessions up: what do they notice? */
async function sweep(store, ids) {
  const { Sweep } = await import(`${build}core/records/sweep.js`)
  const slices = []
  let removed = 0
  const state = { isDone: false }
  const step = (limit) => {
    const start = performance.now()
    const count = store.deleteExpired(Date.now(), limit)
    slices.push(performance.now() - start)
    removed += count
    state.isDone = count < limit
    return count
  }
  const sweeping = new Sweep(step)
  const start = performance.now()
  startAtOnce(() => sweeping.start())
  const turns = []
  const lookups = []
  while (!state.isDone && performance.now() - start < MAX_SECONDS * 1000) {
    const before = performance.now()
    await turn()
    const asked = performance.now()
    store.get(fresh(pick(ids)))
    turns.push(performance.now() - before)
    lookups.push(performance.now() - asked)
  }
  const seconds = (performance.now() - start) / 1000
  await sweeping.stop()
  const stall = (values) => ({
    p50: quantile(values, 0.5),
    p99: quantile(values, 0.99),
    worst: quantile(values, 1),
  })
  return { seconds, removed, slices: stall(slices), turns: stall(turns), lookups: stall(lookups) }
}

/** It waits a minute before its first step; here the first step is at once. */
function startAtOnce(start) {
  const { setTimeout } = globalThis
  globalThis.setTimeout = (step) => setTimeout(step, 0)
  start()
  globalThis.setTimeout = setTimeout
}

process.send(kind === 'sqlite' && size > 1_000_000 ? {} : await { memory, sqlite, plainMap }[kind]())
process.disconnect()
