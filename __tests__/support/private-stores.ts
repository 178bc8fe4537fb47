import { Client } from 'pg'
import { MysqlServer } from './mysql-server.js'
import { has } from './needs.js'
import { createPostgres } from './postgres-server.js'
import { RedisServer } from './redis-servers.js'
import { isWide, widely } from './wide.js'

/** A server of a test's own, to do to it what happens to servers. */
export interface PrivateServer {
  /** The stores on it, as `openStore` names them. */
  readonly stores: readonly string[]
  /** Ends it at once, as a crash does. */
  kill(): Promise<void>
  /** Starts it again, with what it has on disk. */
  restart(): Promise<void>
  /** It keeps its connections and answers nothing, until `resume`. */
  pause(): Promise<void> | void
  resume(): void
  /** Whether it refuses writes. */
  setReadOnly(isReadOnly: boolean): Promise<unknown>
  remove(): Promise<void>
}

/** One of each kind that this machine can run, or of the two that this run takes. */
export async function startPrivateServers(): Promise<PrivateServer[]> {
  return Promise.all([
    ...(has('redis-server') ? [startRedis()] : []),
    ...(has('postgres-bin') ? [startPostgres()] : []),
    ...(has('mysql-bin') && isWide ? [startMysql()] : []),
  ])
}

async function startRedis(): Promise<PrivateServer> {
  // Without `always`, a crash may lose the last second.
  const server = await RedisServer.start(['--appendonly', 'yes', '--appendfsync', 'always'])
  return {
    stores: widely([`redis:one:@${server.url}`, `ioredis:two:@${server.url}`], (name) =>
      name.startsWith('redis'),
    ),
    kill: () => server.kill(),
    restart: () => server.restart(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    // As a primary that was demoted: it follows another one, which is not there.
    setReadOnly: (isReadOnly) =>
      server.ask('replicaof', ...(isReadOnly ? ['127.0.0.1', '1'] : ['no', 'one'])),
    remove: () => server.remove(),
  }
}

async function startPostgres(): Promise<PrivateServer> {
  const server = await createPostgres()
  await server.start()
  const { host, port, user, database } = server.config
  return {
    stores: [`postgres:sessions@postgres://${user}@${host}:${port}/${String(database)}`],
    kill: () => server.kill(),
    restart: () => server.start(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    async setReadOnly(isReadOnly) {
      const client = new Client(server.config)
      await client.connect()
      await client.query(`ALTER SYSTEM SET default_transaction_read_only = ${isReadOnly ? 'on' : 'off'}`)
      await client.query('SELECT pg_reload_conf()')
      await client.end()
    },
    remove: () => server.remove(),
  }
}

async function startMysql(): Promise<PrivateServer> {
  const server = await MysqlServer.start()
  return {
    stores: [`mysql:sessions@${server.url}`],
    kill: () => server.kill(),
    restart: () => server.restart(),
    pause: () => server.pause(),
    resume: () => server.resume(),
    setReadOnly: (isReadOnly) => server.ask(`SET GLOBAL read_only = ${isReadOnly ? 1 : 0}`),
    remove: () => server.remove(),
  }
}
