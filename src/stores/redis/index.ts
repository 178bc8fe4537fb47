import { detached } from '../../lib/text/detached.js'
import { idTaken } from '../../lib/id-taken.js'
import { isDerivedId } from '../../lib/uuid.js'
import { encodeRecord, type SessionRecord } from '../../record.js'
import type { ScannableStore, SessionStore, UpdateResult } from '../../store.js'
import { endsChannel } from '../ends-channel.js'
import { connectionOf, type Command, type Connection, type RedisClient } from './client.js'
import { openLine, subscriberMaker } from './ends-line.js'
import { decode, encode, keyPart, newMark, text, timeToLive } from './encoding.js'
import { checkedOptions, type RedisStoreOptions } from './options.js'
import { SessionScan } from './scan.js'
import { INSERT, REMOVE, REPLACE } from './scripts.js'
import { listed, UserIndex } from './user-index.js'
import { writer } from './write.js'

export type { RedisClient } from './client.js'
export type { RedisStoreOptions } from './options.js'

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
export function redisStore(client: RedisClient, options: RedisStoreOptions = {}): ScannableStore {
  const { prefix, wait, heardEverywhere } = checkedOptions(options)
  const redis = connectionOf(client)
  const write = writer(redis, wait)
  const index = new UserIndex(redis, prefix)
  const sessions = new SessionScan(redis, `${prefix}session:`)
  const channel = heardEverywhere === false ? undefined : `${prefix}ended`
  // A copy: while the server is away, the client's queue must not keep whole Cookie headers.
  const keyOf = (id: string) => detached(`${prefix}session:${keyPart(id)}`)

  /** A script on a record. On one server it lists the session too; a Cluster may have the index elsewhere. */
  const onRecord = (script: string, record: SessionRecord, ...args: readonly string[]): Command => {
    const { id, userId } = record
    const keys = [keyOf(id), ...(redis.isCluster || userId === undefined ? [] : [index.keyOf(userId)])]
    return ['eval', script, String(keys.length), ...keys, ...args, ...listed(record)]
  }

  const get = async (id: string) => decode(id, await redis.send(keyOf(id), ['get', keyOf(id)]))

  const getMany = async (ids: readonly string[]) => {
    const [first] = ids
    if (first === undefined) return []
    const replies = (await redis.send(keyOf(first), ['mget', ...ids.map(keyOf)])) as unknown[]
    return ids.map((id, at) => decode(id, replies[at]))
  }

  const getAll = (ids: readonly string[]) => (redis.isCluster ? Promise.all(ids.map(get)) : getMany(ids))

  /** The records that belong to the ids of an index, which may hold ids of ended sessions as well. */
  const recordsOf = async (userId: string, ids: readonly string[]): Promise<SessionRecord[]> => {
    const records = await getAll(ids)
    index.unlistDead(userId, ids, records)
    const found = records.filter((record) => record !== undefined)
    return found.filter((record) => (record.userId ?? userId) === userId)
  }

  return {
    async insert(record) {
      const { userId } = record
      if (redis.isCluster && userId !== undefined) {
        await write(index.keyOf(userId), index.listing({ ...record, userId }))
      }
      const mark = newMark()
      const args = [mark, encode(record, mark), timeToLive(record.expiresAt)]
      const reply = text(await write(keyOf(record.id), onRecord(INSERT, record, ...args)))
      // Sent twice, it is done. With `wait` that is no proof, since the second WAIT had no write to wait for.
      const isKept = reply === 'ok' || (reply === 'again' && wait === undefined)
      if (!isKept) throw idTaken(record.id)
      // Between its two writes, a node with a wrong clock may have taken the login for one that failed.
      if (redis.isCluster) index.listAgain(record)
    },

    get,

    // In a Cluster one question would become one for each id anyway, and one server's failure would fail them all.
    ...(redis.isCluster ? {} : { getMany }),

    async update(record, ifVersion) {
      const content = [String(record.version), encodeRecord(record), timeToLive(record.expiresAt)]
      const told = channel !== undefined && record.endedBy !== undefined ? [channel] : []
      const command = [...onRecord(REPLACE, record, String(ifVersion), newMark(), ...content), ...told]
      const result = text(await redis.send(keyOf(record.id), command)) as UpdateResult
      if (redis.isCluster && result === 'ok') index.listAgain(record)
      return result
    },

    async delete(id) {
      const key = keyOf(id)
      const held = decode(
        id,
        await write(key, [
          'eval',
          REMOVE,
          '1',
          key,
          ...(channel === undefined ? [] : [channel, detached(id)]),
        ]),
      )
      if (held?.userId !== undefined) index.unlist(held.userId, [id])
      return held !== undefined
    },

    ...(heardEverywhere !== false && hearing(client, redis, `${prefix}ended`, heardEverywhere)),

    listByUser: async (userId) => recordsOf(userId, await index.all(userId)),

    async pageByUser(userId, limit, after) {
      const { ids, next } = await index.page(userId, limit, after)
      return { records: await recordsOf(userId, ids), next }
    },

    async scan(limit, after) {
      const { ids, next } = await sessions.page(limit, after)
      return { records: (await getAll(ids)).filter((record) => record !== undefined), next }
    },

    // Redis forgets by itself what has expired, a minute after.
    count: async () => [...(await sessions.all())].filter((id) => !isDerivedId(id)).length,
  }
}

/** The method `hearEnds`. A client that can't listen is refused here, at the start. */
function hearing(
  client: RedisClient,
  redis: Connection,
  channel: string,
  given: true | (() => RedisClient),
): Pick<SessionStore, 'hearEnds'> {
  const make = subscriberMaker(client, redis.isCluster, given)
  return {
    hearEnds: (listener) => endsChannel((events) => openLine(make, redis, channel, events), listener),
  }
}
