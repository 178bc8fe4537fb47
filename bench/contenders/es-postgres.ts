import connectPgSimple from 'connect-pg-simple'
import session from 'express-session'
import type { Mount } from '../lib/server.js'
import { connectPostgres, forgetPostgres } from '../lib/servers.js'
import { mountExpressSession } from './express-session.js'

export const mount: Mount = async (app, { tag }) => {
  const PostgresStore = connectPgSimple(session)
  const pool = await connectPostgres(tag)
  const store = new PostgresStore({ pool, schemaName: tag, createTableIfMissing: true })
  mountExpressSession(app, store)
  return {
    async close() {
      await store.close()
      await forgetPostgres(pool, tag)
    },
  }
}
