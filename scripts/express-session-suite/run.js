// `npm run express-session-suite`: runs the own tests of express-session against `express-sid/express-session`. They are
// fetched where they are run, and never copied into this repository.
//
//   node scripts/express-session-suite/run.js                      the three runs, with the tests from GitHub
//   node scripts/express-session-suite/run.js --from <folder>      with a copy that is there
//   node scripts/express-session-suite/run.js --only MemoryStore   one of: memoryStore, MemoryStore, legacyErrors
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const here = fileURLToPath(new URL('.', import.meta.url))
const root = fileURLToPath(new URL('../..', import.meta.url))
const repository = 'https://github.com/expressjs/session.git'

/** Each run, with how many of the tests pass at least. */
const runs = {
  memoryStore: { atLeast: 157, env: { SID_SUITE_STORE: 'memoryStore' } },
  MemoryStore: { atLeast: 158, env: { SID_SUITE_STORE: 'MemoryStore' } },
  legacyErrors: { atLeast: 160, env: { SID_SUITE_STORE: 'MemoryStore', SID_SUITE_LEGACY: '1' } },
}

const { values } = parseArgs({
  options: {
    from: { type: 'string' },
    only: { type: 'string' },
    tag: { type: 'string', default: 'v1.19.0' },
  },
})
if (!existsSync(join(root, 'dist/cjs/express-session/callable.js')))
  execFileSync('npm', ['run', 'build'], { cwd: root, stdio: 'inherit' })

const folder = mkdtempSync(join(tmpdir(), 'express-session-suite-'))
try {
  prepare()
  const names = values.only === undefined ? Object.keys(runs) : [values.only]
  const failed = names.filter((name) => !run(name, runs[name]))
  process.exitCode = failed.length
} finally {
  rmSync(folder, { recursive: true, force: true })
}

/** A folder that looks like express-session to its tests, and is this package. */
function prepare() {
  let from = values.from
  if (from === undefined) {
    from = join(folder, 'session')
    execFileSync('git', ['clone', '-q', '--depth', '1', '--branch', values.tag, repository, from], {
      stdio: 'inherit',
    })
  }
  cpSync(join(from, 'test'), join(folder, 'test'), { recursive: true })
  mkdirSync(join(folder, 'session'), { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }')
  for (const file of ['entry.cjs', 'on-memory-store.cjs']) cpSync(join(here, file), join(folder, file))
  writeFileSync(join(folder, 'index.js'), 'module.exports = require("./entry.cjs")')
  writeFileSync(join(folder, 'session/cookie.js'), 'module.exports = require("../").Cookie')
  const tools = ['after@0.8.2', 'cookie-parser@1.4.6', 'express@4.17.3', 'mocha@10.8.2', 'supertest@6.3.4']
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--silent', '--no-save', ...tools], {
    cwd: folder,
    stdio: 'inherit',
  })
  execFileSync('sh', [join(folder, 'test/support/gencert.sh')], { cwd: folder, stdio: 'ignore' })
}

function run(name, { atLeast, env }) {
  const mocha = join(folder, 'node_modules/mocha/bin/mocha.js')
  const args = [
    mocha,
    '--require',
    'test/support/env',
    '--check-leaks',
    '--exit',
    '--reporter',
    'json',
    'test/',
  ]
  const { stdout } = spawnSync(process.execPath, ['--no-warnings', ...args], {
    cwd: folder,
    env: {
      ...process.env,
      ...env,
      SID_SUITE_PACKAGE: join(root, 'dist/cjs/express-session/callable.js'),
      SID_SUITE_STORES: join(root, 'dist/cjs/index.js'),
    },
    encoding: 'utf8',
    maxBuffer: 50_000_000,
  })
  const { stats, failures } = JSON.parse(stdout.slice(stdout.indexOf('{\n')))
  console.log(`${name}: ${stats.passes} of ${stats.tests} pass`)
  for (const { fullTitle, err } of failures)
    console.log(`  - ${fullTitle}\n      ${String(err.message).split('\n')[0]}`)
  return stats.passes >= atLeast
}
