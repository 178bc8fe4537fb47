import { randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { Client, Pool, types, type PoolConfig } from 'pg'
import { postgresMigrations, postgresStore, type PostgresPool } from 'express-sid/postgres'
import { makeRecord, storeContract } from 'express-sid/testing'
import { isSessionRecord, type SessionRecord } from '../../../src/record.js'
import { needs, urls } from '../../support/needs.js'

function raise(error: Error): never {
  throw error
}

/** The next version of a record. */
const next = (record: SessionRecord, changes: Partial<SessionRecord>): SessionRecord => ({
  ...record,
  version: record.version + 1,
  ...changes,
})

describe('postgresStore, its arguments', () => {
  const idle = { query: () => Promise.resolve({ rows: [] }) }
  const invalid = (fix: string) =>
    expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(fix) })

  test.each([
    ['a connection string', 'postgres://localhost/test'],
    ['undefined', undefined],
    ['null', null],
    ['options of a pool', { connectionString: 'postgres://localhost/test' }],
  ])('%s is refused, and the error says what to give', (_, pool) => {
    expect(() => postgresStore(pool as unknown as PostgresPool)).toThrow(invalid('new Pool('))
  })

  test.each([
    [{ tables: 'x' }, 'Did you mean table?'],
    [{ table: 7 }, '"table" must be a string'],
    [{ migrate: 'false' }, '"migrate" must be a boolean'],
    [{ table: '' }, '"table" must be a name of 1 to 56 bytes'],
    [{ table: 'ä'.repeat(29) }, '"table" must be a name of 1 to 56 bytes'],
    [{ schema: 'x'.repeat(64) }, '"schema" must be a name of 1 to 63 bytes'],
    [{ schema: 'a\0b' }, 'without NUL'],
    ['sessions', 'must be an object'],
  ])('the options %j are refused', (options, fix) => {
    expect(() => postgresStore(idle, options as object)).toThrow(invalid(fix))
    if (typeof options === 'object' && 'migrate' in options) return
    expect(() => postgresMigrations(options as object)).toThrow(invalid(fix))
  })

  test('a client with a query of another kind is refused at the first call', async () => {
    const ofArrays = { query: () => Promise.resolve([]) } as unknown as PostgresPool
    await expect(postgresStore(ofArrays).get('x')).rejects.toEqual(invalid('Pool of pg'))
    const ofCallbacks = { query: () => new EventEmitter() } as unknown as PostgresPool
    await expect(postgresStore(ofCallbacks).get('x')).rejects.toEqual(invalid('Pool of pg'))
  })

  test('a pool gets a listener for errors, unless it has one', () => {
    const pool = new Pool()
    postgresStore(pool)
    postgresStore(pool)
    expect(pool.listenerCount('error')).toBe(1)
    expect(() => pool.emit('error', new Error('closed by the server'), new Client())).not.toThrow()
  })
})

