import { isObject } from '../../lib/json/is-object.js'
import { invalid } from '../../lib/options/invalid.js'
import { that } from '../../lib/options/option-kinds.js'
import { ofStore, readOptions } from '../../lib/options/options.js'
import type { SessionRecord } from '../../record.js'
import type { EndsListener, OnRemoved, RecordPage, SessionStore, UpdateResult } from '../../store.js'
import {
  copyOf,
  dropCopy,
  getAll,
  getFresh,
  isCopied,
  isOwn,
  original,
  takeOver,
  type Copied,
  type Found,
} from './copied.js'
import { hearBoth } from './hearing.js'
import { listBoth, pageBoth } from './listing.js'

export { copySessions, type CopyOptions, type CopyProgress, type CopyReport } from './copy.js'

/** The options of `movingStore()`. */
export interface MovingStoreOptions {
  /** Where the sessions are now. Each one is removed here when it is first written, or ended. */
  readonly from: SessionStore
  /** Where they go. New sessions begin here. It must be empty before the move. */
  readonly to: SessionStore
}

const isStore = (value: unknown): value is SessionStore =>
  isObject(value) && ['get', 'insert', 'update', 'delete'].every((name) => typeof value[name] === 'function')

const movingOptions = {
  from: { kind: that(isStore, 'a store'), required: true, doc: 'where the sessions are now' },
  to: { kind: that(isStore, 'a store'), required: true, doc: 'where they go' },
} as const

/**
 * Moves the sessions of a running app from one store to another, and nobody is logged out. It reads `to`, then `from`,
 * writes to `to`, and deletes in both. A session moves when it is first written, which is soon, since its use moves its
 * deadline. `npx express-sid copy` moves the rest.
 *
 * Mount it on all nodes before you copy, and keep it until `copy --finish` has ended. With `encrypted()`, that stands
 * outside: `encrypted(movingStore({ from, to }), { keys })`.
 *
 * @throws SessionError OPTION_INVALID for what is no store, for one store as both, and where `to` has no atomic updates.
 * @example
 * const store = movingStore({ from: sqliteStore(database), to: postgresStore(pool) })
 * app.use(sessionMiddleware({ store }))
 */
export function movingStore(options: MovingStoreOptions): SessionStore {
  const { from, to } = readOptions(options, ofStore('movingStore'), movingOptions)
  if (from === to) throw invalid('movingStore: "from" and "to" are the same store.')
  if (to.atomicUpdates === false) {
    throw invalid(
      'movingStore: the store "to" has no atomic updates (atomicUpdates is false, as with stores of express-session), ' +
        'so a move to it could bring a session back that was logged out. Use a store of this package.',
    )
  }
  const store = new MovingStore(from, to)
  return Object.assign(store, capabilities(store))
}

class MovingStore implements SessionStore {
  constructor(
    readonly from: SessionStore,
    readonly to: SessionStore,
  ) {}

  insert(record: SessionRecord) {
    return this.to.insert(original(record))
  }

  async get(id: string): Promise<Found> {
    return (await this.getMany([id]))[0]
  }

  async getMany(ids: readonly string[]): Promise<Found[]> {
    const found = new Map<string, Found>()
    const keep = (some: readonly Found[]) => some.forEach((one) => one && found.set(one.id, one))
    const missing = () => ids.filter((id) => !found.has(id))
    keep((await getAll(this.to, ids)).filter(isOwn))
    keep((await getAll(this.from, missing())).map((record) => record && original(record)))
    // What was in neither may have moved between the two looks.
    keep((await getAll(this.to, missing())).filter(isOwn))
    return ids.map((id) => found.get(id))
  }

  async update(given: SessionRecord, ifVersion: number): Promise<UpdateResult> {
    const record = original(given)
    if ((await this.to.update(record, ifVersion)) === 'ok') return 'ok'
    const held = await getFresh(this.to, record.id)
    if (isOwn(held)) return 'conflict'
    const source = await getFresh(this.from, record.id)
    if (source === undefined) return this.#whyGone(record.id)
    if (original(source).version !== ifVersion) return 'conflict'
    const copy = isCopied(held) ? held : await this.#copy(source)
    if (copy === undefined) return this.#whyGone(record.id)
    // Where another process was faster, the core reads the record again and repeats the edit.
    return (await takeOver(this, copy, record)) ? 'ok' : 'conflict'
  }

  /** `from` comes first: from then on no copy of the session counts, and none is made. */
  async delete(id: string): Promise<boolean> {
    const wasInFrom = await this.from.delete(id)
    const wasInTo = await this.to.delete(id)
    return wasInFrom || wasInTo
  }

  /** Brings a session to `to`, still as a copy; `undefined` where somebody else has, or where it has ended. */
  async #copy(source: SessionRecord): Promise<Copied | undefined> {
    const copy = copyOf(original(source))
    try {
      await this.to.insert(copy)
    } catch (error) {
      if ((await getFresh(this.to, copy.id)) === undefined) throw error
      return undefined
    }
    return (await getFresh(this.from, copy.id)) === undefined ? undefined : copy
  }

  /** What an update means that found no session to write to. */
  async #whyGone(id: string): Promise<UpdateResult> {
    // In this order: what is not in `from` any more, and has not ended, is the session in `to` by now.
    if ((await getFresh(this.from, id)) !== undefined) return 'conflict'
    const held = await getFresh(this.to, id)
    if (isOwn(held)) return 'conflict'
    if (held !== undefined) await dropCopy(this.to, id)
    return 'absent'
  }
}

/**
 * What both stores can do. Left out are `updateMany`, since a session that moves is written to both stores, one after
 * another; and `scan` and `count`, since each copy would have to be looked for in the other store.
 */
function capabilities(store: MovingStore): Partial<SessionStore> {
  const { from, to } = store
  const canList = from.listByUser !== undefined && to.listByUser !== undefined
  const canPage = canList && from.pageByUser !== undefined && to.pageByUser !== undefined
  const isCached = from.getFresh !== undefined || to.getFresh !== undefined
  return {
    // The look at both is a fresh one already.
    ...(isCached && { getFresh: (id: string) => store.get(id) }),
    ...(canList && { listByUser: (userId: string) => listBoth(from, to, userId) }),
    ...(canPage && {
      pageByUser: (userId: string, limit: number, after?: string): Promise<RecordPage> =>
        pageBoth(from, to, { userId, limit, after }),
    }),
    // What only one of them tells would be half of the truth.
    ...(from.hearEnds !== undefined &&
      to.hearEnds !== undefined && {
        hearEnds: (listener: EndsListener) =>
          hearBoth(
            [from, to] as Required<Pick<SessionStore, 'hearEnds'>>[],
            (ids) => store.getMany(ids),
            listener,
          ),
      }),
    ...((from.deleteExpired !== undefined || to.deleteExpired !== undefined) && {
      async deleteExpired(now: number, limit: number, onRemoved?: OnRemoved): Promise<number> {
        // A copy is told of when its original is removed.
        const onlyOwn = onRemoved && ((removed: readonly SessionRecord[]) => onRemoved(removed.filter(isOwn)))
        const inTo = (await to.deleteExpired?.(now, limit, onlyOwn)) ?? 0
        if (inTo >= limit) return inTo
        return inTo + ((await from.deleteExpired?.(now, limit - inTo, onRemoved)) ?? 0)
      },
    }),
  }
}
