/** The real parts that some tests need; see probe.js for how each is found and how to get it. */
export type Part =
  | 'redis'
  | 'postgres'
  | 'mysql'
  | 'redis-server'
  | 'postgres-bin'
  | 'mysql-bin'
  | 'chromium'
  | 'prometheus'
  | 'better-sqlite3'
  | 'node24'
  | 'openssl'
  | 'registry'

const missing = new Set((process.env.SID_MISSING ?? '').split(','))

/** Whether all of these parts are here. */
export function has(...parts: Part[]): boolean {
  return !parts.some((part) => missing.has(part))
}

/** `describe`, or `describe.skip` where one of the parts is missing; probe.js has said so loudly. */
export function needs(...parts: Part[]): jest.Describe {
  return has(...parts) ? describe : describe.skip
}

/** Where the servers are, as probe.js set it. */
export const urls = {
  redis: process.env.REDIS_URL ?? '',
  postgres: process.env.POSTGRES_URL ?? '',
  mysql: process.env.MYSQL_URL ?? '',
}
