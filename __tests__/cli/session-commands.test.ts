import Database from 'libsql'
import mysql from 'mysql2/promise'
import { Pool } from 'pg'
import { makeRecord } from 'express-sid/testing'
import { openStore, type OpenedStore } from '../../src/cli/stores/open.js'
import { has, urls, type Part } from '../support/needs.js'
import { dropKeys, freshPrefix } from '../support/redis-clients.js'
import { eventually } from '../support/redis-servers.js'
import { scratchFolder } from '../support/scratch.js'
import { cli, cliJson, root } from './support/io.js'

const file = scratchFolder()
const prefix = freshPrefix()
const table = `sid_cli_${process.pid}`
const HOUR = 3_600_000

const stores: [name: string, part: Part | undefined, address: string][] = [
  ['SQLite', undefined, `sqlite:${file('sessions.sqlite')}`],
  ['Redis', 'redis', `${urls.redis}?prefix=${prefix}`],
  ['Postgres', 'postgres', `${urls.postgres}?table=${table}`],
  ['MySQL', 'mysql', `${urls.mysql}?table=${table}`],
]

afterAll(async () => {
  if (has('redis')) await dropKeys(urls.redis, prefix)
  const drop = `DROP TABLE IF EXISTS ${table}, ${table}_schema`
  if (has('postgres')) {
    const pool = new Pool({ connectionString: urls.postgres })
    await pool.query(drop)
    await pool.end()
  }
  if (has('mysql')) {
    const pool = mysql.createPool(urls.mysql)
    await pool.query(drop)
    await pool.end()
  }
})

for (const [name, part, address] of stores) {
  const run = part === undefined || has(part) ? describe : describe.skip
  run(`on ${name}`, () => {
    let opened: OpenedStore
    const env = { EXPRESS_SID_STORE: address }
    const count = async (...user: string[]) =>
      (await cliJson<{ sessions: number }>(['count', ...user], { env })).json

    beforeAll(async () => {
      opened = await openStore(address, root, { create: true })
      await opened.store.count(0)
    })
    afterAll(() => opened.close())

    test('count, list, revoke and revoke-all do what they say', async () => {
      const ann = Array.from({ length: 3 }, () => makeRecord({ userId: 'ann' }))
      const bob = makeRecord({ userId: 'bob' })
      for (const record of [...ann, bob, makeRecord({ userId: undefined, user: undefined })])
        await opened.store.insert(record)
      expect([await count(), await count('ann')]).toEqual([{ sessions: 5 }, { sessions: 3 }])

      const listed = await cliJson<{ sessions: { id: string; userId: string }[] }>(['list', 'ann'], { env })
      expect(listed.json.sessions.map(({ id }) => id).sort()).toEqual(ann.map(({ id }) => id).sort())
      const all = await cli(['list'], { env })
      expect(all.stdout.split('\n')).toHaveLength(6)
      expect(all.stdout).toContain('(guest)')
      for (const secret of [bob.secretHash, bob.seriesHash, 'Ann']) expect(all.printed).not.toContain(secret)

      expect(await cliJson(['revoke', bob.id], { env })).toEqual({ exitCode: 0, json: { revoked: true } })
      expect(await cliJson(['revoke', bob.id], { env })).toEqual({ exitCode: 1, json: { revoked: false } })
      const except = await cliJson(['revoke-all', 'ann', '--except', ann[0]!.id], { env })
      expect([except.json, await count('ann')]).toEqual([{ revoked: 2 }, { sessions: 1 }])

      const refused = await cli(['revoke-all', '--everyone'], { env })
      expect([refused.exitCode, refused.stderr]).toEqual([2, expect.stringContaining('--yes')])
      const declined = await cli(['revoke-all', '--everyone'], { env, says: false })
      expect([declined.questions.length, await count()]).toEqual([1, { sessions: 2 }])
      expect((await cliJson(['revoke-all', '--everyone', '--yes'], { env })).json).toEqual({ revoked: 2 })
    })

    test('prune removes what has expired, and info and doctor say what there is', async () => {
      await opened.store.insert(
        makeRecord({ createdAt: Date.now() - 2 * HOUR, expiresAt: Date.now() - HOUR }),
      )
      await opened.store.insert(makeRecord())
      const pruned = (await cliJson(['prune'], { env })).json
      expect(pruned).toEqual(name === 'Redis' ? { removed: 0, expiresByItself: true } : { removed: 1 })
      // Redis forgets it by its own clock, a millisecond later.
      await eventually(async () => (await count()).sessions === 1)

      const info = await cliJson<{ store: Record<string, unknown> }>(['info'], { env })
      expect(info.json).toMatchObject({
        node: process.version,
        packages: { express: expect.any(String) as unknown },
      })
      expect(info.json.store).toMatchObject({ kind: opened.kind, driver: opened.driver, sessions: 1 })
      expect(info.json.store.schema).toBe(name === 'Redis' ? null : 1)
      expect(JSON.stringify(info.json)).not.toMatch(/127\.0\.0\.1|localhost|sid_cli/)

      const healthy = await cliJson<{ findings: unknown[]; store: { latencyMs: number } }>(['doctor'], {
        env,
      })
      expect([healthy.exitCode, healthy.json.findings]).toEqual([0, []])
      expect(healthy.json.store.latencyMs).toBeGreaterThan(0)
    })
  })
}

