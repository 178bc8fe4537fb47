import { randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { createPool as createCallbackPool, escapeId } from 'mysql2'
import { createConnection, createPool, type Pool, type PoolOptions, type RowDataPacket } from 'mysql2/promise'
import { mysqlMigrations, mysqlStore, type MysqlPool } from 'express-sid/mysql'
import { makeRecord, storeContract } from 'express-sid/testing'
import { isSessionRecord, type SessionRecord } from '../../../src/record.js'
import { needs, urls } from '../../support/needs.js'

/** The next version of a record. */
const next = (record: SessionRecord, changes: Partial<SessionRecord>): SessionRecord => ({
  ...record,
  version: record.version + 1,
  ...changes,
})

const invalid = (fix: string) =>
  expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(fix) })

describe('mysqlStore, its arguments', () => {
  const pool = createPool('mysql://127.0.0.1:1/none')

  test.each([
    ['a connection string', 'mysql://localhost/test'],
    ['undefined', undefined],
    ['null', null],
    ['options of a pool', { uri: 'mysql://localhost/test' }],
    ['a lone connection, which never connects again', { query: () => {}, execute: () => {} }],
  ])('%s is refused, and the error says what to give', (_, given) => {
    expect(() => mysqlStore(given as unknown as MysqlPool)).toThrow(invalid('mysql.createPool('))
  })

  test.each([
    [{ tables: 'x' }, 'Did you mean table?'],
    [{ table: 7 }, '"table" must be a string'],
    [{ migrate: 'false' }, '"migrate" must be a boolean'],
    [{ table: '' }, '1 to 57 characters'],
    [{ table: 'ä'.repeat(58) }, '1 to 57 characters'],
    [{ table: 'a\0b' }, 'without NUL'],
    [{ table: 'a?b' }, 'without NUL, "?"'],
    [{ table: 'a🙂b' }, 'emoji'],
    [{ table: 'sessions ' }, 'a space at its end'],
    ['sessions', 'must be an object'],
  ])('the options %j are refused', (options, fix) => {
    expect(() => mysqlStore(pool, options as object)).toThrow(invalid(fix))
    if (typeof options === 'object' && 'migrate' in options) return
    expect(() => mysqlMigrations(options as object)).toThrow(invalid(fix))
  })

  test('a pool with a query of another kind is refused at the first call', async () => {
    const getConnection = () => {}
    const answers = [() => Promise.resolve([{ version: 1 }]), () => new EventEmitter()]
    for (const query of answers) {
      const other = { getConnection, query } as unknown as MysqlPool
      await expect(mysqlStore(other).get('x')).rejects.toEqual(invalid('a pool of mysql2'))
    }
  })
})

