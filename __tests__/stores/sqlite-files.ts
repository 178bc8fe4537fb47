import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SqliteDatabase } from 'express-sid/sqlite'

/** The part of better-sqlite3 that the tests use: it is not among the development dependencies. */
export type BetterSqlite3 = new (path: string) => SqliteDatabase & {
  defaultSafeIntegers(on: boolean): SqliteDatabase
}

/** What `sqlite-node24.ts` prints: the name of each case, and how it failed. */
export type ContractResult = [name: string, failure: string | null]

/** Names files in a folder that lasts as long as the tests of this `describe`. */
export function scratchFolder(): (name: string) => string {
  const folder = mkdtempSync(join(tmpdir(), 'sid-sqlite-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return (name) => join(folder, name)
}
