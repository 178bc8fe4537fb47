import { unknownNames } from '../../lib/did-you-mean.js'
import { parseDuration } from '../../lib/duration.js'
import { SessionError } from '../../errors.js'
import type { SessionRecord } from '../../record.js'
import type { MaybePromise, SessionStore } from '../../store.js'
import { NearRecords } from './near-records.js'

export interface NearCacheOptions {
  /**
   * How old an answer may be, counted from the moment its question was sent to the store: milliseconds or a
   * text such as `'500ms'`. It is also how long another node's logout may go unnoticed here. Default 1 second.
   */
  readonly maxStaleness?: number | string | undefined
  /** How many records are held at most; the oldest go first. A positive integer. Default 10,000. */
  readonly maxEntries?: number | undefined
}

/** A store that answers from the process what it was asked a moment ago. */
export interface NearCache extends SessionStore {
  /** Forgets everything, answers on their way included: for whoever hears that another node ended sessions. */
  clear(): void
}

/**
 * Holds the records that `store` answered for a moment, so that a very hot session is read from the process.
 *
 * The price: a session that *another* node ends may be taken for live on this one until `maxStaleness` has
 * passed. What this node ends is gone at once. Without this wrapper, which is the default, every request sees
 * every logout.
 *
 * Records are dropped when this process writes them, and all of them when any call of the store fails.
 *
 * @throws SessionError OPTION_INVALID for an option that is unknown or has no usable value.
 */
export function nearCache(store: SessionStore, options: NearCacheOptions = {}): NearCache {
  const near = new NearRecords(checkedStaleness(options), checkedEntries(options))

  /** Any failure puts the connection in doubt, and with it whether this node still hears of anything. */
  function ask<T>(send: () => MaybePromise<T>, take: (answer: T) => T): MaybePromise<T> {
    const doubt = (error: unknown): never => {
      near.clear()
      throw error
    }
    try {
      const answer = send()
      return isPromise(answer) ? Promise.resolve(answer).then(take).catch(doubt) : take(answer)
    } catch (error) {
      return doubt(error)
    }
  }

  /** Dropped before, so that nobody reads the old one; and after, with what was read while it was written. */
  function write<T>(id: string, send: () => MaybePromise<T>): MaybePromise<T> {
    near.drop(id)
    return ask(send, (answer) => {
      near.drop(id)
      return answer
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
    insert: (record) => write(record.id, () => store.insert(record)),
    update: (record, ifVersion) => write(record.id, () => store.update(record, ifVersion)),
    delete: (id) => write(id, () => store.delete(id)),
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
    listByUser: (userId) => ask(() => store.listByUser(userId), same),
    clear: () => near.clear(),
    ...(store.getMany && { getMany }),
    ...(store.deleteExpired && {
      deleteExpired: (now: number, limit: number) =>
        ask(
          () => store.deleteExpired!(now, limit),
          (count) => {
            near.dropExpired(now)
            return count
          },
        ),
    }),
  }
}

const same = <T>(answer: T): T => answer

function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

function checkedStaleness(options: NearCacheOptions): number {
  unknownNames(options, ['maxStaleness', 'maxEntries'], 'nearCache')
  return parseDuration(options.maxStaleness ?? '1s', 'maxStaleness')
}

function checkedEntries({ maxEntries = 10_000 }: NearCacheOptions): number {
  if (Number.isSafeInteger(maxEntries) && maxEntries > 0) return maxEntries
  throw new SessionError('OPTION_INVALID', 'maxEntries is not a positive integer. Leave it out for 10,000.')
}

function miscounted(found: number, asked: number): SessionError {
  return new SessionError(
    'STORE_FAILED',
    `The session store answered ${found} records for ${asked} ids. Its getMany must answer each id in its place.`,
  )
}
