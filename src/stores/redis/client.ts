import { listenForErrors, type ErrorEmitter } from '../../lib/error-listener.js'
import { invalid } from '../../lib/options/invalid.js'

/**
 * A connected client of `redis` (node-redis 4 or later: client, pool, Cluster or Sentinel), of `ioredis`
 * (5 or later) or of `iovalkey` (Redis, Cluster or Sentinel). Both families have these methods, with different
 * arguments; the store finds out which family it was given.
 */
export interface RedisClient {
  sendCommand(...args: never[]): unknown
  multi(...args: never[]): unknown
}

/** A command as Redis reads it. In lower case: some ioredis versions know the keys of a command only then. */
export type Command = readonly string[]

/** What the store needs of a client, and what every one of them can do. */
export interface Connection {
  /** Whether keys live on several primaries. */
  readonly isCluster: boolean
  /** What the client puts before each key by itself, so that it is not in our keys. */
  readonly keyPrefix: string
  /** Sends one command to the primary that holds `key`. */
  send(key: string, command: Command): Promise<unknown>
  /** The primaries, each with an address and a way to ask it: more than one in a Cluster. */
  primaries(): Promise<readonly Primary[]>
  /** Sends commands to the primary that holds `key`, one after another over one connection. */
  sendInRow(key: string, commands: readonly Command[]): Promise<unknown[]>
}

/** One server of those that hold the keys. */
export interface Primary {
  readonly address: string
  send(command: Command): Promise<unknown>
}

interface Ioredis extends RedisClient {
  call(...command: Command): Promise<unknown>
  pipeline(commands: readonly Command[]): { exec(): Promise<[Error | null, unknown][] | null> }
  isCluster?: boolean
  nodes?(role: 'master'): Ioredis[]
  options?: { scaleReads?: unknown; keyPrefix?: string | Buffer; host?: string; port?: number }
}

interface Batch {
  addCommand(...args: unknown[]): unknown
  execAsPipeline(): Promise<unknown[]>
}

interface NodeRedis extends RedisClient, ErrorEmitter {
  sendCommand(...args: unknown[]): Promise<unknown>
  multi(): Batch
  masters?: { readonly address: string }[]
  nodeClient?(node: { readonly address: string }): NodeRedis | Promise<NodeRedis>
  options?: { legacyMode?: unknown }
}

/**
 * One way to call any of these clients.
 *
 * @throws SessionError OPTION_INVALID for anything else, and for a client that reads from replicas.
 * @example await connectionOf(client).send(key, ['get', key])
 */
export function connectionOf(client: RedisClient): Connection {
  if (isIoredis(client)) return ofIoredis(client)
  if (isNodeRedis(client)) return ofNodeRedis(client)
  throw invalid(
    'redisStore() takes a connected client of redis (4 or later), ioredis (5 or later) or iovalkey: ' +
      'redisStore(await createClient().connect()) or redisStore(new Redis()). ' +
      'A URL, a promise of a client, or a client with callbacks (legacy mode) is refused.',
  )
}

function isIoredis(client: RedisClient | undefined): client is Ioredis {
  const { call, pipeline } = (client ?? {}) as Partial<Ioredis>
  return typeof call === 'function' && typeof pipeline === 'function'
}

function isNodeRedis(client: RedisClient | undefined): client is NodeRedis {
  const given = (client ?? {}) as Partial<NodeRedis>
  if (typeof given.sendCommand !== 'function' || typeof given.multi !== 'function') return false
  // Clients with callbacks have both methods too, and would return nothing for every command.
  return !given.options?.legacyMode && typeof given.multi().execAsPipeline === 'function'
}

function ofIoredis(client: Ioredis): Connection {
  const { scaleReads = 'master' } = client.options ?? {}
  if (client.isCluster && scaleReads !== 'master') {
    throw invalid(
      'redisStore() needs a Cluster client that reads from primaries, without the option scaleReads: ' +
        'a replica may still show a session that was logged out.',
    )
  }
  const sendInRow = async (_key: string, commands: readonly Command[]) => {
    const replies = (await client.pipeline(commands).exec()) ?? []
    return replies.map(([error, reply]) => {
      if (error) throw error
      return reply
    })
  }
  return {
    isCluster: client.isCluster === true,
    keyPrefix: String(client.options?.keyPrefix ?? ''),
    async send(key, command) {
      // Auto-pipelining of iovalkey reads the first argument of any command as its key. That of `eval` is a script.
      if (command[0] === 'eval') return (await sendInRow(key, [command]))[0]
      return client.call(...command)
    },
    sendInRow,
    async primaries() {
      const nodes = client.isCluster ? client.nodes!('master') : [client]
      return nodes.map((node) => ({
        address: `${node.options?.host}:${node.options?.port}`,
        send: async (command) => node.call(...command),
      }))
    },
  }
}

function ofNodeRedis(client: NodeRedis): Connection {
  // ioredis needs none: it emits `error` only to listeners, and prints it where there are none.
  listenForErrors(client)
  const isCluster = 'masters' in client
  const isReadonly = false
  const before = (key: string) =>
    isCluster ? [key, isReadonly] : 'getMasterNode' in client ? [isReadonly] : []
  return {
    isCluster,
    keyPrefix: '',
    send: (key, command) => client.sendCommand(...before(key), command),
    async primaries() {
      if (!isCluster) return [{ address: '', send: (command) => client.sendCommand(...before(''), command) }]
      return Promise.all(
        client.masters!.map(async (master) => {
          const node = await client.nodeClient!(master)
          return { address: master.address, send: (command: Command) => node.sendCommand(command) }
        }),
      )
    },
    sendInRow(key, commands) {
      const batch = client.multi()
      // The batch of a Cluster takes (key, isReadonly, command, transform), that of version 4 no isReadonly.
      const first = isCluster && batch.addCommand.length === 3 ? [key] : before(key)
      for (const command of commands) batch.addCommand(...first, command)
      return batch.execAsPipeline()
    },
  }
}
