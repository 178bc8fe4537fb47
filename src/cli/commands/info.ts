import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from '../context.js'
import type { Result } from '../io.js'
import { version } from '../version.js'
import { versionOf } from '../stores/driver.js'
import type { StoreOption } from './sessions.js'

const packages = [
  'express-sid',
  'express',
  'typescript',
  'passport',
  'express-session',
  'helmet',
  'better-sqlite3',
  'libsql',
  'redis',
  'ioredis',
  'iovalkey',
  'pg',
  'mysql2',
]

/** The variables whose values tell nothing private. Of all others only the names of ours are told. */
const plain = ['NODE_ENV', 'NODE_DEBUG']

/** What a bug report needs. There are no addresses, names, ids or secrets in it. */
export async function info(context: Context, options: StoreOption): Promise<Result> {
  const { io } = context
  const installed = packages.map((name) => [name, versionOf(io.cwd, name)] as const)
  const json = {
    'express-sid': version,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    packages: Object.fromEntries(installed.filter(([, found]) => found !== undefined)),
    typescript: existsSync(join(io.cwd, 'tsconfig.json')),
    environment: {
      ...Object.fromEntries(plain.map((name) => [name, io.env[name] ?? null])),
      set: Object.keys(io.env).filter((name) => name.startsWith('EXPRESS_SID_')),
    },
    store: await storeInfo(context, options),
  }
  return { json, lines: JSON.stringify(json, null, 2).split('\n') }
}

async function storeInfo(context: Context, { store }: StoreOption): Promise<object | null> {
  if (store === undefined && context.io.env.EXPRESS_SID_STORE === undefined) return null
  const opened = await context.store(store, 'store', 'EXPRESS_SID_STORE')
  const { server, schema, findings } = await opened.facts()
  return {
    kind: opened.kind,
    driver: opened.driver,
    server,
    schema: schema ?? null,
    sessions: await Promise.resolve(opened.store.count(Date.now())).catch(() => null),
    findings: findings.map(({ id }) => id),
  }
}
