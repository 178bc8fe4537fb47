import { invalid } from '../../lib/options/invalid.js'
import type { Line, LineEvents } from '../ends-channel.js'
import type { PostgresPool } from './client.js'

/** A client of `pg` that is not connected yet. */
export interface PostgresListener {
  connect(): Promise<unknown>
  query(text: string, values?: unknown[]): Promise<unknown>
  on(event: string, listener: (...args: never[]) => void): unknown
  end(): Promise<unknown>
  unref?(): void
}

/** What a pool of `pg` makes its clients of; PGlite listens itself. */
type PoolParts = PostgresPool & {
  readonly Client?: new (options: unknown) => PostgresListener
  readonly options?: unknown
  listen?(channel: string, listener: (payload: string) => void): Promise<() => Promise<unknown>>
}

/** Opens a line on a channel. */
export type OpenPostgresLine = (channel: string, events: LineEvents) => Line

/**
 * How lines are opened: by a client of their own, since one that is given back to its pool would no longer listen.
 *
 * @throws SessionError OPTION_INVALID for what is neither a pool of pg nor PGlite, where no function makes a client.
 */
export function lineOpener(pool: PostgresPool, given: true | (() => PostgresListener)): OpenPostgresLine {
  if (given !== true) return (channel, events) => clientLine(given(), channel, events)
  const parts = pool as PoolParts
  const { Client, options } = parts
  if (typeof parts.listen === 'function')
    return (channel, events) => ownLine(parts as Required<PoolParts>, channel, events)
  if (typeof Client === 'function')
    return (channel, events) => clientLine(new Client(options), channel, events)
  throw invalid(
    'postgresStore: heardEverywhere needs a Pool of pg, or PGlite. Give a function that makes a client of pg: ' +
      'heardEverywhere: () => new Client({ connectionString }).',
  )
}

function clientLine(client: PostgresListener, channel: string, { message, lost }: LineEvents): Line {
  // Without a listener, an error would end the process.
  client.on('error', lost)
  client.on('end', lost)
  client.on('notification', ({ payload }: { payload?: string }) => message(payload ?? ''))
  const listen = async () => {
    await client.connect()
    await client.query(`LISTEN "${channel}"`)
    // It must not keep a process alive that has nothing else to do.
    client.unref?.()
  }
  return {
    ready: listen(),
    // By the same connection: so a sign of life shows that it works both ways.
    publish: (text) => client.query('SELECT pg_notify($1, $2)', [channel, text]),
    close: () => client.end(),
  }
}

/** PGlite is in the process: it has one connection, which listens as well. */
function ownLine(database: Required<PoolParts>, channel: string, { message }: LineEvents): Line {
  const listening = database.listen(channel, message)
  return {
    ready: listening,
    publish: (text) => database.query('SELECT pg_notify($1, $2)', [channel, text]),
    close: async () => (await listening)(),
  }
}
