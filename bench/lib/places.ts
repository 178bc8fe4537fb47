import { randomBytes } from 'node:crypto'
import mysql from 'mysql2/promise'
import type { SessionStore } from 'express-sid'
import { load } from './built.js'
import {
  connectPostgres,
  connectRedis,
  forgetPostgres,
  forgetRedis,
  MYSQL_URL,
  type ServerName,
} from './servers.js'

/** A store to measure, and how to fill and forget it. */
export interface Place {
  readonly store: SessionStore
  /** Runs many inserts in one transaction. */
  fillAtOnce(task: (store: SessionStore) => Promise<unknown>): Promise<unknown>
  settle?(): Promise<unknown>
  forget(): Promise<unknown>
}

const tag = `sidbench_${randomBytes(6).toString('hex')}`

/** A new place in each kind of server. */
export const places: Record<ServerName, (build: string, name: string) => Promise<Place>> = {
  async redis(build, name) {
    const { redisStore } = await load(build, 'stores/redis/index')
    const client = await connectRedis()
    const prefix = `${tag}_${name}:`
    const store = redisStore(client, { prefix })
    return { store, fillAtOnce: (task) => task(store), forget: () => forgetRedis(client, prefix) }
  },
  async postgres(build, name) {
    const { postgresStore } = await load(build, 'stores/postgres/index')
    const schema = `${tag}_${name}`
    const pool = await connectPostgres(schema)
    const filler = await connectPostgres(schema, { max: 1 })
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
  async mysql(build, name) {
    const { mysqlStore } = await load(build, 'stores/mysql/index')
    const at = `${tag}_${name}`
    const pool = mysql.createPool(MYSQL_URL)
    const connection = await pool.getConnection()
    const one = { getConnection: async () => connection, query: connection.query.bind(connection) }
    const filling = mysqlStore(one, { table: at })
    return {
      store: mysqlStore(pool, { table: at }),
      async fillAtOnce(task) {
        await connection.query('START TRANSACTION')
        await task(filling)
        await connection.query('COMMIT')
      },
      settle: () => pool.query(`ANALYZE TABLE ${at}`),
      async forget() {
        connection.release()
        await pool.query(`DROP TABLE IF EXISTS ${at}, ${at}_schema`)
        await pool.end()
      },
    }
  },
}
