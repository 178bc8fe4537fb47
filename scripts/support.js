// Runs the packed package on every version that it supports, and writes docs/support.md from what happened. With `--check`
// nothing is written: it fails where something does not work, or where the page says something else. `.ci/run` calls it.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'

const root = fileURLToPath(new URL('..', import.meta.url))
const page = join(root, 'docs/support.md')

const nodes = ['20', '22', '24', '26']
const expresses = ['4', '5']
const compilers = ['5.0', '5.4', '5.9', '6.0', '7.0']
const drivers = [
  ['redis', '4', 'redis'],
  ['redis', '5', 'redis'],
  ['redis', '6', 'redis'],
  ['ioredis', '5', 'redis'],
  ['ioredis', '6', 'redis'],
  ['pg', '8', 'postgres'],
  ['mysql2', '3', 'mysql'],
  ['libsql', '0.5', 'sqlite'],
]

const alias = (name, version) => `${name}-${version.replaceAll('.', '-')}`
const work = mkdtempSync(join(tmpdir(), 'express-sid-support-'))
const run = (program, args, options = {}) =>
  execFileSync(program, args, { cwd: work, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...options })
const faults = []

try {
  install()
  const rows = {
    nodes: nodes.map((node) => [
      node,
      expresses.map((express) => works(`Node ${node}, Express ${express}`, () => logsIn(node, express))),
    ]),
    compilers: compilers.map((version) => [version, works(`TypeScript ${version}`, () => compiles(version))]),
    drivers: drivers.map(([name, version, kind]) => [
      name,
      version,
      works(`${name} ${version}`, () => keeps(name, version, kind)),
    ]),
  }
  const { proseWrap: _, ...options } = (await resolveConfig(page)) ?? {}
  const text = await format(pageOf(rows), { ...options, parser: 'markdown' })
  if (!process.argv.includes('--check')) writeFileSync(page, text)
  else if (readFileSync(page, 'utf8') !== text)
    faults.push('docs/support.md is out of date: run node scripts/support.js')
} finally {
  rmSync(work, { recursive: true, force: true })
}
for (const fault of faults) console.error(`support: ${fault}`)
process.exitCode = faults.length === 0 ? 0 : 1

/** The tarball, and each version under a name of its own. */
function install() {
  run('npm', ['pack', '--loglevel=error', '--pack-destination', work], { cwd: root })
  const tarball = readdirSync(work).find((file) => file.endsWith('.tgz'))
  writeFileSync(join(work, 'package.json'), '{ "name": "support", "version": "1.0.0", "private": true }')
  const wanted = [
    ...nodes.map((version) => [`node`, version]),
    ...expresses.map((version) => ['express', version]),
    ...compilers.map((version) => ['typescript', version]),
    ...drivers,
  ].map(([name, version]) => `${alias(name, version)}@npm:${name}@${version}`)
  const types = ['@types/express@5', '@types/node@20']
  run('npm', [
    'install',
    '--legacy-peer-deps',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    `./${tarball}`,
    ...wanted,
    ...types,
  ])
}

function works(what, attempt) {
  try {
    attempt()
    console.log(`works: ${what}`)
    return true
  } catch (error) {
    faults.push(
      `${what} does not work: ${error.stdout ?? ''}${error.stderr ?? error.message}`.slice(0, 1_500),
    )
    return false
  }
}

/** A login, a guarded page, a logout, over HTTP. */
function logsIn(node, express) {
  const file = join(work, 'app.mjs')
  writeFileSync(
    file,
    `import assert from 'node:assert'
import express from '${alias('express', express)}'
import { createSessions, login, logout, requireUser, sessionMiddleware } from 'express-sid'
assert.equal(process.versions.node.split('.')[0], '${node}')
const sessions = createSessions()
const app = express().use(sessionMiddleware(sessions))
app.post('/login', login(() => ({ id: 1 })))
app.post('/logout', logout())
app.get('/me', requireUser(), (req, res) => res.json(req.user))
const server = app.listen(0, '127.0.0.1', async () => {
  const call = (path, init) => fetch('http://127.0.0.1:' + server.address().port + path, init)
  const { headers } = await call('/login', { method: 'POST' })
  const cookie = headers.get('set-cookie').split(';')[0]
  const me = async () => (await call('/me', { headers: { cookie } })).status
  assert.equal(await me(), 200)
  await call('/logout', { method: 'POST', headers: { cookie } })
  assert.equal(await me(), 401)
  await sessions.close()
  process.exit(0)
})`,
  )
  run(join(work, 'node_modules', alias('node', node), 'bin/node'), [file])
}

