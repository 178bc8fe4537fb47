import { randomBytes } from 'node:crypto'
import { Client, Pool } from 'pg'
import { postgresStore, type PostgresPool } from 'express-sid/postgres'
import { makeRecord } from 'express-sid/testing'
import { hearingContract, twoNodes, watch } from '../../support/hearing.js'
import { needs, urls } from '../../support/needs.js'
import { eventually } from '../../support/redis-servers.js'

const config = { connectionString: urls.postgres }

test('a pool whose clients can not be made is refused at the start, with the way out', () => {
  const pool = { query: async () => ({ rows: [] }), connect: () => undefined } as PostgresPool
  expect(() => postgresStore(pool, { heardEverywhere: true })).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining('() => new Client') }),
  )
})

needs('postgres')('postgresStore with heardEverywhere', () => {
  const table = `sid ends "${randomBytes(6).toString('hex')}"`
  const pool = new Pool(config)
  const store = () => postgresStore(pool, { table, heardEverywhere: true })
  const listening = async () => {
    const sql = `SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN "sid_ends__%'`
    return (await pool.query(sql)).rowCount
  }

  afterAll(async () => {
    const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`
    await pool.query(`DROP TABLE IF EXISTS ${quoted(table)}, ${quoted(`${table}_schema`)}`)
    await pool.end()
  })

  for (const { name, run } of hearingContract(() => store())) test(name, run)

  describe('by a client that a function makes', () => {
    const own = () => postgresStore(pool, { table, heardEverywhere: () => new Client(config) })
    for (const { name, run } of hearingContract(() => own())) test(name, run)
  })

  test('a session that another process ends is heard at once, and once; the pool lends no client', async () => {
    const small = new Pool({ ...config, max: 1 })
    const [here, there] = twoNodes([postgresStore(small, { table, heardEverywhere: true }), store()])
    const record = makeRecord()
    await store().insert(record)
    const socket = watch(here!, record.id)
    await eventually(async () => (await listening()) === 1)
    const began = performance.now()
    await there!.revoke(record.id)
    expect((await socket.ended) - began).toBeLessThan(2_000)
    expect(socket.calls()).toBe(1)
    await here!.close()
    await there!.close()
    await eventually(async () => (await listening()) === 0)
    await small.end()
  })

  test('nothing is sent by default, and a login sends nothing', async () => {
    const heard: unknown[] = []
    const client = new Client(config)
    await client.connect()
    client.on('notification', ({ payload }) => heard.push(payload))
    await client.query(`LISTEN "${table.replaceAll(/\W/g, '_')}_ended"`)
    const silent = postgresStore(pool, { table })
    expect(silent).not.toHaveProperty('hearEnds')
    const [one, two] = [makeRecord(), makeRecord()]
    await silent.insert(one)
    await silent.update({ ...one, version: 2, endedBy: 'reuse' }, 1)
    await silent.delete(one.id)
    await store().insert(two)
    await store().update({ ...two, version: 2 }, 1)
    await store().delete(two.id)
    await eventually(async () => heard.length > 0)
    expect(heard).toEqual([two.id])
    await client.end()
  })
})