needs('postgres')('postgresStore on a server', () => {
  const schema = `sid_test_${randomBytes(6).toString('hex')}`
  let pool: Pool
  let tables = 0
  const freshTable = () => ({ schema, table: `sessions_${++tables}` })
  const columns = async ({ table }: { table: string }, id: string) => {
    const sql = `SELECT expires_at::float8 AS expires, due_at::float8 AS due FROM ${schema}.${table} WHERE id = $1`
    return (await pool.query<{ expires: number; due: number }>(sql, [id])).rows[0]
  }
  const exists = async (table: string) => {
    const sql = 'SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = $2'
    return (await pool.query(sql, [schema, table])).rowCount === 1
  }

  beforeAll(async () => {
    pool = new Pool({ connectionString: urls.postgres })
    await pool.query(`CREATE SCHEMA ${schema}`)
  })

  afterAll(async () => {
    await pool.query(`DROP SCHEMA ${schema} CASCADE`)
    await pool.end()
  })

  describe('the contract', () => {
    for (const { name, run } of storeContract(() => postgresStore(pool, { schema }))) test(name, run)
  })

  // An application sets parsers for the whole process: a UUID class, bigints as BigInt, trimmed texts.
  describe.each<[string, PoolConfig, (value: string) => unknown]>([
    ['parsers of its own', {}, (value) => ({ value })],
    ['parsers that fail', {}, () => raise(new Error('not for this parser'))],
    ['binary results', { binary: true } as PoolConfig, String],
  ])('an application with %s loses no session', (_, config, parse) => {
    const oids = ['uuid', 'int8', 'int4', 'text', 'bytea'].map(
      (name) => types.builtins[name.toUpperCase() as 'UUID'],
    )
    const formats = ['text', 'binary'] as const
    const originals = formats.map((format) => oids.map((oid) => types.getTypeParser(oid, format)))
    const setParsers = (parserOf: (format: number, at: number) => unknown) =>
      formats.forEach((format, of) =>
        oids.forEach((oid, at) =>
          types.setTypeParser(oid, format as 'text', parserOf(of, at) as typeof String),
        ),
      )
    let own: Pool

    beforeAll(() => {
      own = new Pool({ connectionString: urls.postgres, ...config })
      if (parse !== String) setParsers(() => parse)
    })
    afterAll(async () => {
      setParsers((of, at) => originals[of]![at])
      await own.end()
    })

    test.each([{}, { prepared: false }])('with the options %j', async (options) => {
      const store = postgresStore(own, { ...freshTable(), ...options })
      const record = makeRecord()
      await store.insert(record)
      expect(await store.get(record.id)).toEqual(record)
      expect(await store.getMany?.([record.id])).toEqual([record])
      expect(await store.listByUser(record.userId!)).toEqual([record])
      expect(await store.pageByUser(record.userId!, 1)).toEqual({ records: [record], next: record.id })
      expect(await store.update(next(record, {}), 1)).toBe('ok')
      expect(await store.deleteExpired?.(record.expiresAt - 1, 10)).toBe(0)
      expect(await store.delete(record.id)).toBe(true)
      // The version of the tables is read too.
      await expect(
        postgresStore(own, { schema, table: `sessions_${tables}` }).get(record.id),
      ).resolves.toBeUndefined()
    })
  })

  test.each([
    ['by name, each once in a connection', {}, 2],
    ['not at all with prepared: false', { prepared: false }, 0],
  ])('statements are prepared %s', async (_, options, count) => {
    const client = await pool.connect()
    const store = postgresStore(client, { ...freshTable(), ...options })
    const record = makeRecord()
    await store.insert(record)
    for (let round = 0; round < 3; round++) expect(await store.get(record.id)).toEqual(record)
    const { rows } = await client.query(
      `SELECT count(*)::int AS count FROM pg_prepared_statements WHERE statement LIKE '%sessions_${tables}"%'`,
    )
    expect(rows).toEqual([{ count }])
    client.release()
  })

  test('ten that start at once on an empty database all work', async () => {
    for (let round = 0; round < 5; round++) {
      const at = freshTable()
      const pools = Array.from({ length: 10 }, () => new Pool({ connectionString: urls.postgres, max: 1 }))
      await Promise.all(pools.map(async (own) => own.query('SELECT 1')))
      const record = makeRecord()
      const answers = await Promise.allSettled(
        pools.map(async (own) => postgresStore(own, at).insert(makeRecord({ userId: record.userId }))),
      )
      await Promise.all(pools.map(async (own) => own.end()))
      expect(answers.filter(({ status }) => status === 'rejected')).toEqual([])
      expect(await postgresStore(pool, at).listByUser(record.userId ?? '')).toHaveLength(10)
    }
  })

  test('with migrate: false nothing is made, and the printed SQL makes what is missing', async () => {
    const at = freshTable()
    const store = postgresStore(pool, { ...at, migrate: false })
    const record = makeRecord()
    const missing = { code: 'STORE_FAILED', message: expect.stringContaining('postgresMigrations()') }
    await expect(store.insert(record)).rejects.toMatchObject(missing)
    expect(await exists(at.table)).toBe(false)

    await pool.query(postgresMigrations(at))
    await store.insert(record)
    expect(await store.get(record.id)).toEqual(record)
    await pool.query(postgresMigrations(at))
    expect(await store.get(record.id)).toEqual(record)
  })

  test('tables that are there are used without the right to make any', async () => {
    const at = freshTable()
    const record = makeRecord()
    await postgresStore(pool, at).insert(record)
    const role = `${schema}_role`
    const client = await pool.connect()
    try {
      await client.query(`CREATE ROLE ${role}; GRANT USAGE ON SCHEMA ${schema} TO ${role}`)
      await client.query(`GRANT SELECT ON ALL TABLES IN SCHEMA ${schema} TO ${role}; SET ROLE ${role}`)
      expect(await postgresStore(client, at).get(record.id)).toEqual(record)
      await expect(postgresStore(client, freshTable()).get(record.id)).rejects.toMatchObject({
        code: '42501',
      })
    } finally {
      await client.query(`RESET ROLE; DROP OWNED BY ${role}; DROP ROLE ${role}`)
      client.release()
    }
  })

  test('names are used as they are written, whatever is in them', async () => {
    const odd = { schema: `${schema} "Ä"; --`, table: `Sessions' $1 "x" ?\\`.padEnd(56, 'y') }
    await pool.query(`CREATE SCHEMA "${odd.schema.replaceAll('"', '""')}"`)
    try {
      const [record, other] = [makeRecord(), makeRecord({ expiresAt: 1 })]
      const store = postgresStore(pool, odd)
      await store.insert(record)
      await store.insert(other)
      expect(await store.getMany?.([record.id])).toEqual([record])
      expect(await store.deleteExpired?.(1, 10)).toBe(1)
      const sql = 'SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1'
      const found = await pool.query<{ tablename: string }>(sql, [odd.schema])
      expect(found.rows.map((row) => row.tablename)).toEqual([odd.table, `${odd.table}_schema`])
    } finally {
      await pool.query(`DROP SCHEMA "${odd.schema.replaceAll('"', '""')}" CASCADE`)
    }
  })

  test('two tables on one connection are kept apart', async () => {
    const single = new Pool({ connectionString: urls.postgres, max: 1 })
    const [first, second] = [postgresStore(single, freshTable()), postgresStore(single, freshTable())]
    const record = makeRecord()
    await first.insert(record)
    expect(await second.get(record.id)).toBeUndefined()
    expect(await first.get(record.id)).toEqual(record)
    await single.end()
  })

  test('tables of a newer version are refused and left alone', async () => {
    const at = freshTable()
    const record = makeRecord()
    await postgresStore(pool, at).insert(record)
    await pool.query(`INSERT INTO ${schema}.${at.table}_schema VALUES (9)`)
    const newer = { code: 'STORE_FAILED', message: expect.stringContaining('Update express-sid') }
    await expect(postgresStore(pool, at).get(record.id)).rejects.toMatchObject(newer)
  })

  test('a touch moves the deadline and writes to no index', async () => {
    const at = freshTable()
    const record = makeRecord()
    await postgresStore(pool, at).insert(record)
    const client = await pool.connect()
    await client.query('BEGIN')
    const touched = next(record, { expiresAt: record.expiresAt + 60_000 })
    expect(await postgresStore(client, at).update(touched, 1)).toBe('ok')
    const sql =
      'SELECT n_tup_hot_upd::int AS hot FROM pg_stat_xact_user_tables WHERE relname = $1 AND schemaname = $2'
    expect((await client.query(sql, [at.table, schema])).rows).toEqual([{ hot: 1 }])
    await client.query('COMMIT')
    client.release()
    expect(await columns(at, record.id)).toEqual({ expires: touched.expiresAt, due: record.expiresAt })
  })

  test('a row that is due and alive is put off to its deadline, and one that ends earlier is due earlier', async () => {
    const at = freshTable()
    const store = postgresStore(pool, at)
    const record = makeRecord()
    await store.insert(record)
    const later = next(record, { expiresAt: record.expiresAt + 60_000 })
    await store.update(later, 1)
    expect(await store.deleteExpired?.(record.expiresAt, 10)).toBe(1)
    expect(await columns(at, record.id)).toEqual({ expires: later.expiresAt, due: later.expiresAt })
    expect(await store.deleteExpired?.(record.expiresAt, 10)).toBe(0)

    const earlier = next(later, { expiresAt: record.expiresAt - 60_000 })
    await store.update(earlier, 2)
    expect(await columns(at, record.id)).toEqual({ expires: earlier.expiresAt, due: earlier.expiresAt })
  })

  test('a row that a sweep removed is told, and one that it put off is not', async () => {
    const store = postgresStore(pool, freshTable())
    const [dead, alive] = [makeRecord({ expiresAt: 1_000 }), makeRecord({ expiresAt: 1_000 })]
    for (const record of [dead, alive]) await store.insert(record)
    await store.update({ ...alive, version: 2, expiresAt: 9_000 }, 1)
    const told: SessionRecord[] = []
    expect(await store.deleteExpired?.(1_000, 10, (records) => told.push(...records))).toBe(2)
    expect(told).toEqual([dead])
    expect(await store.get(dead.id)).toBeUndefined()
  })

  test('a step works through its limit of rows in all, removed and put off', async () => {
    const store = postgresStore(pool, freshTable())
    for (let count = 0; count < 6; count++) {
      await store.insert(makeRecord({ expiresAt: 1_000 }))
      const alive = makeRecord({ expiresAt: 1_000 })
      await store.insert(alive)
      await store.update(next(alive, { expiresAt: 9_000 }), 1)
    }
    const steps = [await store.deleteExpired?.(1_000, 5), await store.deleteExpired?.(1_000, 5)]
    expect(steps).toEqual([5, 5])
    expect(await store.deleteExpired?.(1_000, 5)).toBe(2)
    expect(await store.deleteExpired?.(1_000, 5)).toBe(0)
  })

  test('four sweeps at once work through each row once, beside touches and logouts, without a deadlock', async () => {
    const at = freshTable()
    const store = postgresStore(pool, at)
    const of = (count: number) => Array.from({ length: count }, () => makeRecord({ expiresAt: 1_000 }))
    const [dead, alive, ended] = [of(300), of(100), of(50)]
    await Promise.all([...dead, ...alive, ...ended].map(async (record) => store.insert(record)))
    await Promise.all(alive.map(async (record) => store.update(next(record, { expiresAt: 9_000 }), 1)))

    const sweep = async () => {
      let sum = 0
      for (;;) {
        const count = (await store.deleteExpired?.(1_000, 20)) ?? 0
        sum += count
        if (count < 20) return sum
      }
    }
    const touch = async (record: SessionRecord) =>
      store.update(next(record, { version: 3, expiresAt: 9_001 }), 2)
    const [sums, touches, logouts] = await Promise.all([
      Promise.all([sweep(), sweep(), sweep(), sweep()]),
      Promise.all(alive.map(touch)),
      Promise.all(ended.map(async ({ id }) => store.delete(id))),
    ])
    const rest = await sweep()

    expect(new Set(touches)).toEqual(new Set(['ok']))
    const byLogout = logouts.filter((wasThere) => wasThere).length
    expect(sums.reduce((a, b) => a + b, rest)).toBe(450 - byLogout)
    const { rows } = await pool.query(`SELECT count(*)::int AS left FROM ${schema}.${at.table}`)
    expect(rows).toEqual([{ left: 100 }])
  })

  test('a sweep does not wait for a row that somebody holds', async () => {
    const at = freshTable()
    const store = postgresStore(pool, at)
    const [held, free] = [makeRecord({ expiresAt: 1 }), makeRecord({ expiresAt: 1 })]
    await store.insert(held)
    await store.insert(free)
    const client = await pool.connect()
    await client.query('BEGIN')
    await client.query(`SELECT 1 FROM ${schema}.${at.table} WHERE id = $1 FOR UPDATE`, [held.id])
    expect(await store.deleteExpired?.(1, 10)).toBe(1)
    await client.query('COMMIT')
    client.release()
    expect(await store.deleteExpired?.(1, 10)).toBe(1)
  })

  test('a damaged record spoils only its own place', async () => {
    const at = freshTable()
    const store = postgresStore(pool, at)
    const [a, b, c] = [makeRecord(), makeRecord({ userId: 'ann' }), makeRecord()]
    for (const record of [a, b, c]) await store.insert(record)
    await pool.query(`UPDATE ${schema}.${at.table} SET record = '{"id":' WHERE id = $1`, [b.id])
    expect(await store.getMany?.([a.id, b.id, c.id])).toEqual([a, { id: b.id }, c])
    expect(isSessionRecord(await store.get(b.id))).toBe(false)
    expect(await store.listByUser('ann')).toEqual([{ id: b.id }])
    expect(await store.delete(b.id)).toBe(true)
  })
})
