// Lookups with so many requests in flight: one question for all of a turn, as the core asks, against one question
// each. Closed loops, in windows that alternate, in one process: `node children/batching.js`.
import { createHash, randomBytes } from 'node:crypto'
import { Redis } from 'ioredis'
import {
  connectPostgres,
  connectRedis,
  findServers,
  forgetPostgres,
  forgetRedis,
  REDIS_URL,
} from '../lib/servers.js'
import { shuffled, withInterval } from '../lib/stats.js'

const { build, rounds, windowMs } = JSON.parse(process.argv[2])
const IN_FLIGHT = [1, 8, 64, 256]
const SESSIONS = 2_000

const { createSessions } = await import(`${build}index.js`)
const { parseToken } = await import(`${build}core/token.js`)
const tag = `sidbench_${randomBytes(6).toString('hex')}`

/** Loops that each ask again as soon as they are answered; answers lookups a second. */
async function ask(lookUp, inFlight, tokens) {
  let done = 0
  let next = 0
  const start = performance.now()
  const loop = async () => {
    while (performance.now() - start < windowMs) {
      const found = await lookUp(tokens[next++ % tokens.length])
      if (found === undefined) throw new Error('a session was not found')
      done++
    }
  }
  await Promise.all(Array.from({ length: inFlight }, loop))
  return done / ((performance.now() - start) / 1000)
}

/** Three ways: gathered; the same core without `getMany`; the bare driver, which verifies nothing. */
async function compare(store, driver) {
  const sessions = createSessions({ store })
  const apart = createSessions({ store: { ...store, getMany: undefined } })
  const tokens = []
  for (let n = 0; n < SESSIONS; n++) {
    const user = { id: String(n), name: `User ${n}` }
    const { token } = await sessions.login(user, { userAgent: 'bench', ip: '127.0.0.1' }, [])
    tokens.push(parseToken(token))
  }
  const ways = {
    gathered: (token) => sessions.verify(token),
    oneEach: (token) => apart.verify(token),
    driver,
  }
  const results = []
  for (const inFlight of IN_FLIGHT) results.push(await race(ways, inFlight, tokens))
  return results
}

async function race(ways, inFlight, tokens) {
  const rates = { gathered: [], oneEach: [], driver: [] }
  for (const name of Object.keys(ways)) await ask(ways[name], inFlight, tokens)
  for (let round = 0; round < rounds; round++) {
    for (const name of shuffled(Object.keys(ways))) rates[name].push(await ask(ways[name], inFlight, tokens))
  }
  const ratio = (name) => withInterval(rates.gathered.map((rate, round) => rate / rates[name][round]))
  return {
    inFlight,
    gathered: withInterval(rates.gathered),
    oneEach: withInterval(rates.oneEach),
    driver: withInterval(rates.driver),
    toOneEach: ratio('oneEach'),
    toDriver: ratio('driver'),
  }
}

async function onRedis(client) {
  const { redisStore } = await import(`${build}stores/redis/index.js`)
  const prefix = `${tag}:`
  const driver = async ({ id }) => {
    const text = await client.get(`${prefix}session:${id}`)
    return JSON.parse(text.slice(text.indexOf(':') + 1))
  }
  try {
    return await compare(redisStore(client, { prefix }), driver)
  } finally {
    await forgetRedis(await connectRedis(), prefix)
    await client.quit()
  }
}

async function onPostgres() {
  const { postgresStore } = await import(`${build}stores/postgres/index.js`)
  const pool = await connectPostgres(tag)
  const text = `SELECT record FROM ${tag}.sid_sessions WHERE id = $1`
  const name = `one_${createHash('md5').update(text).digest('hex')}`
  const driver = async ({ id }) => {
    const { rows } = await pool.query({ name, text, values: [id] })
    return JSON.parse(rows[0].record)
  }
  try {
    return await compare(postgresStore(pool, { schema: tag }), driver)
  } finally {
    await forgetPostgres(pool, tag)
  }
}

const servers = await findServers()
process.send({
  redis: servers.redis && (await onRedis(await connectRedis())),
  ioredis: servers.redis && (await onRedis(new Redis(REDIS_URL))),
  postgres: servers.postgres && (await onPostgres()),
})
process.disconnect()
