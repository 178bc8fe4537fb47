import { cpSync, mkdtempSync, readFileSync, rmSync, mkdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Script } from 'node:vm'
import { cli, cliJson, root } from './support/io.js'

// That the apps work afterwards is in packaging/init.test.ts. Here: what is asked, and what is left alone.

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sid-init-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function app(express: string, files: Record<string, string> = {}) {
  cpSync(join(root, '__tests__/packaging/consumers/init-generator'), folder, { recursive: true })
  mkdirSync(join(folder, 'node_modules/express'), { recursive: true })
  writeFileSync(
    join(folder, 'node_modules/express/package.json'),
    JSON.stringify({ name: 'express', version: express }),
  )
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
}

const read = (name: string) => readFileSync(join(folder, name), 'utf8')

async function init(words: readonly string[] = [], says?: boolean) {
  const calls: string[][] = []
  const result = await cli(['init', ...words], {
    cwd: folder,
    ...(says === undefined ? {} : { says }),
    runs: async (program, more) => {
      calls.push([program, ...more])
      return 0
    },
  })
  return { ...result, calls }
}

test('raises Express first, after asking', async () => {
  app('4.16.4')
  const { exitCode, questions, calls } = await init([], true)
  expect([exitCode, questions.length]).toEqual([0, 2])
  expect(questions[0]).toContain('Raise it to express@^4.22.0 first?')
  expect(calls).toEqual([['npm', 'install', '--no-audit', '--no-fund', 'express-sid', 'express@^4.22.0']])
})

test('raises nothing where nobody can be asked, and says so', async () => {
  app('4.16.4')
  const { exitCode, stderr, calls } = await init(['--yes'])
  expect([exitCode, calls]).toEqual([0, [['npm', 'install', '--no-audit', '--no-fund', 'express-sid']]])
  expect(stderr).toContain('--allow-upgrade')
})

test('refuses an Express that is too old, where it may not raise it', async () => {
  app('4.15.0')
  expect(await init(['--yes'])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('needs 4.16 or later') as unknown,
  })
  expect((await init(['--yes', '--allow-upgrade'])).exitCode).toBe(0)
})

test('changes nothing where the answer is no, or nobody is there', async () => {
  app('5.1.0')
  const before = read('app.js')
  for (const says of [false, undefined]) {
    expect((await init([], says)).exitCode).toBe(2)
    expect(read('app.js')).toBe(before)
    expect(() => read('auth.js')).toThrow('ENOENT')
  }
})

test('puts the login above the first route and its comment, and leaves the rest as it is', async () => {
  app('5.1.0')
  await init(['--yes'])
  const text = read('app.js')
  expect(text).toContain("var indexRouter = require('./routes/index')\nconst { auth } = require('./auth')\n")
  expect(text).toMatch(/app\.use\(auth\)\n\n\/\/ The pages\.\napp\.use\('\/', indexRouter\)/)
  const added = text.split('\n').length - 4
  expect(added).toBe(
    readFileSync(join(root, '__tests__/packaging/consumers/init-generator/app.js'), 'utf8').split('\n')
      .length,
  )
})

test('takes other names and scripts where those are there already', async () => {
  const scripts = { scripts: { test: 'jest' }, dependencies: { express: '^5.0.0' } }
  app('5.1.0', { 'auth.js': '', 'package.json': JSON.stringify(scripts), 'yarn.lock': '' })
  const { calls } = await init(['--yes', '--store', 'redis'])
  expect(calls).toEqual([['yarn', 'add', 'express-sid', 'redis']])
  expect(JSON.parse(read('package.json'))).toMatchObject({
    scripts: { test: 'jest', 'test:auth': 'node --test sid-auth.test.js' },
  })
  expect(read('sid-auth.js')).toContain("const { redisStore } = require('express-sid/redis')")
})

test.each([
  [{}, ['--store', 'mongo'], 'memory, sqlite, redis'],
  [{ 'app.js': 'const app = connect()' }, [], '--file'],
  [{ 'app.js': "const app = express()\nconst s = require('express-sid')" }, [], 'has a login already'],
])('says what it can not do: %#', async (files, words, fix) => {
  app('5.1.0', files)
  const { exitCode, stderr } = await init(['--yes', ...words])
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining(fix)])
})

test('where there is no app, it says where to run', async () => {
  const { exitCode, json } = await cliJson<{ error: { message: string } }>(['init', '--yes'], { cwd: folder })
  expect([exitCode, json.error.message]).toEqual([2, expect.stringContaining('in the folder of your app')])
})

test.each(['memory', 'sqlite', 'redis', 'postgres', 'mysql'])('the file for %s parses', async (store) => {
  app('5.1.0')
  await init(['--yes', '--no-install', '--store', store])
  expect(() => new Script(read('auth.js'))).not.toThrow()
})
