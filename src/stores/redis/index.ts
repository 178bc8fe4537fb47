import { randomBytes } from 'node:crypto'
import { SessionError } from '../../errors.js'
import { decodeRecord, encodeRecord, type SessionRecord } from '../../record.js'
import { unknownNames } from '../../lib/did-you-mean.js'
import type { SessionStore, UpdateResult } from '../../store.js'
import { connectionOf, type Command, type Connection, type RedisClient } from './client.js'
import { LIST, REMOVE, REPLACE } from './scripts.js'

export type { RedisClient } from './client.js'

export interface RedisStoreOptions {
  /**
   * What every key begins with: sessions are `sid:session:<id>`, indexes `sid:user:<user id>`. Without braces,
   * which Redis Cluster would take for a hash tag and keep all sessions on one server. Default `sid:`.
   */
  prefix?: string | undefined
  /**
   * Acknowledges a login, logout or revocation only when so many replicas have it too, and fails when they
   * have not after `timeout` milliseconds (https://redis.io/docs/latest/commands/wait/). Everything else on the
   * same connection waits as well, so `timeout` should be well below `storeTimeout`. Default: the primary's
   * word is enough.
   */
  wait?: { readonly replicas: number; readonly timeout: number } | undefined
}

/** Redis forgets a record this long after its deadline: clocks of nodes differ, and the core alone decides. */
const GRACE_MS = 60_000

/** A login writes its index, then its record. So long an id may be listed whose record is not there yet. */
const UNDER_WAY_MS = 3_600_000

/** While a Cluster is resharded its servers disagree for a moment, and a key is asked for here and there. */
const MAX_MOVES = 10

/**
 * Keeps sessions in Redis 5 or later, or in Valkey: one server, Sentinel or Cluster. The client is the
 * application's: it is never connected or closed here. Where nobody listens to its `error` events, an empty
 * listener is added, since Node would end the process at the first one.
 *
 * The server must not evict (`maxmemory-policy noeviction`): with any other policy a full server drops logins.
 *
 * @throws SessionError OPTION_INVALID for a client or an option that can't be used.
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): SessionStore {
  const { prefix, wait } = checkOptions(options)
  const redis = connectionOf(client)
  const write = writer(redis, wait)
  const keyOf = (id: string) => `${prefix}session:${keyPart(id)}`
  const indexOf = (userId: string) => `${prefix}user:${keyPart(userId)}`

  const get = async (id: string) => decode(id, await redis.send(keyOf(id), ['get', keyOf(id)]))

  const getMany = async (ids: readonly string[]) => {
    const [first] = ids
    if (first === undefined) return []
    const replies = (await redis.send(keyOf(first), ['mget', ...ids.map(keyOf)])) as unknown[]
    return ids.map((id, at) => decode(id, replies[at]))
  }

  /** In the background: an index may hold ids without a record, and its server must not hold up a logout. */
  const unlist = (userId: string, ids: readonly string[]) => {
    const index = indexOf(userId)
    if (ids.length > 0) redis.send(index, ['zrem', index, ...ids]).catch(() => undefined)
  }

  return {
    async insert(record) {
      const key = keyOf(record.id)
      const value = encode(record)
      if (record.userId !== undefined) {
        const index = indexOf(record.userId)
        await write(index, ['eval', LIST, '1', index, ...listing(record)])
      }
      if (text(await write(key, ['set', key, value, 'PX', timeToLive(record.expiresAt), 'NX'])) === 'OK')
        return
      // A client that reconnects may send a command again whose answer it has missed. The second time, `wait`
      // has nothing to wait for, so that proves nothing.
      if (wait === undefined && text(await redis.send(key, ['get', key])) === value) return
      throw new SessionError('STORE_FAILED', `There is a session ${record.id} already. Insert each id once.`)
    },

    get,

    // In a Cluster one question would be one for each id anyway, and one server's failure that of all.
    ...(redis.isCluster ? {} : { getMany }),

    async update(record, ifVersion) {
      const key = keyOf(record.id)
      const args = [`${ifVersion}.`, encode(record), timeToLive(record.expiresAt)]
      return text(await redis.send(key, ['eval', REPLACE, '1', key, ...args])) as UpdateResult
    },

    async delete(id) {
      const key = keyOf(id)
      const held = decode(id, await write(key, ['eval', REMOVE, '1', key]))
      if (held?.userId !== undefined) unlist(held.userId, [id])
      return held !== undefined
    },

    async listByUser(userId) {
      const index = indexOf(userId)
      const ids = ((await redis.send(index, ['zrange', index, '0', '-1'])) as unknown[]).map(String)
      const records = await (redis.isCluster ? Promise.all(ids.map(get)) : getMany(ids))
      unlist(
        userId,
        ids.filter((id, at) => records[at] === undefined && isSettled(id)),
      )
      const found = records.filter((record) => record !== undefined)
      return found.filter((record) => (record.userId ?? userId) === userId)
    },
  }
}

