// The store that STORE names, as `KIND:PLACE`, and all that it holds as text.
export async function openStore(name) {
  const [kind, place] = name.split(/:(.*)/s)
  return kinds[kind](place)
}

const kinds = {
  async memory() {
    const { memoryStore } = await import('express-sid')
    const store = memoryStore()
    return { store, dump: () => JSON.stringify(['ann', 'bob'].map((id) => store.listByUser(id))) }
  },

  async sqlite(file) {
    const { default: Database } = await import('libsql')
    const { sqliteStore } = await import('express-sid/sqlite')
    const { existsSync, readFileSync } = await import('node:fs')
    const bytes = () => [file, `${file}-wal`].filter(existsSync).map((path) => readFileSync(path, 'latin1'))
    return { store: sqliteStore(new Database(file)), dump: () => bytes().join('') }
  },

  async redis(prefix) {
    const { createClient } = await import('redis')
    const { redisStore } = await import('express-sid/redis')
    const client = await createClient({ url: process.env.REDIS_URL }).connect()
    const keys = () => client.keys(`${prefix}*`)
    const show = async (key) => {
      const type = await client.type(key)
      return [key, type === 'string' ? await client.get(key) : await client.dump(key)]
    }
    return {
      store: redisStore(client, { prefix }),
      dump: async () => JSON.stringify(await Promise.all((await keys()).map(show))),
      remove: async () => client.del(await keys()),
    }
  },

  async ioredis(prefix) {
    const { Redis } = await import('ioredis')
    const client = new Redis(process.env.REDIS_URL ?? 'redis://127.0.0.1:6379')
    return onIoredis(client, [client], prefix)
  },

  /** The place is one of the cluster's URLs. */
  async 'redis-cluster'(url) {
    const { Cluster } = await import('ioredis')
    const client = new Cluster([url])
    await client.ping()
    return onIoredis(client, client.nodes('master'), 'sid:')
  },

  async pglite(table) {
    const { PGlite } = await import('@electric-sql/pglite')
    const { postgresStore } = await import('express-sid/postgres')
    const database = new PGlite()
    return {
      store: postgresStore(database, { table }),
      dump: async () => readable((await database.query(`SELECT * FROM ${table}`)).rows),
    }
  },

  /** A store of express-session, adapted. */
  async adapted() {
    const { default: session } = await import('express-session')
    const { fromExpressSession } = await import('express-sid/express-session-store')
    const theirs = new session.MemoryStore()
    return { store: fromExpressSession(theirs), dump: () => JSON.stringify(Object.values(theirs.sessions)) }
  },

  async postgres(table) {
    const { default: pg } = await import('pg')
    const { postgresStore } = await import('express-sid/postgres')
    const pool = new pg.Pool({ connectionString: process.env.POSTGRES_URL })
    return {
      store: postgresStore(pool, { table }),
      dump: async () => readable((await pool.query(`SELECT * FROM ${table}`)).rows),
      remove: () => dropAll(table, (sql) => pool.query(sql)),
    }
  },

  async mysql(table) {
    const { createPool } = await import('mysql2/promise')
    const { mysqlStore } = await import('express-sid/mysql')
    const pool = createPool(process.env.MYSQL_URL)
    return {
      store: mysqlStore(pool, { table }),
      dump: async () => readable((await pool.query(`SELECT * FROM ${table}`))[0]),
      remove: () => dropAll(table, (sql) => pool.query(sql)),
    }
  },
}

async function onIoredis(client, servers, prefix) {
  const { redisStore } = await import('express-sid/redis')
  const keys = async () => (await Promise.all(servers.map((server) => server.keys(`${prefix}*`)))).flat()
  const show = async (key) => [key, (await client.type(key)) === 'string' ? await client.get(key) : '']
  return {
    store: redisStore(client, { prefix }),
    dump: async () => JSON.stringify(await Promise.all((await keys()).map(show))),
    remove: async () => Promise.all((await keys()).map((key) => client.del(key))),
  }
}

/** Rows as text: what is bytes may hold text as well. */
function readable(rows) {
  const text = (value) => (Buffer.isBuffer(value) ? value.toString('latin1') : String(value))
  return rows.map((row) => Object.values(row).map(text).join('\n')).join('\n')
}

/** A table and those beside it that are named after it. */
async function dropAll(table, query) {
  const found = await query(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_name LIKE '${table}%'`,
  )
  for (const { name } of found.rows ?? found[0]) await query(`DROP TABLE ${name}`)
}
