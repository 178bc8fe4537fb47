import { CliError } from '../io.js'
import { openMysql } from './mysql.js'
import { openPostgres } from './postgres.js'
import { openRedis } from './redis.js'
import { openSqlite } from './sqlite.js'
import type { OpenedStore, OpenOptions, StoreAddress } from './opened.js'

export type { OpenedStore, OpenOptions } from './opened.js'

const openers: Record<
  string,
  (address: StoreAddress, cwd: string, options: OpenOptions) => OpenedStore | Promise<OpenedStore>
> = {
  sqlite: openSqlite,
  file: openSqlite,
  redis: openRedis,
  rediss: openRedis,
  valkey: openRedis,
  postgres: openPostgres,
  postgresql: openPostgres,
  mysql: openMysql,
  mariadb: openMysql,
}

/**
 * Opens the store at an address, through the drivers that the app has installed.
 *
 * @throws CliError for an address that is none, without the address: it may hold a password.
 */
export async function openStore(text: string, cwd: string, options: OpenOptions = {}): Promise<OpenedStore> {
  const scheme = /^([a-z]+):/i.exec(text)?.[1]?.toLowerCase() ?? ''
  const open = openers[scheme]
  if (open === undefined) {
    throw new CliError(
      'BAD_ADDRESS',
      `This is no address of a store. It begins with sqlite:, redis://, rediss://, postgres:// or mysql://.`,
    )
  }
  return open(parseAddress(text), cwd, options)
}

const ours = ['table', 'schema', 'prefix', 'cluster']

function parseAddress(text: string): StoreAddress {
  const at = text.indexOf('?')
  const query = new URLSearchParams(at === -1 ? '' : text.slice(at + 1))
  const option = (name: string) => query.get(name) ?? undefined
  const [table, schema, prefix, cluster] = ours.map(option)
  for (const name of ours) query.delete(name)
  const base = at === -1 ? text : text.slice(0, at)
  const url = query.size === 0 ? base : `${base}?${query.toString()}`
  return { url, table, schema, prefix, isCluster: cluster === 'true' || cluster === '' }
}