/** How logins and logouts are sent: as they are, or each together with a wait for replicas. */
function writer(redis: Connection, wait: RedisStoreOptions['wait']) {
  if (wait === undefined) return (key: string, command: Command) => redis.send(key, command)
  const { replicas, timeout } = wait
  return async (key: string, command: Command): Promise<unknown> => {
    // WAIT speaks of the writes of its own connection, so both go together.
    const row = [command, ['wait', String(replicas), String(timeout)]]
    const [reply, acknowledged] = await sendRow(redis, key, row)
    if (Number(acknowledged) >= replicas) return reply
    throw new SessionError(
      'STORE_FAILED',
      `${String(acknowledged)} of ${replicas} replicas had the change after ${timeout} ms. It is not ` +
        'acknowledged, and may still take effect. See that the replicas are up and keep pace, or change the option wait.',
    )
  }
}

/** Clients let a row fail whose key has moved to another server. A single command follows it, and shows them the way. */
async function sendRow(redis: Connection, key: string, row: readonly Command[]): Promise<unknown[]> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await redis.sendInRow(key, row)
    } catch (error) {
      if (attempt > MAX_MOVES || !String(error).includes('MOVED ')) throw error
      await redis.send(key, ['exists', key])
    }
  }
}

/**
 * A record as it is kept: `<version>.<mark>:<JSON>`. The version in front is what the script compares; the mark,
 * random for each write, tells this write from any other.
 */
function encode(record: SessionRecord): string {
  return `${record.version}.${randomBytes(9).toString('base64url')}:${encodeRecord(record)}`
}

function decode(id: string, reply: unknown): SessionRecord | undefined {
  const held = text(reply)
  return held === undefined ? undefined : decodeRecord(id, held.slice(held.indexOf(':') + 1))
}

/** A reply as text: a client may be set to answer with buffers. */
function text(reply: unknown): string | undefined {
  return (reply as string | Buffer | null | undefined)?.toString()
}

/** Relative, since the server's clock may be another than ours. */
function timeToLive(deadline: number): string {
  return String(Math.max(1, deadline + GRACE_MS - Date.now()))
}

/** The arguments of the script that lists a session: by its last possible deadline, since the idle one moves. */
function listing({ id, createdAt, absoluteExpiresAt }: SessionRecord): string[] {
  return [String(createdAt - GRACE_MS), String(absoluteExpiresAt), id, timeToLive(absoluteExpiresAt)]
}

/** Whether a session's record is in place, if it ever will be. A UUIDv7 begins with its time. */
function isSettled(id: string): boolean {
  return Number.parseInt(id.slice(0, 13).replace('-', ''), 16) < Date.now() - UNDER_WAY_MS
}

/** Any string as a part of a key: without colons, braces and halves of characters, and no two alike. */
function keyPart(userId: string): string {
  return userId.replaceAll(/[^\w-]/g, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

function checkOptions(options: RedisStoreOptions) {
  unknownNames(options, ['prefix', 'wait'], 'redisStore')
  const { prefix = 'sid:', wait } = options
  if (typeof prefix !== 'string' || !/^[^{}]+$/.test(prefix)) {
    throw new SessionError(
      'OPTION_INVALID',
      "prefix must be a string that is not empty and has no braces, such as 'sid:': " +
        'in a Redis Cluster, braces would put all sessions on one server.',
    )
  }
  if (wait !== undefined && !(isPositive(wait?.replicas) && isPositive(wait.timeout))) {
    throw new SessionError(
      'OPTION_INVALID',
      'wait must have two positive integers: { replicas: 1, timeout: 500 } waits half a second for one replica.',
    )
  }
  return { prefix, wait }
}

function isPositive(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) > 0
}