describe('where a store is', () => {
  test('may be said on the standard input, so that it does not show in ps', async () => {
    const address = stores[0]![2]
    const { json } = await cliJson(['count', '--store', '-'], { input: [address] })
    expect(json).toEqual({ sessions: 1 })
    const copied = await cliJson(['copy', '--from', '-', '--to', '-'], {
      input: [address, `sqlite:${file('b.sqlite')}`],
    })
    expect(copied).toMatchObject({ exitCode: 0, json: { copied: 1, complete: true } })
  })

  test.each([
    [[], {}, 'Which store?'],
    [['--store', 'mongodb://localhost'], {}, 'no address of a store'],
    [['--store', 'sqlite:/nowhere/x.sqlite'], {}, 'There is no file /nowhere/x.sqlite'],
    [['--store', 'redis://localhost'], { cwd: '/' }, 'npm install redis'],
    [['--store', 'redis://ann:hunter2-hunter2@127.0.0.1:1'], {}, 'can not be reached'],
  ])('is asked for, with the fix: %j', async (words, options, fix) => {
    const { exitCode, printed } = await cli(['count', ...words], options)
    expect([exitCode, printed]).toEqual([2, expect.stringContaining(fix)])
    expect(printed).not.toContain('hunter2')
  })

  test('errors are JSON too, and hold no password, whatever the driver says', async () => {
    const env = { EXPRESS_SID_STORE: 'postgres://ann:s3cret-pw@127.0.0.1:1/hunting?table=x' }
    const { exitCode, json } = await cliJson<{ error: { code: string; message: string } }>(['count'], { env })
    expect([exitCode, json.error.code]).toEqual([2, expect.any(String)])
    expect(JSON.stringify(json)).not.toContain('s3cret-pw')
  })

  test('a table that is not there is not made, but by copy', async () => {
    const path = file('other.sqlite')
    const database = new Database(path)
    database.exec('CREATE TABLE a (b)')
    database.close()
    const { stderr } = await cli(['count', '--store', `sqlite:${path}`])
    expect(stderr).toContain('no table "sid_sessions"')
  })
})

test('a user id that would move the cursor of a terminal does not', async () => {
  const address = `sqlite:${file('evil.sqlite')}`
  const opened = await openStore(address, root, { create: true })
  await opened.store.insert(makeRecord({ userId: '\u001b[2Jroot\nSESSION' }))
  await opened.close()
  const { stdout } = await cli(['list', '--store', address])
  expect(stdout).not.toContain('\u001b')
  expect(stdout.split('\n')).toHaveLength(2)
})

test('what is no command is told, with a code of its own', async () => {
  expect(await cli(['cuont'])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('count') as unknown,
  })
  expect(await cli(['--help'])).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('doctor') as unknown,
  })
})
