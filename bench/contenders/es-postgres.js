import connectPgSimple from 'connect-pg-simple'
import session from 'express-session'
import { connectPostgres, forgetPostgres } from '../lib/servers.js'
import { mountExpressSession } from './express-session.js'

export async function mount(app, { tag }) {
  const PostgresStore = connectPgSimple(session)
  const pool = await connectPostgres(tag)
  const store = new PostgresStore({ pool, schemaName: tag, createTableIfMissing: true })
  mountExpressSession(app, store)
  return { close: () => forgetPostgres(pool, tag, () => store.close()) }
}
