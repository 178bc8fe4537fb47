import Libsql from 'libsql'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { sqliteStore, type SqliteDatabase } from 'express-sid/sqlite'
import { storeContract } from 'express-sid/testing'
import { needs } from '../../support/needs.js'
import { isBusy } from '../../../src/stores/sqlite/client.js'
import { scratchFolder } from '../../support/scratch.js'
import { lockedError, type BetterSqlite3, type Node24Report } from './sqlite-files.js'
import { wide } from '../../support/wide.js'

const root = join(__dirname, '../../..')

describe('sqliteStore on libsql', () => {
  const file = scratchFolder()

  describe('on disk', () => {
    for (const { name, run } of storeContract(() => sqliteStore(new Libsql(file('libsql.db')))))
      test(name, run)
  })

  wide.describe('when it returns integers as BigInt', () => {
    const withBigInts = () => new Libsql(file('libsql-big.db')).defaultSafeIntegers()
    for (const { name, run } of storeContract(() => sqliteStore(withBigInts()))) test(name, run)
  })

  wide.describe('in memory', () => {
    for (const { name, run } of storeContract(() => sqliteStore(new Libsql(':memory:')))) test(name, run)
  })

  test('its error is known when the file is locked', () => {
    expect(isBusy(lockedError(() => new Libsql(file('locked.db'))))).toBe(true)
  })
})

needs('better-sqlite3')('sqliteStore on better-sqlite3', () => {
  const file = scratchFolder()
  const open = (name: string) => new (require('better-sqlite3') as BetterSqlite3)(file(name))

  for (const { name, run } of storeContract(() => sqliteStore(open('better.db')))) test(name, run)

  wide.describe('when it returns integers as BigInt', () => {
    const withBigInts = () => {
      const database = open('better-big.db') as SqliteDatabase & { defaultSafeIntegers(): unknown }
      database.defaultSafeIntegers()
      return database
    }
    for (const { name, run } of storeContract(() => sqliteStore(withBigInts()))) test(name, run)
  })

  test('its error is known when the file is locked', () => {
    expect(isBusy(lockedError(() => open('locked.db')))).toBe(true)
  })
})

// Jest runs on the oldest Node that the package supports, which has no `node:sqlite`.
needs('node24')('sqliteStore on node:sqlite of Node 24', () => {
  const file = scratchFolder()
  let report: Node24Report

  beforeAll(async () => {
    const node24 = process.env.SID_NODE24 ?? join(root, 'node_modules/node/bin/node')
    const runner = join(__dirname, 'sqlite-node24.ts')
    const { stdout } = await promisify(execFile)(node24, ['--import', 'tsx', runner, file('node')], {
      cwd: root,
      env: { PATH: process.env.PATH },
    })
    report = JSON.parse(stdout) as Node24Report
  }, 60_000)

  const names = storeContract(() => Promise.reject(new Error('Node 24 runs it'))).map(({ name }) => name)
  describe('as it comes', () => {
    test.each(names)('%s', (name) => expect(report.contract[name]).toBeNull())
  })

  describe('when it answers integers as BigInt', () => {
    test.each(names)('%s', (name) => expect(report.contractWithBigInts[name]).toBeNull())
  })

  test('its error is known when the file is locked', () => expect(report.isBusyKnown).toBe(true))
})
