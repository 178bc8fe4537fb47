import { connectPostgres, forgetPostgres } from '../lib/servers.js'
import { mountSid } from './sid.js'

export async function mount(app, { build, tag }) {
  const { postgresStore } = await import(`${build}stores/postgres/index.js`)
  const pool = await connectPostgres(tag)
  await mountSid(app, build, postgresStore(pool, { schema: tag }))
  return { close: () => forgetPostgres(pool, tag) }
}
