import { invalid } from '../../lib/options/invalid.js'
import type { Line, LineEvents } from '../ends-channel.js'
import type { Connection, RedisClient } from './client.js'

/** What both families have, as far as a line needs it. */
interface Subscriber {
  on(event: string, listener: (...args: never[]) => void): unknown
  connect(): Promise<unknown>
  subscribe(channel: string, listener?: (message: unknown) => void): Promise<unknown>
  duplicate(...options: object[]): Subscriber
  /** node-redis. */
  isOpen?: boolean
  unref?(): void
  destroy?(): unknown
  /** ioredis; node-redis 4. */
  disconnect?(): unknown
  /** ioredis: what state the connection is in. */
  status?: string
  stream?: { unref?(): void }
}

interface Cluster {
  /** ioredis */
  nodes?(role: 'master'): Subscriber[]
  /** node-redis */
  masters?: object[]
  nodeClient?(node: object): Subscriber | Promise<Subscriber>
}

/** Makes the client of a line. */
export type MakeSubscriber = () => Subscriber | Promise<Subscriber>

/**
 * How the clients that listen are made: by the application, or as duplicates of the store's own client. In a Cluster, what
 * is published on one server reaches all of them, so a connection to any primary will do.
 *
 * @throws SessionError OPTION_INVALID for a client that can't be duplicated, such as a pool of node-redis.
 */
export function subscriberMaker(
  client: RedisClient,
  isCluster: boolean,
  given: true | (() => unknown),
): MakeSubscriber {
  if (given !== true) return () => given() as Subscriber
  if (isCluster) return () => fromCluster(client as unknown as Cluster)
  const { duplicate, subscribe } = client as unknown as Partial<Subscriber>
  if (typeof duplicate !== 'function' || typeof subscribe !== 'function') {
    throw invalid(
      'redisStore: heardEverywhere needs a client that can listen, and this one can not: a pool of node-redis has no ' +
        'subscribe. Give a function that makes a client: heardEverywhere: () => createClient({ url }).',
    )
  }
  return () => lone(client as unknown as Subscriber)
}

/** A line is never mended by its client: a new one is opened, and then it is known that something was missed. */
const neverAgain = { lazyConnect: true, enableOfflineQueue: true, retryStrategy: () => null }

/** node-redis knows none of these options, and takes them for nothing. */
function lone(client: Subscriber): Subscriber {
  return isIoredis(client) ? client.duplicate(neverAgain) : client.duplicate()
}

async function fromCluster(cluster: Cluster): Promise<Subscriber> {
  const nodes: unknown[] = cluster.nodes?.('master') ?? cluster.masters ?? []
  const node = nodes[Math.floor(Math.random() * nodes.length)]
  if (node === undefined) throw new Error('the Cluster has no primary that is known')
  return lone(cluster.nodes ? (node as Subscriber) : await cluster.nodeClient!(node as object))
}

const isIoredis = (client: Subscriber): boolean => typeof client.status === 'string'

/**
 * Opens a connection that hears what is published on a channel.
 *
 * @param redis what publishes. So a sign of life shows that both ways work.
 */
export function openLine(make: MakeSubscriber, redis: Connection, channel: string, events: LineEvents): Line {
  let client: Subscriber | undefined
  let isClosed = false
  const subscribe = async () => {
    client = await make()
    if (isClosed) end(client)
    else await listen(client, channel, events)
  }
  return {
    ready: subscribe(),
    publish: (text) => redis.send(channel, ['publish', channel, text]),
    close() {
      isClosed = true
      return client && end(client)
    },
  }
}

async function listen(client: Subscriber, channel: string, { message, lost }: LineEvents): Promise<void> {
  // Without a listener, an error would end the process.
  for (const event of ['error', 'end', 'close']) client.on(event, lost)
  if (isIoredis(client)) {
    client.on('message', (_: string, text: unknown) => message(String(text)))
    if (client.status === 'wait') await client.connect()
    await client.subscribe(channel)
  } else {
    if (client.isOpen !== true) await client.connect()
    await client.subscribe(channel, (text) => message(String(text)))
  }
  // It must not keep a process alive that has nothing else to do.
  if (client.stream?.unref) client.stream.unref()
  else client.unref?.()
}

function end(client: Subscriber): unknown {
  return client.destroy ? client.destroy() : client.disconnect?.()
}
