import Libsql from 'libsql'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sqliteStore } from 'express-sid/sqlite'
import { storeContract } from 'express-sid/testing'
import { needs } from '../support/needs.js'
import { scratchFolder } from './sqlite-files.js'
import type { BetterSqlite3, ContractResult } from './sqlite-files.js'

const root = join(__dirname, '../..')

describe('sqliteStore on libsql', () => {
  const file = scratchFolder()

  describe('on disk', () => {
    for (const { name, run } of storeContract(() => sqliteStore(new Libsql(file('libsql.db')))))
      test(name, run)
  })

  describe('in memory', () => {
    for (const { name, run } of storeContract(() => sqliteStore(new Libsql(':memory:')))) test(name, run)
  })
})

needs('better-sqlite3')('sqliteStore on better-sqlite3', () => {
  const file = scratchFolder()
  const open = () => new (require('better-sqlite3') as BetterSqlite3)(file('better.db'))

  for (const { name, run } of storeContract(() => sqliteStore(open()))) test(name, run)

  test('reads and counts alike when the client answers integers as BigInt', async () => {
    const database = open().defaultSafeIntegers(true)
    for (const { run } of storeContract(() => sqliteStore(database))) await run()
  })
})

// Jest runs on the oldest Node that the package supports, which has no `node:sqlite`.
needs('node24')('sqliteStore on node:sqlite of Node 24', () => {
  const file = scratchFolder()
  const results = new Map<string, string | null>()

  beforeAll(async () => {
    const node24 = process.env.SID_NODE24 ?? join(root, 'node_modules/node/bin/node')
    const runner = join(__dirname, 'sqlite-node24.ts')
    const { stdout } = await promisify(execFile)(node24, ['--import', 'tsx', runner, file('node.db')], {
      cwd: root,
      env: { PATH: process.env.PATH },
    })
    for (const [name, failure] of JSON.parse(stdout) as ContractResult[]) results.set(name, failure)
  }, 60_000)

  for (const { name } of storeContract(() => Promise.reject(new Error('run by Node 24')))) {
    test(name, () => expect(results.get(name)).toBeNull())
  }
})