needs('mysql')('mysqlStore on a server', () => {
  const prefix = `sid_test_${randomBytes(6).toString('hex')}`
  const made: string[] = []
  let pool: Pool
  const freshTable = (name = `${prefix}_${made.length}`) => {
    made.push(name)
    return { table: name }
  }
  const query = async (sql: string, values: unknown[] = []) =>
    (await pool.query<RowDataPacket[]>(sql, values))[0]
  const columns = async ({ table }: { table: string }) =>
    query(`SELECT expires_at AS expires, due_at AS due FROM ${table}`)

  beforeAll(() => {
    pool = createPool(urls.mysql)
  })

  afterAll(async () => {
    for (const name of made.flatMap((table) => [table, `${table}_schema`])) {
      await pool.query(`DROP TABLE IF EXISTS ${escapeId(name, true)}`)
    }
    await pool.end()
  })

  describe('the contract', () => {
    const at = freshTable()
    for (const { name, run } of storeContract(() => mysqlStore(pool, at))) test(name, run)
  })

  test('a pool with callbacks is used through its promises', async () => {
    const callbacks = createCallbackPool(urls.mysql)
    const store = mysqlStore(callbacks, freshTable())
    const record = makeRecord()
    await store.insert(record)
    expect(await store.get(record.id)).toEqual(record)
    await callbacks.promise().end()
  })

  test.each<[string, PoolOptions]>([
    ['those that mysql2 evaluates', {}],
    ['a static parser', { disableEval: true }],
  ])('settings of the pool change neither what is kept nor what is answered: %s', async (_, more) => {
    const odd = createPool({
      uri: urls.mysql,
      ...more,
      dateStrings: true,
      decimalNumbers: true,
      jsonStrings: true,
      multipleStatements: true,
      stringifyObjects: true,
      timezone: '-11:00',
      charset: 'latin1',
      rowsAsArray: true,
      nestTables: true,
      typeCast: () => 'cast',
      flags: ['-FOUND_ROWS'],
      namedPlaceholders: true,
      bigNumberStrings: true,
      supportBigNumbers: true,
    })
    const store = mysqlStore(odd, freshTable())
    const record = makeRecord({ data: { text: 'žluťoučký 漢字 🙂 \\ \' "' } })
    await store.insert(record)
    const second = next(record, {})
    expect(await store.update(second, 1)).toBe('ok')
    expect(await store.getMany?.([record.id])).toEqual([second])
    expect(await store.listByUser(record.userId ?? '')).toEqual([second])
    expect(await store.pageByUser(record.userId ?? '', 1)).toEqual({ records: [second], next: record.id })
    expect(await store.deleteExpired?.(record.expiresAt, 2)).toBe(1)
    await odd.end()
  })

  test('ten that start at once on an empty database all work', async () => {
    for (let round = 0; round < 3; round++) {
      const at = freshTable()
      const pools = Array.from({ length: 10 }, () => createPool({ uri: urls.mysql, connectionLimit: 1 }))
      await Promise.all(pools.map(async (own) => own.query('SELECT 1')))
      const { userId } = makeRecord()
      const answers = await Promise.allSettled(
        pools.map(async (own) => mysqlStore(own, at).insert(makeRecord({ userId }))),
      )
      await Promise.all(pools.map(async (own) => own.end()))
      expect(answers.filter(({ status }) => status === 'rejected')).toEqual([])
      expect(await mysqlStore(pool, at).listByUser(userId ?? '')).toHaveLength(10)
    }
  })

  test('with migrate: false nothing is made, and the printed SQL makes what is missing', async () => {
    const at = freshTable()
    const store = mysqlStore(pool, { ...at, migrate: false })
    const record = makeRecord()
    const missing = { code: 'STORE_FAILED', message: expect.stringContaining('mysqlMigrations()') }
    await expect(store.insert(record)).rejects.toMatchObject(missing)
    expect(await query('SHOW TABLES LIKE ?', [at.table])).toEqual([])

    const admin = await createConnection({ uri: urls.mysql, multipleStatements: true })
    await admin.query(mysqlMigrations(at))
    await store.insert(record)
    await admin.query(mysqlMigrations(at))
    await admin.end()
    expect(await store.get(record.id)).toEqual(record)
  })

  test('a name is used as it is written, whatever is in it', async () => {
    const at = freshTable(`${prefix} Ä\`"'; --.$1`.padEnd(57, 'Y'))
    const [record, other] = [makeRecord(), makeRecord({ expiresAt: 1 })]
    const store = mysqlStore(pool, at)
    await store.insert(record)
    await store.insert(other)
    expect(await store.getMany?.([record.id])).toEqual([record])
    expect(await store.deleteExpired?.(1, 10)).toBe(1)
    expect(
      await query('SELECT 1 FROM information_schema.tables WHERE table_name = ?', [at.table]),
    ).toHaveLength(1)
  })

  test('tables of a newer version are refused and left alone', async () => {
    const at = freshTable()
    const record = makeRecord()
    await mysqlStore(pool, at).insert(record)
    await pool.query(`INSERT INTO ${at.table}_schema VALUES (9)`)
    const newer = { code: 'STORE_FAILED', message: expect.stringContaining('Update express-sid') }
    await expect(mysqlStore(pool, at).get(record.id)).rejects.toMatchObject(newer)
  })

  test('a touch moves the deadline and not what is indexed; an earlier deadline is due earlier', async () => {
    const at = freshTable()
    const store = mysqlStore(pool, at)
    const record = makeRecord()
    await store.insert(record)
    const later = next(record, { expiresAt: record.expiresAt + 60_000 })
    await store.update(later, 1)
    expect(await columns(at)).toEqual([{ expires: later.expiresAt, due: record.expiresAt }])

    expect(await store.deleteExpired?.(record.expiresAt, 10)).toBe(1)
    expect(await columns(at)).toEqual([{ expires: later.expiresAt, due: later.expiresAt }])
    expect(await store.deleteExpired?.(record.expiresAt, 10)).toBe(0)

    const earlier = next(later, { expiresAt: record.expiresAt - 60_000 })
    await store.update(earlier, 2)
    expect(await columns(at)).toEqual([{ expires: earlier.expiresAt, due: earlier.expiresAt }])
  })

  test('a row that a sweep removed is told, and one that it put off is not', async () => {
    const at = freshTable()
    const store = mysqlStore(pool, at)
    const [dead, alive] = [makeRecord({ expiresAt: 1_000 }), makeRecord({ expiresAt: 1_000 })]
    for (const record of [dead, alive]) await store.insert(record)
    await store.update({ ...alive, version: 2, expiresAt: 9_000 }, 1)
    const told: SessionRecord[] = []
    expect(await store.deleteExpired?.(1_000, 10, (records) => told.push(...records))).toBe(2)
    expect(told).toEqual([dead])
    expect(await store.get(dead.id)).toBeUndefined()
  })

  test('four sweeps at once, beside touches, logins and logouts, remove what is due without a deadlock', async () => {
    const at = freshTable()
    const store = mysqlStore(pool, at)
    const of = (count: number) => Array.from({ length: count }, () => makeRecord({ expiresAt: 1_000 }))
    const [dead, alive, ended] = [of(300), of(100), of(50)]
    await Promise.all([...dead, ...alive, ...ended].map(async (record) => store.insert(record)))
    await Promise.all(alive.map(async (record) => store.update(next(record, { expiresAt: 9_000 }), 1)))

    const sweep = async () => {
      while ((await store.deleteExpired?.(1_000, 20)) === 20);
    }
    const touch = async (record: SessionRecord) =>
      store.update(next(record, { version: 3, expiresAt: 9_001 }), 2)
    const [, touches] = await Promise.all([
      Promise.all([sweep(), sweep(), sweep(), sweep()]),
      Promise.all(alive.map(touch)),
      Promise.all(ended.map(async ({ id }) => store.delete(id))),
      Promise.all(Array.from({ length: 50 }, async () => store.insert(makeRecord()))),
    ])
    expect(new Set(touches)).toEqual(new Set(['ok']))
    expect(await store.deleteExpired?.(1_000, 20)).toBe(0)
    expect(await columns(at)).toHaveLength(150)
  })

  test('a sweep that waits for a session holds nothing that its logout needs', async () => {
    const at = freshTable()
    const store = mysqlStore(pool, at)
    const record = makeRecord({ expiresAt: 1_000 })
    await store.insert(record)
    const logout = await pool.getConnection()
    await logout.beginTransaction()
    const byId = `FROM ${at.table} WHERE id = UNHEX('${record.id.replaceAll('-', '')}')`
    await logout.query(`SELECT 1 ${byId} FOR UPDATE`)
    const sweep = store.deleteExpired?.(1_000, 10)
    // The server looks anew only where nobody has asked for a tenth of a second, hence the pause of `until`.
    const isWaiting = `SELECT 1 FROM information_schema.innodb_trx
      WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE '%${at.table}%'`
    await until(async () => (await query(isWaiting)).length > 0)
    // With the locks taken in another order, the server would refuse one of the two here.
    await logout.query(`DELETE ${byId}`)
    await logout.commit()
    logout.release()
    expect(await sweep).toBe(1)
  })

  test('a damaged record spoils only its own place', async () => {
    const at = freshTable()
    const store = mysqlStore(pool, at)
    const [a, b, c] = [makeRecord(), makeRecord({ userId: 'ann' }), makeRecord()]
    for (const record of [a, b, c]) await store.insert(record)
    const damage = `UPDATE ${at.table} SET record = X'FF7B' WHERE user_key = (SELECT k FROM (SELECT user_key AS k FROM ${at.table} WHERE record LIKE '%"ann"%') AS x)`
    await pool.query(damage)
    expect(await store.getMany?.([a.id, b.id, c.id])).toEqual([a, { id: b.id }, c])
    expect(isSessionRecord(await store.get(b.id))).toBe(false)
    expect(await store.listByUser('ann')).toEqual([{ id: b.id }])
    expect(await store.delete(b.id)).toBe(true)
  })

  test('connections that the server closes are replaced', async () => {
    const own = createPool({ uri: urls.mysql, connectionLimit: 3 })
    const store = mysqlStore(own, freshTable())
    const record = makeRecord()
    await store.insert(record)
    const ids = await Promise.all(
      [1, 2, 3].map(
        async () => (await own.query<RowDataPacket[]>('SELECT connection_id() AS id, sleep(0.05)'))[0],
      ),
    )
    for (const rows of ids) await pool.query(`KILL ${Number(rows[0]?.id)}`)
    await until(async () => (await store.get(record.id)) !== undefined)
    expect(await Promise.all([1, 2, 3].map(async () => store.get(record.id)))).toEqual([
      record,
      record,
      record,
    ])
    await own.end()
  })
})

/** Asks until the answer is yes. A failure is a no: a connection that was just closed may be handed out once more. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 25; attempt++) {
    if (await isSo().catch(() => false)) return
    await wait(150)
  }
  throw new Error('still not so after 25 attempts')
}
