import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  login,
  logout,
  memoryStore,
  requireUser,
  SessionError,
  type SessionErrorCode,
  type SessionEvents,
} from 'express-sid'
import { deviceRoutes } from 'express-sid/devices'
import { mysqlStore } from 'express-sid/mysql'
import { nearCache } from 'express-sid/near-cache'
import { postgresStore } from 'express-sid/postgres'
import { redisStore } from 'express-sid/redis'
import { sqliteStore } from 'express-sid/sqlite'
import { readText, root } from './support/page.js'

// docs/reference.md is made from the doc comments of the public types. Here: it is up to date, and nothing is missing.

const page = readText('docs/reference.md')

/** The members that the page lists for a type: their signatures, such as `maxSessions?: number | undefined`. */
function membersOf(name: string): string[] {
  const [, section] = page.split(`\n### ${name}\n`)
  const lines = section!.split('\n## ')[0]!.split('\n### ')[0]!.split('\n')
  return lines.flatMap((line, at) => {
    if (!line.startsWith('- `')) return []
    return [line === '- ```ts' ? lines[at + 1]!.trim() : line.slice(3, -1)]
  })
}

const namesOf = (type: string) => membersOf(type).map((signature) => /^\w+/.exec(signature)![0])

test('the page says what the doc comments of the source say', async () => {
  const run = promisify(execFile)(process.execPath, [join(root, 'scripts/reference.js'), '--check'])
  const said = await run.then(
    () => 'up to date',
    (error: { stderr: string }) => error.stderr,
  )
  expect(said).toBe('up to date')
}, 60_000)

const { exports } = JSON.parse(readText('package.json')) as { exports: object }
const entries = Object.keys(exports).filter((path) => path !== './package.json')

test.each(entries.map((path) => path.replace('.', 'express-sid')))(
  'every name that %s exports is on the page',
  async (entry) => {
    const names = Object.keys((await import(entry)) as object).filter((name) => !name.startsWith('__'))
    expect(names).not.toEqual([])
    for (const name of names) expect(page).toContain(`\n### ${name}\n`)
  },
)

test('every name on the page says what it is, before its members', () => {
  const sections = page.split('\n### ').slice(1)
  const silent = sections.filter((section) => {
    const [, afterSignature = ''] = section.split('\n```\n')
    return !/^\s*[A-Z`_*[]/.test(afterSignature)
  })
  expect(sections.length).toBeGreaterThan(30)
  expect(silent.map((section) => section.split('\n')[0])).toEqual([])
})

// These two lists are checked by the compiler: a code or an event that is missing here is a type error.
const statuses: Record<SessionErrorCode, number> = {
  OPTION_INVALID: 500,
  MIDDLEWARE_MISSING: 500,
  USER_INVALID: 500,
  USER_LOAD_FAILED: 503,
  DATA_INVALID: 500,
  DATA_TOO_LARGE: 413,
  SESSION_ENDED: 401,
  SECRET_REUSED: 401,
  BINDING_REQUIRED: 401,
  BINDING_UNAVAILABLE: 503,
  UNBOUND: 403,
  HEADERS_SENT: 500,
  STORE_FAILED: 503,
  STORE_TIMEOUT: 503,
  STORE_BUSY: 503,
  STORE_FULL: 503,
  RECORD_DAMAGED: 503,
  CONFLICT: 503,
  USER_CHANGED: 503,
  SESSIONS_FULL: 403,
  ACT_AS_REFUSED: 403,
  ACTING: 403,
  NOT_ACTING: 409,
  CLOSED: 503,
  UNSUPPORTED: 501,
  CROSS_ORIGIN: 403,
  BEARER_REFUSED: 400,
  LOGOUT_TOKEN_INVALID: 400,
  UNAUTHENTICATED: 401,
  REAUTHENTICATION_REQUIRED: 401,
  OTHER_USER: 403,
  SESSION_REFUSED: 401,
}
const events: Record<keyof SessionEvents, true> = {
  event: true,
  login: true,
  adopt: true,
  logout: true,
  revoke: true,
  expire: true,
  loginRefused: true,
  clientChange: true,
  credentialsChanged: true,
  actAs: true,
  stopActing: true,
  actAsRefused: true,
  rotate: true,
  rotationUnused: true,
  reuse: true,
  bind: true,
  stale: true,
  storeError: true,
  unawaited: true,
}

test('every error code is on the page, with its status, and no other', () => {
  const listed = membersOf('SessionErrorCode').map((signature) => signature.split(': '))
  expect(Object.fromEntries(listed.map(([code, status]) => [code, Number(status)]))).toEqual(statuses)
  for (const [code, status] of Object.entries(statuses)) {
    expect(new SessionError(code as SessionErrorCode, '').status).toBe(status)
  }
})

test('every event is on the page, and no other', () => {
  expect(namesOf('SessionEvents').toSorted()).toEqual(Object.keys(events).toSorted())
})

const misspelt = { zebra: 1 } as object
const client = { query: () => undefined } as never

test.each([
  ['LoginOptions', () => login(() => undefined, misspelt)],
  ['LogoutOptions', () => logout(misspelt)],
  ['RequireUserOptions', () => requireUser(misspelt)],
  ['DeviceRoutesOptions', () => deviceRoutes(misspelt)],
  ['DeviceTexts', () => deviceRoutes({ texts: misspelt })],
  ['MemoryStoreOptions', () => memoryStore(misspelt)],
  ['SqliteStoreOptions', () => sqliteStore(client, misspelt)],
  ['RedisStoreOptions', () => redisStore(client, misspelt)],
  ['PostgresStoreOptions', () => postgresStore(client, misspelt)],
  ['MysqlStoreOptions', () => mysqlStore(client, misspelt)],
  ['NearCacheOptions', () => nearCache(client, misspelt)],
])('every option of %s is on the page, and no other', (type, make) => {
  expect(make).toThrow(SessionError)
  let options: string[] = []
  try {
    make()
  } catch (error) {
    options = /Its options are (.*?)\. See /.exec((error as Error).message)![1]!.split(', ')
  }
  expect(namesOf(type).toSorted()).toEqual(options.toSorted())
})
