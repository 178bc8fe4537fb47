// `node bench/redis-ways.js [in flight] [sessions]`: what a lookup in Redis costs the client, by the ways of asking that
// were tried. Processor time of this process, in µs a lookup. It uses the clients that the tests use.
import { randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import { createClient, RESP_TYPES } from 'redis'

const [inFlight = 64, sessions = 2_000] = process.argv.slice(2).map(Number)
const url = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'
const prefix = `sidbench_${randomBytes(6).toString('hex')}:`

const asBuffers = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } }
const redis = await createClient({ url }).connect()
const resp3 = await createClient({ url, RESP: 3 }).connect()
const buffers = await createClient({ url, commandOptions: asBuffers }).connect()
const ioredis = new Redis(url)
const auto = new Redis(url, { enableAutoPipelining: true })

const parse = (text) => JSON.parse(text.slice(text.indexOf(':') + 1))
const parseBytes = (bytes) => JSON.parse(bytes.utf8Slice(bytes.indexOf(58) + 1))
const mget = (keys) => ['mget', ...keys]
const each = (keys, get) => Promise.all(keys.map(async (key) => parse(await get(key))))

const known = new Map()
/** Parses no text that it has parsed a moment ago. */
function remembered(key, text) {
  if (known.get(key)?.text === text) return known.get(key).record
  const one = { text, record: parse(text) }
  known.set(key, one)
  if (known.size > 1_000) known.delete(known.keys().next().value)
  return one.record
}

const ways = {
  'node-redis, MGET': async (keys) => (await redis.sendCommand(mget(keys))).map(parse),
  'node-redis, MGET, RESP3': async (keys) => (await resp3.sendCommand(mget(keys))).map(parse),
  'node-redis, MGET, buffers': async (keys) => (await buffers.sendCommand(mget(keys))).map(parseBytes),
  'node-redis, MGET, not parsed': (keys) => redis.sendCommand(mget(keys)),
  'node-redis, MGET, 1,000 texts remembered': async (keys) =>
    (await redis.sendCommand(mget(keys))).map((text, at) => remembered(keys[at], text)),
  'node-redis, GET each': (keys) => each(keys, (key) => redis.sendCommand(['get', key])),
  'ioredis, MGET': async (keys) => (await ioredis.call(...mget(keys))).map(parse),
  'ioredis, MGET, buffers': async (keys) => (await ioredis.callBuffer(...mget(keys))).map(parseBytes),
  'ioredis, GET each': (keys) => each(keys, (key) => ioredis.call('get', key)),
  'ioredis, GET each, auto-pipelined': (keys) => each(keys, (key) => auto.call('get', key)),
}

const random = (bytes) => randomBytes(bytes).toString('base64url')

/** A record with a small user. */
const record = (n) => ({
  id: `019a3c5e-7b1d-7c2f-9a64-${String(n).padStart(12, '0')}`,
  version: 1,
  secretHash: random(32),
  seriesHash: random(32),
  userId: `user-${n}`,
  user: { id: `user-${n}`, name: 'Ann', email: 'ann@example.com' },
  data: { cart: ['tea'] },
  userAgent: 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0',
  ip: '203.0.113.7',
  createdAt: Date.now(),
  authenticatedAt: Date.now(),
  lastSeenAt: Date.now(),
  expiresAt: Date.now() + 1e9,
  absoluteExpiresAt: Date.now() + 1e9,
})
const value = (n) => `1.${random(9)}:${JSON.stringify(record(n))}`
const all = Array.from({ length: sessions }, (_, n) => `${prefix}${n}`)
for (const [n, key] of all.entries()) await redis.set(key, value(n), { PX: 600_000 })

let next = 0
async function measure(way, ms) {
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  let done = 0
  while (performance.now() - start < ms) {
    await way(Array.from({ length: inFlight }, () => all[next++ % sessions]))
    done += inFlight
  }
  const { user, system } = process.cpuUsage(cpu)
  return (user + system) / done
}

const costs = Object.fromEntries(Object.keys(ways).map((name) => [name, []]))
for (const way of Object.values(ways)) await measure(way, 200)
for (let round = 0; round < 9; round++) {
  for (const name of Object.keys(ways).toSorted(() => Math.random() - 0.5)) {
    costs[name].push(await measure(ways[name], 150))
  }
}
console.log(
  `Node ${process.version}, ${inFlight} lookups in flight, ${sessions} sessions: µs a lookup (quartiles)`,
)
for (const [name, list] of Object.entries(costs)) {
  const [low, median, high] = [2, 4, 6].map((at) => list.toSorted((a, b) => a - b)[at].toFixed(1))
  console.log(`${name.padEnd(44)}${median} (${low} to ${high})`)
}
await redis.unlink(all)
for (const client of [redis, resp3, buffers]) client.destroy()
for (const client of [ioredis, auto]) client.disconnect()
