// Finds out, once before all tests, which of the real parts that some tests need are on this machine.
// A test file asks for one with `needs()`. What is missing is named in one loud line; with SID_REQUIRE=1
// (as in .ci/run) it is a failure instead.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { connect } from 'node:net'

const require = createRequire(import.meta.url)

const answers = (url) =>
  new Promise((resolve) => {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname)
    const done = (up) => {
      socket.destroy()
      resolve(up)
    }
    socket
      .setTimeout(1000, () => done(false))
      .on('connect', () => done(true))
      .on('error', () => done(false))
  })

const onPath = (...names) =>
  names.find((name) => spawnSync('sh', ['-c', `command -v ${name}`], { stdio: 'ignore' }).status === 0)

const installed = (name) => {
  try {
    require(name)
    return true
  } catch {
    return false
  }
}

const postgresBin = () =>
  ['', ...[18, 17, 16, 15, 14].map((v) => `/usr/lib/postgresql/${v}/bin/`)].find((dir) =>
    dir === '' ? onPath('postgres') : existsSync(`${dir}postgres`),
  )

process.env.REDIS_URL ??= 'redis://127.0.0.1:6379'
process.env.POSTGRES_URL ??= 'postgres://postgres@127.0.0.1:5432/test'
process.env.MYSQL_URL ??= 'mysql://root@127.0.0.1:3306/test'

/** @type {Record<string, [() => boolean | Promise<boolean>, string]>} each part: how to find it, how to get it */
const parts = {
  redis: [() => answers(process.env.REDIS_URL), 'a Redis server: apt-get install redis, or set REDIS_URL'],
  postgres: [
    () => answers(process.env.POSTGRES_URL),
    'a PostgreSQL server: apt-get install postgresql, or set POSTGRES_URL',
  ],
  mysql: [
    () => answers(process.env.MYSQL_URL),
    'a MariaDB or MySQL server: apt-get install mariadb-server, or set MYSQL_URL',
  ],
  'redis-server': [
    () => onPath('redis-server') !== undefined,
    'the redis-server program: apt-get install redis',
  ],
  'postgres-bin': [() => postgresBin() !== undefined, 'the postgres program: apt-get install postgresql'],
  'mysql-bin': [
    () => onPath('mariadbd') !== undefined && onPath('mariadb-install-db') !== undefined,
    'the mariadbd program: apt-get install mariadb-server',
  ],
  chromium: [
    () => onPath('chromium', 'chromium-browser', 'google-chrome') !== undefined,
    'a browser: apt-get install chromium',
  ],
  prometheus: [
    () => onPath('prometheus') !== undefined && onPath('promtool') !== undefined,
    'Prometheus: apt-get install prometheus',
  ],
  'better-sqlite3': [
    () => installed('better-sqlite3'),
    'it: npm install --prefix /tmp/peers better-sqlite3, with NODE_PATH=/tmp/peers/node_modules (needs a compiler)',
  ],
  node24: [
    () => existsSync(node24()),
    'Node 24 for node:sqlite: npm install --prefix /tmp/peers node@24, with SID_NODE24=/tmp/peers/node_modules/node/bin/node',
  ],
  openssl: [() => onPath('openssl') !== undefined, 'the openssl program: apt-get install openssl'],
  registry: [registryAnswers, 'npm to answer: be online, for one real `npm install` of the tarball'],
}

// A lone question, and no retries: who is offline shall not wait for it.
function registryAnswers() {
  const question = [
    'view',
    'express',
    'version',
    '--prefer-online',
    '--fetch-retries=0',
    '--fetch-timeout=5000',
  ]
  return spawnSync('npm', question, { stdio: 'ignore', timeout: 10_000 }).status === 0
}

function node24() {
  return process.env.SID_NODE24 ?? new URL('../../node_modules/node/bin/node', import.meta.url).pathname
}

export default async function probe() {
  // Parts that this run does without on purpose, such as an addon that was compiled for another Node.
  const without = (process.env.SID_WITHOUT ?? '').split(',').filter(Boolean)
  const missing = [...without]
  for (const [name, [find, how]] of Object.entries(parts)) {
    if (without.includes(name) || (await find())) continue
    missing.push(name)
    process.stdout.write(`\n### SKIPPED: tests that need "${name}". To run them get ${how} ###`)
  }
  if (process.env.SID_WIDE !== '1' && process.env.SID_LONG !== '1') {
    process.stdout.write(
      '\n### A short run: some rules on a few of the stores and apps. All: npm run test:wide ###\n',
    )
  } else if (missing.length > 0) process.stdout.write('\n')
  process.env.SID_MISSING = missing.join(',')
  const unexpected = missing.filter((name) => !without.includes(name))
  if (unexpected.length > 0 && process.env.SID_REQUIRE === '1') {
    throw new Error(`missing: ${unexpected.join(', ')}`)
  }
}
