// Lookups among few sessions and among many in one server of a store on the network: `node children/network.js`.
import { createHash, randomBytes } from 'node:crypto'
import mysql from 'mysql2/promise'
import {
  connectPostgres,
  connectRedis,
  forgetPostgres,
  forgetRedis,
  MYSQL_URL,
  POSTGRES_URL,
} from '../lib/servers.js'
import { shuffled, withInterval } from '../lib/stats.js'
import { uuidv7 } from '../lib/uuid.js'

const { build, store: kind, few, many, rounds, windowMs } = JSON.parse(process.argv[2])
const IN_FLIGHT = 64
/** So many inserts share one transaction, or one write to the socket. */
const AT_ONCE = 1_000
const DAY = 86_400_000
const tag = `sidbench_${randomBytes(6).toString('hex')}`
const hash = () => createHash('sha256').update(randomBytes(8)).digest('base64url')

function record(n) {
  const now = Date.now()
  return {
    id: uuidv7(),
    version: 1,
    secretHash: hash(),
    seriesHash: hash(),
    userId: `user-${n}`,
    user: { id: `user-${n}`, name: `User ${n}` },
    data: {},
    userAgent:
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
    ip: '203.0.113.7',
    createdAt: now,
    authenticatedAt: now,
    lastSeenAt: now,
    expiresAt: now + 7 * DAY,
    absoluteExpiresAt: now + 30 * DAY,
  }
}

/** Each kind: a place for so many sessions, how many inserts at a time become durable at once, and its end. */
const kinds = {
  async redis(name) {
    const { redisStore } = await import(`${build}stores/redis/index.js`)
    const client = await connectRedis()
    const prefix = `${tag}_${name}:`
    return {
      store: redisStore(client, { prefix }),
      fillAtOnce: (task) => task(redisStore(client, { prefix })),
      forget: () => forgetRedis(client, prefix),
    }
  },
  async postgres(name) {
    const { postgresStore } = await import(`${build}stores/postgres/index.js`)
    const schema = `${tag}_${name}`
    const pool = await connectPostgres(schema)
    const filler = await connectPostgres(schema, { connectionString: POSTGRES_URL, max: 1 })
    const filling = postgresStore(filler, { schema })
    return {
      store: postgresStore(pool, { schema }),
      async fillAtOnce(task) {
        await filler.query('BEGIN')
        await task(filling)
        await filler.query('COMMIT')
      },
      settle: () => pool.query(`VACUUM ANALYZE ${schema}.sid_sessions`),
      async forget() {
        await filler.end()
        await forgetPostgres(pool, schema)
      },
    }
  },
  async mysql(name) {
    const { mysqlStore } = await import(`${build}stores/mysql/index.js`)
    const table = `${tag}_${name}`
    const pool = mysql.createPool(MYSQL_URL)
    const connection = await pool.getConnection()
    const one = { getConnection: () => connection, query: (...query) => connection.query(...query) }
    const filling = mysqlStore(one, { table })
    return {
      store: mysqlStore(pool, { table }),
      async fillAtOnce(task) {
        await connection.query('START TRANSACTION')
        await task(filling)
        await connection.query('COMMIT')
      },
      settle: () => pool.query(`ANALYZE TABLE ${table}`),
      async forget() {
        connection.release()
        await pool.query(`DROP TABLE IF EXISTS ${table}, ${table}_schema`)
        await pool.end()
      },
    }
  },
}

async function place(name, size) {
  const made = await kinds[kind](name)
  // The table must be there before a transaction begins.
  await made.store.insert(record(-1))
  const ids = []
  for (let n = 0; n < size; n += AT_ONCE) {
    const records = Array.from({ length: Math.min(AT_ONCE, size - n) }, (_, at) => record(n + at))
    await made.fillAtOnce((store) => Promise.all(records.map((one) => store.insert(one))))
    for (const [at, { id }] of records.entries()) if (at % Math.ceil(size / 20_000) === 0) ids.push(id)
  }
  await made.settle?.()
  return { ...made, ids }
}

/** Microseconds a lookup, with so many under way at any time. */
async function window({ store, ids }) {
  let done = 0
  const start = performance.now()
  const loop = async () => {
    while (performance.now() - start < windowMs) {
      const id = ids[Math.floor(Math.random() * ids.length)]
      if ((await store.get(id))?.id !== id) throw new Error('a session was not found')
      done++
    }
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, loop))
  return ((performance.now() - start) * 1000) / done
}

const places = [await place('few', few), await place('many', many)]
const took = { few: [], many: [], fewAgain: [] }
const order = [
  ['few', places[0]],
  ['many', places[1]],
  ['fewAgain', places[0]],
]
for (const [, one] of order) await window(one)
for (let round = 0; round < rounds; round++) {
  for (const [name, one] of shuffled(order)) took[name].push(await window(one))
}
for (const one of places) await one.forget()
const ratio = (name) => withInterval(took[name].map((us, round) => us / took.few[round]))
process.send({
  few: withInterval(took.few),
  many: withInterval(took.many),
  manyToFew: ratio('many'),
  control: ratio('fewAgain'),
})
process.disconnect()