/** An app that is typed strictly, libraries included. */
function compiles(version) {
  const file = join(work, 'app.ts')
  writeFileSync(
    file,
    `import { createSessions, login, sessionMiddleware, sessionOf, userOf, type SessionInfo } from 'express-sid'
import type { Request } from 'express'
declare global { namespace Express { interface User { id: string; name: string } } }
const sessions = createSessions({ idleTimeout: '7d' })
export const handlers = [sessionMiddleware(sessions), login((req: Request) => ({ id: String(req.query.name) }))]
export const name = (req: Request): string => userOf(req).name
export const list = (req: Request): Promise<SessionInfo[]> => sessionOf(req).list()
`,
  )
  const compiler = join(work, 'node_modules', alias('typescript', version), 'bin/tsc')
  const options = [
    '--noEmit',
    '--strict',
    '--target',
    'es2022',
    '--module',
    'nodenext',
    '--moduleResolution',
    'nodenext',
    '--types',
    'node',
    '--skipLibCheck',
  ]
  run(process.execPath, [compiler, ...options, file])
}

/** What is inserted is found, listed, changed and ended. */
function keeps(name, version, kind) {
  const file = join(work, 'store.mjs')
  const module = alias(name, version)
  const open = {
    redis:
      name === 'redis'
        ? `import { createClient } from '${module}'
const client = createClient({ url: process.env.REDIS_URL }); await client.connect()`
        : `import { Redis } from '${module}'
const client = new Redis(process.env.REDIS_URL)`,
    postgres: `import pg from '${module}'
const client = new pg.Pool({ connectionString: process.env.POSTGRES_URL })`,
    mysql: `import mysql from '${module}/promise.js'
const client = mysql.createPool(process.env.MYSQL_URL)`,
    sqlite: `import Database from '${module}'
const client = new Database(':memory:')`,
  }[kind]
  writeFileSync(
    file,
    `import assert from 'node:assert'
${open}
import { ${kind}Store } from 'express-sid/${kind}'
import { makeRecord } from 'express-sid/testing'
const store = ${kind}Store(client)
const record = makeRecord({ expiresAt: Date.now() + 60_000 })
await store.insert(record)
assert.equal((await store.get(record.id)).userId, record.userId)
assert.equal(await store.update({ ...record, version: 2, data: { a: 1 } }, 1), 'ok')
assert.equal((await store.listByUser(record.userId))[0].data.a, 1)
assert.equal(await store.delete(record.id), true)
assert.equal(await store.get(record.id), undefined)
process.exit(0)`,
  )
  const env = {
    REDIS_URL: 'redis://127.0.0.1:6379',
    POSTGRES_URL: 'postgres://postgres@127.0.0.1:5432/test',
    MYSQL_URL: 'mysql://root@127.0.0.1:3306/test',
    ...process.env,
  }
  run(process.execPath, [file], { env, timeout: 60_000 })
}

function pageOf({ nodes: ofNodes, compilers: ofCompilers, drivers: ofDrivers }) {
  const mark = (isFine) => (isFine ? 'yes' : '**no**')
  const line = (...cells) => `| ${cells.join(' | ')} |`
  return `# What it runs on

This page is written by \`scripts/support.js\`, which installs the packed package beside each version and uses it. \`.ci/run\`
does so before a change lands.

## Node.js and Express

A login, a guarded page and a logout over HTTP.

${line('Node', ...expresses.map((version) => `Express ${version}`))}
${line('---', ...expresses.map(() => '---'))}
${ofNodes.map(([node, cells]) => line(node, ...cells.map(mark))).join('\n')}

The whole test suite runs on Node 20, 24 and 26, and on Express 4 and 5.

## TypeScript

An app that is typed strictly compiles.

${line('TypeScript', 'compiles')}
${line('---', '---')}
${ofCompilers.map(([version, isFine]) => line(version, mark(isFine))).join('\n')}

## Drivers

A session is inserted, found, listed, changed and ended, on a real server.

${line('driver', 'version', 'works')}
${line('---', '---', '---')}
${ofDrivers.map(([name, version, isFine]) => line(`\`${name}\``, version, mark(isFine))).join('\n')}

The test suite runs the contract of stores with the newest version of each, with better-sqlite3 and with \`node:sqlite\`.
`
}
