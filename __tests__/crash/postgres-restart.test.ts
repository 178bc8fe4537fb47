import { setTimeout as wait } from 'node:timers/promises'
import { Pool } from 'pg'
import { postgresStore } from 'express-sid/postgres'
import { makeRecord } from 'express-sid/testing'
import { needs } from '../support/needs.js'
import { createPostgres, type PostgresServer } from '../support/postgres-server.js'

needs('postgres-bin')('postgresStore, while its server comes and goes', () => {
  let server: PostgresServer
  let pool: Pool

  beforeAll(async () => {
    server = await createPostgres()
    pool = new Pool(server.config)
  }, 60_000)

  afterAll(async () => {
    await server.remove()
    await pool.end()
  })

  test('a server that is away at the start is used once it is there', async () => {
    const store = postgresStore(pool)
    const record = makeRecord()
    await expect(store.insert(record)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await server.start()
    await store.insert(record)
    expect(await store.get(record.id)).toEqual(record)
  })

  for (const way of ['stop', 'kill'] as const) {
    test(`sessions and the pool outlive a restart after ${way}`, async () => {
      const store = postgresStore(pool)
      const record = makeRecord()
      await store.insert(record)
      const others = await Promise.all([1, 2, 3].map(async () => store.get(record.id)))
      expect(others).toEqual([record, record, record])
      await server[way]()
      await expect(store.get(record.id)).rejects.toThrow()
      await server.start()
      expect(await store.get(record.id)).toEqual(record)
      expect(await store.delete(record.id)).toBe(true)
    })
  }

  test('what is asked of a server that hangs is answered when it goes on', async () => {
    const store = postgresStore(pool)
    const record = makeRecord()
    await store.insert(record)
    await server.pause()
    const asked = Array.from({ length: 30 }, async () => store.get(record.id))
    expect(await Promise.race([...asked, wait(100, 'no answer')])).toBe('no answer')
    server.resume()
    for (const answer of await Promise.all(asked)) expect(answer).toEqual(record)
    expect(await store.get(record.id)).toEqual(record)
  })
})
