import { redisStore, type RedisClient } from '../../stores/redis/index.js'
import { CliError } from '../io.js'
import { driverOf } from './driver.js'
import {
  replica,
  type OpenedStore,
  type OpenOptions,
  type ServerFacts,
  type StoreAddress,
  type StoreFinding,
} from './opened.js'

interface NodeRedis extends RedisClient {
  connect(): Promise<NodeRedis>
  on(name: 'error', listener: (error: unknown) => void): NodeRedis
  /** From version 5 on. */
  destroy?(): void
  /** Version 4. */
  disconnect?(): Promise<void>
  sendCommand(words: readonly string[]): Promise<unknown>
}

interface NodeRedisModule {
  createClient(options: object): NodeRedis
  createCluster(options: object): NodeRedis
}

interface Ioredis extends RedisClient {
  connect(): Promise<void>
  on(name: 'error', listener: (error: unknown) => void): Ioredis
  disconnect(): void
  call(...words: string[]): Promise<unknown>
}

interface IoredisModule {
  readonly Redis: new (url: string, options: object) => Ioredis
  readonly Cluster: new (nodes: readonly string[], options: object) => Ioredis
}

/** What is needed of either client here. */
interface Connected {
  readonly client: RedisClient
  readonly ask: (...words: string[]) => Promise<unknown>
  readonly close: () => void
}

/** Opens a server or a Cluster: `redis://host:6379/0?prefix=sid:`, `redis://host:7000?cluster=true`. */
export async function openRedis(
  { url: given, prefix, isCluster }: StoreAddress,
  cwd: string,
  _options: OpenOptions,
): Promise<OpenedStore> {
  const { name, module } = driverOf<NodeRedisModule | IoredisModule>(cwd, ['redis', 'ioredis', 'iovalkey'])
  const url = given.replace(/^valkey:/, 'redis:')
  const connected =
    'createClient' in module
      ? await openNodeRedis(module, url, isCluster)
      : await openIoredis(module, url, isCluster)
  return {
    store: redisStore(connected.client, { prefix }),
    kind: 'redis',
    driver: name,
    facts: () => factsOf(connected.ask, isCluster),
    close: connected.close,
  }
}

async function openNodeRedis(module: NodeRedisModule, url: string, isCluster: boolean): Promise<Connected> {
  const socket = { connectTimeout: 10_000, reconnectStrategy: false }
  const make = () =>
    isCluster ? module.createCluster({ rootNodes: [{ url }] }) : module.createClient({ url, socket })
  const client = make().on('error', () => undefined)
  await client.connect().catch(unreachable)
  const single = isCluster ? module.createClient({ url, socket }).on('error', () => undefined) : client
  if (isCluster) await single.connect().catch(unreachable)
  return {
    client,
    ask: (...words) => single.sendCommand(words),
    close() {
      for (const one of new Set([client, single])) {
        if (one.destroy !== undefined) one.destroy()
        else void one.disconnect?.()
      }
    },
  }
}

async function openIoredis(module: IoredisModule, url: string, isCluster: boolean): Promise<Connected> {
  const options = {
    lazyConnect: true,
    connectTimeout: 10_000,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  }
  const single = new module.Redis(url, options).on('error', () => undefined)
  await single.connect().catch(unreachable)
  const client = isCluster ? new module.Cluster([url], {}).on('error', () => undefined) : single
  return {
    client,
    ask: (...words) => single.call(...words),
    close() {
      for (const one of new Set([client, single])) one.disconnect()
    },
  }
}

function unreachable(error: unknown): never {
  throw new CliError('UNREACHABLE', 'The Redis server can not be reached.', { cause: error })
}

async function factsOf(ask: Connected['ask'], isCluster: boolean): Promise<ServerFacts> {
  const info = String(await ask('INFO'))
  const fact = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1]
  const findings: StoreFinding[] = []
  const policy = fact('maxmemory_policy') ?? 'noeviction'
  if (policy !== 'noeviction') {
    const isLimited = Number(fact('maxmemory') ?? 0) > 0
    findings.push({
      id: 'redis-evicts',
      level: isLimited ? 'problem' : 'warning',
      message:
        `maxmemory-policy is ${policy}: ${isLimited ? 'when the memory is full' : 'once maxmemory is set'}, Redis drops ` +
        'sessions, and their users are logged out. Set it to noeviction, and let sessions have a server of their own.',
    })
  }
  if (fact('role') === 'slave') findings.push(replica)
  const server = fact('valkey_version') === undefined ? 'Redis' : 'Valkey'
  const version = fact('valkey_version') ?? fact('redis_version') ?? 'of an unknown version'
  return { server: `${server} ${version}${isCluster ? ', Cluster' : ''}`, findings }
}
