import Libsql from 'libsql'
import { isSessionRecord } from '../../../src/record.js'
import type { SessionRecord } from '../../../src/record.js'
import { sqliteStore } from 'express-sid/sqlite'
import { makeRecord } from 'express-sid/testing'
import { scratchFolder } from '../../support/scratch.js'

const file = scratchFolder()
let files = 0
const newFile = () => file(`${(files += 1)}.db`)

/** One value of the first row. */
function ask(database: Libsql.Database, sql: string): unknown {
  return Object.values(database.prepare(sql).get() as object)[0]
}

function touched(record: SessionRecord, expiresAt: number): SessionRecord {
  return { ...record, version: record.version + 1, expiresAt }
}

describe('the client that the store is given', () => {
  const clients: [string, unknown][] = [
    ['nothing', undefined],
    ['null', null],
    ['a path', 'sessions.db'],
    ['an object without statements', { exec: () => undefined }],
    ['a promise client', { exec: async () => undefined, prepare: async () => ({}) }],
    [
      'a client whose statements answer promises',
      { exec: () => 0, prepare: () => ({ get: async () => ({}) }) },
    ],
    [
      'a callback client, whose statements answer themselves',
      {
        exec: () => 0,
        prepare: () => ({
          get() {
            return this
          },
        }),
      },
    ],
  ]

  test.each(clients)('%s is refused, with the fix', (_, client) => {
    expect(() => sqliteStore(client as Libsql.Database)).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: expect.stringContaining("sqliteStore(new Database('sessions.db'))") as unknown,
      }),
    )
  })

  test('an in-memory database serves as well as a file', () => {
    const store = sqliteStore(new Libsql(':memory:'))
    const record = makeRecord()
    store.insert(record)
    expect(store.get(record.id)).toEqual(record)
  })

  test('is set to WAL, to synchronous writes, short waits and small checkpoints, and to nothing else', () => {
    const database = new Libsql(newFile())
    const pragmas = ['foreign_keys', 'cache_size', 'secure_delete', 'user_version', 'application_id']
    const before = pragmas.map((name) => ask(database, `PRAGMA ${name}`))
    sqliteStore(database)
    expect(ask(database, 'PRAGMA journal_mode')).toBe('wal')
    expect(ask(database, 'PRAGMA synchronous')).toBe(2)
    expect(ask(database, 'PRAGMA busy_timeout')).toBe(100)
    expect(ask(database, 'PRAGMA wal_autocheckpoint')).toBe(100)
    expect(pragmas.map((name) => ask(database, `PRAGMA ${name}`))).toEqual(before)
  })
})

describe('the options', () => {
  test.each([['sid_sessions'], [null], [{ tabel: 'a' }], [{ table: 5 }]])('%j are refused', (options) => {
    expect(() => sqliteStore(new Libsql(':memory:'), options as object)).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })
})

describe('the table', () => {
  test.each([
    '',
    'a-b',
    'a.b',
    'a"b',
    "a'b",
    '1a',
    'sqlite_a',
    'SQLite_a',
    'a\n',
    'a b',
    'ž',
    'a'.repeat(61),
  ])('can not be named %j', (table) => {
    expect(() => sqliteStore(new Libsql(':memory:'), { table })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    )
  })

  test.each(['order', 'Select', '_', 'a'.repeat(60)])('can be named %j', (table) => {
    const store = sqliteStore(new Libsql(':memory:'), { table })
    const record = makeRecord()
    store.insert(record)
    expect(store.update(touched(record, record.expiresAt), 1)).toBe('ok')
    expect(store.listByUser(record.userId!)).toHaveLength(1)
  })

  test('of another name holds other sessions', () => {
    const database = new Libsql(':memory:')
    const [one, other] = [sqliteStore(database, { table: 'one' }), sqliteStore(database, { table: 'other' })]
    const record = makeRecord()
    one.insert(record)
    expect(other.get(record.id)).toBeUndefined()
    expect(one.get(record.id)).toEqual(record)
  })

  test('that the store did not make is refused, and nothing is left behind', () => {
    const database = new Libsql(':memory:')
    database.exec('CREATE TABLE Sid_Sessions (name TEXT)')
    expect(() => sqliteStore(database)).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: expect.stringContaining('`table`') as unknown,
      }),
    )
    expect(ask(database, 'SELECT count(*) FROM sqlite_schema')).toBe(1)
    expect(database.inTransaction).toBe(false)
  })
})

