import { Pool } from 'pg'
import { needs, urls } from '../support/needs.js'
import { dropKeys, freshPrefix } from '../support/redis-clients.js'
import { scratchFolder } from '../support/scratch.js'
import { found, moveBesideApp } from './support/copy-beside-app.js'

// 100,000 sessions move beside two app processes whose users log in, log out and write. Takes some minutes.

const file = scratchFolder()
const COUNT = 100_000

async function expectMoved(name: string, to: { name: string; address: string }): Promise<void> {
  const sqlite = file(name)
  const moved = await moveBesideApp({
    from: { name: `sqlite:${sqlite}`, address: `sqlite:${sqlite}` },
    to,
    sessions: COUNT,
    kills: [10_000, 45_000, 80_000],
  })
  expect(found(moved)).toEqual({ tally: {}, first: [], wrong: [] })
  expect(moved.killed).toBe(3)
  expect(moved.done).toMatchObject({ complete: true, older: 0, damaged: 0 })
  expect(moved.left).toBe(0)
  const ended = moved.old.history.filter(({ kind, result }) => kind === 'logout' && result === 'ok')
  expect(moved.there).toBe(COUNT - new Set(ended.map(({ session }) => session)).size)
  console.info(
    `${name}: ${moved.old.history.length} operations on old sessions, ${ended.length} logouts, all kept`,
  )
}

needs('redis')('to Redis', () => {
  const prefix = freshPrefix()
  afterAll(() => dropKeys(urls.redis, prefix))

  test('none is lost, and none is revived', async () => {
    await expectMoved('to-redis.sqlite', {
      name: `redis:${prefix}`,
      address: `${urls.redis}?prefix=${prefix}`,
    })
  }, 1_200_000)
})

needs('postgres')('to Postgres', () => {
  const table = `sid_copy_${process.pid}`
  afterAll(async () => {
    const pool = new Pool({ connectionString: urls.postgres })
    await pool.query(`DROP TABLE IF EXISTS ${table}, ${table}_schema`)
    await pool.end()
  })

  test('none is lost, and none is revived', async () => {
    await expectMoved('to-postgres.sqlite', {
      name: `postgres:${table}`,
      address: `${urls.postgres}?table=${table}`,
    })
  }, 1_200_000)
})
