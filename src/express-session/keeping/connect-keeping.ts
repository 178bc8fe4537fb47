import type { SessionError } from '../../errors.js'
import { sessionEnded } from '../../http/request/errors.js'
import { dropOldest } from '../../lib/drop-oldest.js'
import { queueMicrotask } from '../../lib/async/timers.js'
import { ask, type ExpressSessionStore } from '../../stores/adapted/calls.js'
import { EndMarks } from '../../stores/adapted/end-marks.js'
import { hashOf } from '../../core/token.js'
import type { Callback, SessionObject, StoredData, StoreObject } from '../classes/types.js'
import { merge } from '../merge.js'
import { baseOf, nextPlace, originFor, originOf, setOrigin, setSaver, type Origin } from '../origin.js'
import { dataOf, textOf } from '../snapshot.js'
import { inTime } from './deadline.js'
import { Ends } from './ends.js'
import type { Keeping, Visiting } from './keeping.js'
import { Lifetime, type LifetimeLimits } from './lifetime.js'

export interface ConnectOptions extends LifetimeLimits {
  readonly storeTimeout: number
  /** Whether other processes that run this package are told which sessions have ended. */
  readonly shared: boolean
  readonly touchInterval: number | undefined
}

type Method = 'get' | 'set' | 'destroy' | 'touch'

/** What each store's middlewares of this process have in common. */
const known = new WeakMap<object, Ends>()
const MAX_TOUCHES = 10_000

/**
 * Sessions in a store that was written for express-session, in its own format under its own ids: a rollback finds them.
 * Such a store can't write only where nothing has changed. So within a process the changes of one session are made one
 * after another, each on what is stored then, and what this process has ended is not written again.
 */
export class ConnectKeeping implements Keeping {
  isReady = true
  readonly touches: boolean
  readonly #ends: Ends
  readonly #lifetime: Lifetime
  /** When sessions whose cookie has no deadline were touched, by a hash of their ids. */
  readonly #touchedAt = new Map<string, number>()

  constructor(
    readonly store: StoreObject,
    private readonly options: ConnectOptions,
  ) {
    const isNew = !known.has(store)
    this.#ends = known.get(store) ?? new Ends()
    known.set(store, this.#ends)
    if (options.shared) this.#ends.marks ??= new EndMarks(store)
    this.#lifetime = new Lifetime(options)
    this.touches = typeof store.touch === 'function' || this.#lifetime.isLimited
    store.on?.('disconnect', () => (this.isReady = false))
    store.on?.('connect', () => (this.isReady = true))
    if (!isNew) return
    this.#watchEnds()
    setSaver(store, (session) => this.save(session, originOf(session)))
  }

  begin(): void {}

  barrier(): SessionError | undefined {
    return undefined
  }

  find(sid: string, _visit: Visiting, found: Callback<StoredData | null | undefined>): void {
    const readAt = nextPlace()
    // In a microtask of its own: what the application throws there is no rejection of the store.
    this.#read(sid).then(
      (session) => {
        if (session) setOrigin(session, originFor(sid, textOf(session), readAt))
        queueMicrotask(() => found(null, session))
      },
      (error: unknown) => queueMicrotask(() => found(error)),
    )
  }

