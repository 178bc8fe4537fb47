import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'libsql'
import { mountSid } from './sid.js'

export async function mount(app, { build }) {
  const { sqliteStore } = await import(`${build}stores/sqlite/index.js`)
  const folder = mkdtempSync(join(tmpdir(), 'express-sid-bench-'))
  const database = new Database(join(folder, 'sessions.sqlite'))
  const sessions = await mountSid(app, build, sqliteStore(database))
  return {
    async close() {
      await sessions.close()
      database.close()
      rmSync(folder, { recursive: true })
    },
  }
}