describe('the schema', () => {
  test('is made once, and opening again keeps the sessions', () => {
    const path = newFile()
    const first = new Libsql(path)
    const record = makeRecord()
    sqliteStore(first).insert(record)
    first.close()
    const second = new Libsql(path)
    const store = sqliteStore(second)
    expect(store.get(record.id)).toEqual(record)
    expect(sqliteStore(second).get(record.id)).toEqual(record)
    expect(second.prepare('SELECT version FROM sid_sessions_schema').all()).toHaveLength(1)
  })

  test('of a newer version is refused and left as it is', () => {
    const database = new Libsql(':memory:')
    sqliteStore(database)
    database.exec('INSERT INTO sid_sessions_schema (version) VALUES (99)')
    expect(() => sqliteStore(database)).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: expect.stringContaining('schema 99') as unknown,
      }),
    )
    expect(ask(database, 'SELECT max(version) FROM sid_sessions_schema')).toBe(99)
  })
})

describe('two connections on one file', () => {
  function openTwo() {
    const path = newFile()
    const [one, other] = [new Libsql(path), new Libsql(path)]
    return { one, other, here: sqliteStore(one), there: sqliteStore(other) }
  }

  test('see what the other one wrote, at once', () => {
    const { here, there } = openTwo()
    const record = makeRecord()
    here.insert(record)
    expect(there.get(record.id)).toEqual(record)
    expect(here.get(record.id)).toEqual(record)
    expect(there.update(touched(record, record.expiresAt + 1), 1)).toBe('ok')
    expect(here.get(record.id)).toMatchObject({ version: 2 })
    expect(here.update(touched(record, record.expiresAt + 2), 1)).toBe('conflict')
    expect(there.delete(record.id)).toBe(true)
    expect(here.get(record.id)).toBeUndefined()
    expect(here.listByUser(record.userId!)).toEqual([])
    expect(here.update(touched(record, record.expiresAt + 2), 1)).toBe('absent')
  })

  test('hold no read open that would keep the log from being emptied', () => {
    const { here, there, other } = openTwo()
    const record = makeRecord()
    here.insert(record)
    here.get(record.id)
    here.listByUser(record.userId!)
    here.deleteExpired(0, 1)
    there.insert(makeRecord())
    expect(ask(other, 'PRAGMA wal_checkpoint(TRUNCATE)')).toBe(0)
  })

  test('while one writes the other one reads and sweeps in vain, and its write fails after a short wait', () => {
    const { here, there, one } = openTwo()
    const record = makeRecord()
    here.insert(record)
    one.exec('BEGIN IMMEDIATE')
    expect(there.get(record.id)).toEqual(record)
    expect(there.deleteExpired(record.expiresAt - 1, 10)).toBe(0)
    expect(() => there.insert(makeRecord())).toThrow(expect.objectContaining({ code: 'SQLITE_BUSY' }))
    expect(() => there.update(touched(record, 1), 1)).toThrow(
      expect.objectContaining({ code: 'SQLITE_BUSY' }),
    )
    one.exec('ROLLBACK')
    expect(there.update(touched(record, record.expiresAt), 1)).toBe('ok')
  })

  test('only the first write that finds the file locked waits, until one has succeeded', () => {
    const { there, one, other } = openTwo()
    one.exec('BEGIN IMMEDIATE')
    const start = performance.now()
    for (let count = 0; count < 50; count += 1) expect(() => there.delete(makeRecord().id)).toThrow('locked')
    // Each of them would have held up the process for 100 ms.
    expect(performance.now() - start).toBeLessThan(2_500)
    one.exec('ROLLBACK')
    there.insert(makeRecord())
    expect(ask(other, 'PRAGMA busy_timeout')).toBe(100)
  })

  test('what is written after a write that found the file locked is there for both, and stays', () => {
    const { here, there, one } = openTwo()
    const [record, later] = [makeRecord(), makeRecord()]
    here.insert(record)
    one.exec('BEGIN IMMEDIATE')
    expect(() => there.insert(makeRecord())).toThrow(expect.objectContaining({ code: 'SQLITE_BUSY' }))
    expect(() => there.delete(record.id)).toThrow(expect.objectContaining({ code: 'SQLITE_BUSY' }))
    one.exec('ROLLBACK')
    const next = touched(record, record.expiresAt)
    expect(there.update(next, 1)).toBe('ok')
    expect(here.get(record.id)).toEqual(next)
    there.insert(later)
    expect(here.get(record.id)).toEqual(next)
    expect(there.delete(record.id)).toBe(true)
    expect(here.get(record.id)).toBeUndefined()
    expect(here.get(later.id)).toEqual(later)
  })
})

