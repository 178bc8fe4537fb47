import { randomUUID } from 'node:crypto'
import { Cluster, Redis } from 'ioredis'
import { createClient, createClientPool, createCluster, createSentinel, RESP_TYPES } from 'redis'
import type { RedisClient } from '../../src/stores/redis/index.js'

/** A client with its way to go, and the way to say anything to the server: what tests need of each kind. */
export interface OpenClient {
  readonly client: RedisClient
  readonly close: () => unknown
}

export type OpenRedis = (url: string) => Promise<OpenClient>

/** Every kind of client for one server, by name. */
export const kinds: Record<string, OpenRedis> = {
  'node-redis': async (url) => {
    const client = await createClient({ url }).connect()
    return { client, close: () => client.destroy() }
  },
  'node-redis with buffers for texts and texts for numbers': async (url) => {
    const { BLOB_STRING, NUMBER, SIMPLE_STRING } = RESP_TYPES
    const typeMapping = { [BLOB_STRING]: Buffer, [SIMPLE_STRING]: Buffer, [NUMBER]: String }
    const client = await createClient({ url, commandOptions: { typeMapping } }).connect()
    return { client, close: () => client.destroy() }
  },
  'a pool of node-redis': async (url) => {
    const client = createClientPool({ url })
    await client.connect()
    return { client, close: () => client.destroy() }
  },
  ioredis: async (url) => {
    const client = new Redis(url)
    return { client, close: () => client.disconnect() }
  },
  'ioredis with keyPrefix and auto-pipelining': async (url) => {
    const client = new Redis(url, { keyPrefix: 'sid-test-app:', enableAutoPipelining: true })
    return { client, close: () => client.disconnect() }
  },
}

/** Every kind of client for a Cluster. */
export const clusterKinds: Record<string, OpenRedis> = {
  'node-redis': async (url) => {
    const client = await createCluster({ rootNodes: [{ url }] }).connect()
    return { client, close: () => client.destroy() }
  },
  ioredis: async (url) => {
    // Without a listener it prints each failure.
    const client = new Cluster([url]).on('error', () => undefined)
    return { client, close: () => client.disconnect() }
  },
  'ioredis with keyPrefix and auto-pipelining': async (url) => {
    const client = new Cluster([url], { keyPrefix: 'sid-test-app:', enableAutoPipelining: true })
    return { client, close: () => client.disconnect() }
  },
}

/** Every kind of client for Sentinels that watch `main`. */
export const sentinelKinds: Record<string, OpenRedis> = {
  'node-redis': async (url) => {
    const sentinelRootNodes = [{ host: '127.0.0.1', port: Number(new URL(url).port) }]
    const client = await createSentinel({ name: 'main', sentinelRootNodes, reserveClient: true }).connect()
    return { client, close: () => client.destroy() }
  },
  ioredis: async (url) => {
    const sentinels = [{ host: '127.0.0.1', port: Number(new URL(url).port) }]
    const client = new Redis({ name: 'main', sentinels }).on('error', () => undefined)
    return { client, close: () => client.disconnect() }
  },
}

/** A prefix that no other test has. */
export function freshPrefix(): string {
  return `sid-test-${randomUUID()}:`
}

/** Removes the keys that hold `prefix`, wherever in their name. */
export async function dropKeys(url: string, prefix: string): Promise<void> {
  const client = await createClient({ url }).connect()
  for await (const keys of client.scanIterator({ MATCH: `*${prefix}*`, COUNT: 1000 })) {
    if (keys.length > 0) await client.unlink(keys)
  }
  client.destroy()
}
