import Database from 'libsql'
import { load } from '../lib/built.js'
import type { Mount, Mounted, Setup } from '../lib/server.js'
import { temporaryFolder } from '../lib/temporary-folder.js'
import type { Express } from 'express'
import type { SessionStore } from 'express-sid'
import type { SqliteDatabase } from 'express-sid/sqlite'
import { mountSid } from './sid.js'

export const mount: Mount = (app, setup) => mountSqlite(app, setup, (file) => new Database(file))

/** A file of its own, durable as the store makes it by default. */
export async function mountSqlite(
  app: Express,
  { build }: Setup,
  open: (file: string) => SqliteDatabase & { close(): unknown },
  around: (store: SessionStore) => SessionStore = (store) => store,
): Promise<Mounted> {
  const { sqliteStore } = await load(build, 'stores/sqlite/index')
  const folder = temporaryFolder()
  const database = open(folder.file('sessions.sqlite'))
  const sessions = await mountSid(app, build, around(sqliteStore(database)))
  return {
    async close() {
      await sessions.close()
      database.close()
      folder.remove()
    },
  }
}
