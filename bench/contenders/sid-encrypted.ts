import { randomBytes } from 'node:crypto'
import Database from 'libsql'
import { load } from '../lib/built.js'
import type { Mount } from '../lib/server.js'
import { mountSqlite } from './sid-sqlite.js'

/** As `sid-sqlite`, with every record encrypted: the difference between the two is what encryption costs. */
export const mount: Mount = async (app, setup) => {
  const { encrypted } = await load(setup.build, 'stores/encrypted/index')
  const keys = [randomBytes(32)]
  return mountSqlite(
    app,
    setup,
    (file) => new Database(file),
    (store) => encrypted(store, { keys }),
  )
}
