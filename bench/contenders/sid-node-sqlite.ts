import type { Mount } from '../lib/server.js'
import { mountSqlite } from './sid-sqlite.js'

export const mount: Mount = async (app, setup) => {
  // Loaded late: Node 20 has no such module.
  const { DatabaseSync } = await import('node:sqlite')
  return mountSqlite(app, setup, (file) => new DatabaseSync(file))
}
