import { SessionError } from '../../errors.js'
import type { Duration } from '../../lib/options/duration.js'
import { duration, integer } from '../../lib/options/option-kinds.js'
import { ofStore, readOptions } from '../../lib/options/options.js'
import { isPromise, type MaybePromise } from '../../lib/async/promises.js'
import type { SessionRecord } from '../../record.js'
import type { EndsListener, OnRemoved, SessionStore } from '../../store.js'
import { NearRecords } from './near-records.js'

/** The options of `nearCache()`. All are optional; all are checked at start. */
export interface NearCacheOptions {
  /**
   * How old a record may be, counted from the moment the store was asked for it: milliseconds or a text such as
   * `'500ms'`. It is also how long another node's logout may go unnoticed here. Default 1 second.
   */
  readonly maxStaleness?: Duration | undefined
  /** How many records are held at most; the oldest go first. A positive integer. Default 10,000. */
  readonly maxEntries?: number | undefined
}

/** A store that returns from memory what it was asked for a moment ago. It can do what the store behind it can. */
export interface NearCache extends SessionStore {
  /** Forgets everything, also what is being read: call it when you hear that another node ended sessions. */
  clear(): void
}

const nearCacheOptions = {
  maxStaleness: { kind: duration(), default: '1s', doc: 'how old a record may be when it is used' },
  maxEntries: { kind: integer(1), default: 10_000, doc: 'how many records are held at most' },
} as const

/**
 * Holds for a moment the records that `store` returned, so that a very hot session is read from memory.
 *
 * The price: a session that is ended elsewhere may be taken for live here until `maxStaleness` has passed. Elsewhere is
 * another node, and another manager of this process that does not share this near cache. What ends through this one is
 * gone at once. Without this wrapper, which is the default, every request sees every logout.
 *
 * A record is dropped when it is written through this cache. All are dropped when any call to the store fails.
 *
 * @throws SessionError OPTION_INVALID for an option that is unknown or has no usable value.
 * @example sessionMiddleware({ store: nearCache(redisStore(client), { maxStaleness: '500ms' }) })
 */
export function nearCache(store: SessionStore, options: NearCacheOptions = {}): NearCache {
  const { maxStaleness, maxEntries } = readOptions(options, ofStore('nearCache'), nearCacheOptions)
  const near = new NearRecords(maxStaleness, maxEntries)

  /** After a failure this node may have missed what other nodes did, so nothing that is held can be trusted. */
  function ask<T>(send: () => MaybePromise<T>, take: (result: T) => T): MaybePromise<T> {
    const doubt = (error: unknown): never => {
      near.clear()
      throw error
    }
    try {
      const result = send()
      return isPromise(result) ? Promise.resolve(result).then(take).catch(doubt) : take(result)
    } catch (error) {
      return doubt(error)
    }
  }

  /** Drops the records before the write, and again after it: somebody may have read the old ones meanwhile. */
  function write<T>(ids: readonly string[], send: () => MaybePromise<T>): MaybePromise<T> {
    const dropAll = () => ids.forEach((id) => near.drop(id))
    dropAll()
    return ask(send, (result) => {
      dropAll()
      return result
    })
  }

  function getMany(ids: readonly string[]): MaybePromise<(SessionRecord | undefined)[]> {
    const held = ids.map((id) => near.find(id))
    const missing = ids.filter((_, at) => held[at] === undefined)
    if (missing.length === 0) return held
    const places = missing.map((id) => near.reserve(id))
    const take = (found: (SessionRecord | undefined)[]) => {
      if (found.length !== missing.length) throw miscounted(found.length, missing.length)
      const taken = found.map((record, at) => near.settle(missing[at]!, places[at], record)).values()
      return held.map((record) => record ?? taken.next().value)
    }
    return ask(() => store.getMany!(missing), take)
  }

  return {
    insert: (record) => write([record.id], () => store.insert(record)),
    update: (record, ifVersion) => write([record.id], () => store.update(record, ifVersion)),
    delete: (id) => write([id], () => store.delete(id)),
    ...(store.updateMany && {
      updateMany: (updates: Updates) =>
        write(
          updates.map(({ record }) => record.id),
          () => store.updateMany!(updates),
        ),
    }),
    get(id) {
      const held = near.find(id)
      if (held !== undefined) return held
      const place = near.reserve(id)
      return ask(
        () => store.get(id),
        (record) => near.settle(id, place, record),
      )
    },
    getFresh(id) {
      near.drop(id)
      const read = () => (store.getFresh === undefined ? store.get(id) : store.getFresh(id))
      return ask(read, same)
    },
    clear: () => near.clear(),
    ...(store.hearEnds && {
      hearEnds: (listener: EndsListener) =>
        store.hearEnds!({
          alive: () => listener.alive(),
          lost: () => listener.lost(),
          ended(id) {
            near.drop(id)
            listener.ended(id)
          },
        }),
    }),
    atomicUpdates: store.atomicUpdates,
    ...(store.listByUser && {
      listByUser: (userId: string) => ask(() => store.listByUser!(userId), same),
    }),
    ...(store.pageByUser && {
      pageByUser: (userId: string, limit: number, after?: string) =>
        ask(() => store.pageByUser!(userId, limit, after), same),
    }),
    // A tool that goes through the whole store must not fill the memory with it.
    ...(store.scan && {
      scan: (limit: number, after?: string) => ask(() => store.scan!(limit, after), same),
    }),
    ...(store.count && { count: (now: number) => ask(() => store.count!(now), same) }),
    ...(store.getMany && { getMany }),
    ...(store.deleteExpired && {
      deleteExpired: (now: number, limit: number, onRemoved?: OnRemoved) =>
        ask(
          () => store.deleteExpired!(now, limit, onRemoved),
          (count) => {
            near.dropExpired(now)
            return count
          },
        ),
    }),
  }
}

type Updates = Parameters<NonNullable<SessionStore['updateMany']>>[0]

const same = <T>(result: T): T => result

function miscounted(found: number, asked: number): SessionError {
  return new SessionError(
    'STORE_FAILED',
    `The session store returned ${found} records for ${asked} ids. Its getMany must return one entry for each id, in order.`,
  )
}