  async save(session: SessionObject, origin: Origin | undefined): Promise<void> {
    const { id } = session
    const text = textOf(session)
    this.#lifetime.mark(session.cookie, origin?.isStored === true)
    await this.#ends.turns.take(id, async () => {
      await this.#write(id, origin?.isStored ? await this.#merged(session, origin) : session)
      await this.#undoIfEnded(id)
    })
    if (origin === undefined || origin.sid !== id) setOrigin(session, originFor(id, text, nextPlace()))
    else Object.assign(origin, { text, data: undefined, isStored: true })
  }

  async replace(session: SessionObject, origin: Origin, sid: string): Promise<void> {
    const { sid: before } = origin
    const text = textOf(session)
    const merged = await this.#ends.turns.take(before, () => this.#merged(session, origin))
    await this.#write(sid, merged)
    try {
      await this.#call('destroy', before)
    } catch (error) {
      // The login has failed, so what it began must not stay.
      await this.#call('destroy', sid).catch(() => undefined)
      throw error
    }
    setOrigin(session, originFor(sid, text, nextPlace()))
  }

  async destroy(sid: string): Promise<void> {
    // By its name: the application may have replaced it. Where it has not, `#watchEnds` sees to the rest.
    await this.#call('destroy', sid)
  }

  touch(session: SessionObject, isAsked: boolean): Promise<void> | undefined {
    if (!isAsked && !this.#isTouchDue(session)) return undefined
    return this.#ends.turns.take(session.id, () =>
      this.#lifetime.isLimited ? this.#touchByWriting(session) : this.#touchOnly(session),
    )
  }

  async #touchOnly(session: SessionObject): Promise<void> {
    const { id } = session
    // Some stores read and write in their `touch`, which could bring back what has ended.
    if (!this.#ends.hasEndedSince(id, originOf(session)?.readAt ?? 0)) await this.#call('touch', id, session)
  }

  /** Where the time of the last use must be known, and most stores do not write in their `touch`. */
  async #touchByWriting({ id, cookie }: SessionObject): Promise<void> {
    const found = await this.#read(id)
    if (found === undefined) return
    this.#lifetime.mark(cookie, true)
    await this.#write(id, { ...found, cookie })
    await this.#undoIfEnded(id)
  }

  /** What is to be stored: the changes of this request, on what is stored now. */
  async #merged(session: SessionObject, origin: Origin): Promise<StoredData> {
    if (this.#ends.hasEndedSince(origin.sid, origin.readAt)) throw sessionEnded()
    const found = await this.#read(origin.sid)
    if (!found) throw sessionEnded()
    if (textOf(found) === origin.text) return session
    const data = merge(baseOf(origin), dataOf(session), dataOf(found))
    return { ...data, cookie: session.cookie }
  }

  async #read(sid: string): Promise<StoredData | undefined> {
    const { marks } = this.#ends
    const [found, hasEnded] = await Promise.all([
      this.#call('get', sid),
      marks && this.#inTime(marks.has(sid)),
    ])
    if (!found || hasEnded) return undefined
    const session = found as StoredData
    if (!this.#lifetime.hasPassed(session.cookie)) return session
    await this.#inTime(this.#ends.destroyNow(sid), 'destroy')
    return undefined
  }

  async #write(sid: string, session: StoredData): Promise<void> {
    const begunAt = nextPlace()
    const work = ask(this.store, 'set', sid, session)
    try {
      await this.#inTime(work, 'set')
    } catch (error) {
      // A store that was too slow may still write it, and the session may have ended by then.
      const undo = () => this.#ends.hasEndedSince(sid, begunAt) && this.#ends.destroyNow(sid)
      void work.then(undo).catch(() => undefined)
      throw error
    }
  }

  /** Another process may have ended the session while this one was writing it. */
  async #undoIfEnded(sid: string): Promise<void> {
    const { marks, destroyNow } = this.#ends
    if (marks === undefined || !(await this.#inTime(marks.has(sid)))) return
    await this.#inTime(destroyNow(sid), 'destroy')
    throw sessionEnded()
  }

  /** Every end of a session is remembered, whoever calls `store.destroy()`. */
  #watchEnds(): void {
    const { store } = this
    const ends = this.#ends
    const destroy = store.destroy
    const bare = {
      get: nothing,
      set: nothing,
      destroy: (sid: string, back: Callback) => destroy.call(store, sid, back),
    }
    ends.destroyNow = (sid) => ask(bare, 'destroy', sid)
    store.destroy = (sid, done) => {
      ends.ended(sid)
      const work = ends.turns.take(sid, async () => {
        // In time, or what else is to be done with this session would wait for ever.
        if (ends.marks) await this.#inTime(ends.marks.add(sid), 'set')
        await this.#inTime(ends.destroyNow(sid), 'destroy')
      })
      if (done === undefined) return work
      work.then(
        () => queueMicrotask(() => done()),
        (error: unknown) => queueMicrotask(() => done(error)),
      )
      return undefined
    }
  }

  #isTouchDue(session: SessionObject): boolean {
    const { originalMaxAge, times } = session.cookie
    const { touchInterval } = this.options
    const now = Date.now()
    const shortest = Math.min(originalMaxAge ?? Infinity, this.#lifetime.idle ?? Infinity)
    const interval = touchInterval ?? Math.min(300_000, Math.ceil(shortest / 10))
    const key = hashOf(session.id)
    const last = times?.seenAt ?? this.#touchedAt.get(key) ?? 0
    if (now - last < interval) return false
    this.#touchedAt.delete(key)
    this.#touchedAt.set(key, now)
    dropOldest(this.#touchedAt, MAX_TOUCHES)
    return true
  }

  #call(method: Method, ...args: readonly [string, object?]): Promise<unknown> {
    return this.#inTime(ask(this.store as unknown as ExpressSessionStore, method, ...args), method)
  }

  #inTime<T>(work: Promise<T>, method = 'get'): Promise<T> {
    return inTime(work, this.options.storeTimeout, method)
  }
}

const nothing = (): void => undefined