describe('a session', () => {
  const open = () => {
    const database = new Libsql(newFile())
    return { database, store: sqliteStore(database) }
  }

  test('takes one page to touch: no index is written', () => {
    const { database, store } = open()
    const record = makeRecord()
    store.insert(record)
    ask(database, 'PRAGMA wal_checkpoint(TRUNCATE)')
    expect(store.update(touched(record, record.expiresAt + 60_000), 1)).toBe('ok')
    expect(database.prepare('PRAGMA wal_checkpoint(PASSIVE)').get()).toMatchObject({ log: 1 })
    expect(ask(database, 'SELECT due_at FROM sid_sessions')).toBe(record.expiresAt)
  })

  test('is due earlier once its deadline is moved earlier', () => {
    const { database, store } = open()
    const record = makeRecord()
    store.insert(record)
    expect(store.update(touched(record, record.expiresAt - 60_000), 1)).toBe('ok')
    expect(ask(database, 'SELECT due_at FROM sid_sessions')).toBe(record.expiresAt - 60_000)
  })

  test('that is due and alive is put off to its deadline, and counts as worked through', () => {
    const { database, store } = open()
    const [dead, alive] = [makeRecord(), makeRecord()]
    const now = Math.max(dead.expiresAt, alive.expiresAt)
    store.insert(dead)
    store.insert(alive)
    store.update(touched(alive, now + 1), 1)
    expect(store.deleteExpired(now, 10)).toBe(2)
    expect(ask(database, 'SELECT due_at FROM sid_sessions')).toBe(now + 1)
    expect(store.deleteExpired(now, 10)).toBe(0)
    expect(store.deleteExpired(now + 1, 10)).toBe(1)
    expect(ask(database, 'SELECT count(*) FROM sid_sessions')).toBe(0)
  })

  test('that a sweep removed is told, and one that it put off is not', () => {
    const store = open().store
    const [dead, alive] = [makeRecord({ expiresAt: 1_000 }), makeRecord({ expiresAt: 1_000 })]
    for (const record of [dead, alive]) store.insert(record)
    store.update({ ...alive, version: 2, expiresAt: 9_000 }, 1)
    const told: SessionRecord[] = []
    expect(store.deleteExpired(1_000, 10, (records) => told.push(...records))).toBe(2)
    expect(told).toEqual([dead])
    expect(store.get(dead.id)).toBeUndefined()
  })

  test('that is put off leaves fewer to remove in the same step', () => {
    const { database, store } = open()
    const [alive, ...dead] = [1, 2, 3].map((expiresAt) => makeRecord({ expiresAt }))
    for (const record of [alive!, ...dead]) store.insert(record)
    store.update(touched(alive!, 9), 1)
    expect(store.deleteExpired(5, 2)).toBe(2)
    expect(ask(database, 'SELECT count(*) FROM sid_sessions')).toBe(2)
    expect(store.deleteExpired(5, 2)).toBe(1)
    expect(store.get(alive!.id)).toMatchObject({ expiresAt: 9 })
  })

  test('whose text is damaged is still named, by its id alone', () => {
    const { database, store } = open()
    const record = makeRecord()
    store.insert(record)
    database.exec(`UPDATE sid_sessions SET record = '{"id":'`)
    expect(store.get(record.id)).toEqual({ id: record.id })
    expect(isSessionRecord(store.get(record.id))).toBe(false)
    expect(store.listByUser(record.userId!)).toEqual([{ id: record.id }])
    expect(store.delete(record.id)).toBe(true)
  })

  test('of an id that is no UUID is never kept', () => {
    const { store } = open()
    expect(() => store.insert(makeRecord({ id: 'odd' }))).toThrow('NOT NULL constraint failed')
  })
})

test('a sweep that fails undoes what it did and leaves no transaction open', () => {
  const database = new Libsql(newFile())
  const store = sqliteStore(database)
  const [dead, alive] = [makeRecord({ expiresAt: 1 }), makeRecord({ expiresAt: 1 })]
  store.insert(dead)
  store.insert(alive)
  store.update(touched(alive, 9), 1)
  database.exec(
    `CREATE TRIGGER refuse BEFORE DELETE ON sid_sessions BEGIN SELECT raise(ABORT, 'refused'); END`,
  )
  expect(() => store.deleteExpired(5, 10)).toThrow('refused')
  expect(database.inTransaction).toBe(false)
  expect(ask(database, 'SELECT count(*) FROM sid_sessions WHERE due_at = 1')).toBe(2)
})

test('while the application holds a transaction open on the same connection, writes are refused and it stays whole', () => {
  const database = new Libsql(newFile())
  const store = sqliteStore(database)
  const [before, during] = [makeRecord(), makeRecord()]
  store.insert(before)
  database.exec('CREATE TABLE theirs (a INTEGER)')
  database.exec('BEGIN; INSERT INTO theirs VALUES (1)')
  expect(() => store.insert(during)).toThrow('within a transaction')
  expect(() => store.update(touched(before, 9), 1)).toThrow('within a transaction')
  expect(() => store.delete(before.id)).toThrow('within a transaction')
  expect(store.get(before.id)).toEqual(before)
  database.exec('COMMIT')
  expect(ask(database, 'SELECT count(*) FROM theirs')).toBe(1)
  store.insert(during)
  expect(store.get(during.id)).toEqual(during)
})
