import { dropKeys, freshPrefix } from '../support/redis-clients.js'
import { has, needs, urls } from '../support/needs.js'
import { scratchFolder } from '../support/scratch.js'
import { found, moveBesideApp } from './support/copy-beside-app.js'

// The same with 100,000 sessions is in copy-beside-app.long.test.ts.

needs('redis')('a copy beside an app that runs', () => {
  const file = scratchFolder()
  const prefix = freshPrefix()
  afterAll(() => (has('redis') ? dropKeys(urls.redis, prefix) : undefined))

  test('from SQLite to Redis, killed and run again: no session is lost, and none is revived', async () => {
    const sqlite = file('sessions.sqlite')
    const moved = await moveBesideApp({
      from: { name: `sqlite:${sqlite}`, address: `sqlite:${sqlite}` },
      to: { name: `redis:${prefix}`, address: `${urls.redis}?prefix=${prefix}` },
      sessions: 300,
      kills: [60],
    })
    expect(found(moved)).toEqual({ tally: {}, first: [], wrong: [] })
    expect(moved.done).toMatchObject({ complete: true, older: 0, damaged: 0 })
    expect(moved.left).toBe(0)
    expect(moved.there).toBeGreaterThan(100)
    expect(
      moved.old.history.filter(({ kind, result }) => kind === 'logout' && result === 'ok').length,
    ).toBeGreaterThan(20)
  }, 120_000)
})
