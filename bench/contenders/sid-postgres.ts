import { load } from '../lib/built.js'
import type { Mount } from '../lib/server.js'
import { connectPostgres, forgetPostgres } from '../lib/servers.js'
import { mountSid } from './sid.js'

export const mount: Mount = async (app, { build, tag }) => {
  const { postgresStore } = await load(build, 'stores/postgres/index')
  const pool = await connectPostgres(tag)
  await mountSid(app, build, postgresStore(pool, { schema: tag }))
  return { close: () => forgetPostgres(pool, tag) }
}
