import { idTaken } from '../../lib/id-taken.js'
import { idTime } from '../../lib/uuid.js'
import type { SessionRecord } from '../../record.js'
import type { ListingStore, UpdateResult } from '../../store.js'
import { connectionOf, type RedisClient } from './client.js'
import { decode, encode, GRACE_MS, keyPart, text, timeToLive } from './encoding.js'
import { checkedOptions, type RedisStoreOptions } from './options.js'
import { LIST, REMOVE, REPLACE } from './scripts.js'
import { writer } from './write.js'

export type { RedisClient } from './client.js'
export type { RedisStoreOptions } from './options.js'

/** A login writes its index, then its record. For so long an id may be listed whose record is not there yet. */
const UNDER_WAY_MS = 3_600_000

/**
 * Keeps sessions in Redis 5 or later, or in Valkey: one server, Sentinel or Cluster. The client is the
 * application's: it is never connected or closed here. If it has no listener for `error` events, an empty one is
 * added, since Node would end the process at the first such event.
 *
 * The server must not evict (`maxmemory-policy noeviction`): with any other policy a full server drops logins.
 *
 * @throws SessionError OPTION_INVALID for a client or an option that can't be used.
 * @example sessionMiddleware({ store: redisStore(await createClient({ url }).connect()) })
 */
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): ListingStore {
  const { prefix, wait } = checkedOptions(options)
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

  /** Not awaited: an entry without a record does no harm, and the index's server must not hold up a logout. */
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
      const reply = await write(key, ['set', key, value, 'PX', timeToLive(record.expiresAt), 'NX'])
      if (text(reply) === 'OK') return
      // A client that reconnects sends a command again if it missed the reply: then the record is this very one.
      // With `wait` that proves nothing, since the second WAIT had no write to wait for.
      if (wait === undefined && text(await redis.send(key, ['get', key])) === value) return
      throw idTaken(record.id)
    },

    get,

    // In a Cluster one question would become one for each id anyway, and one server's failure would fail them all.
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

/** The arguments of the script that lists a session: by its last possible deadline, since the idle one moves. */
function listing({ id, createdAt, absoluteExpiresAt }: SessionRecord): string[] {
  return [String(createdAt - GRACE_MS), String(absoluteExpiresAt), id, timeToLive(absoluteExpiresAt)]
}

/** Whether the login that made this id must be over by now, so that its record is there or never will be. */
function isSettled(id: string): boolean {
  return idTime(id) < Date.now() - UNDER_WAY_MS
}
