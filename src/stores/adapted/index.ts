import { idTaken } from '../../lib/id-taken.js'
import { invalid } from '../../lib/options/invalid.js'
import { boolean } from '../../lib/options/option-kinds.js'
import { ofStore, readOptions } from '../../lib/options/options.js'
import { isObject } from '../../lib/json/is-object.js'
import { decodeRecord, encodeRecord, isSessionRecord, type SessionRecord } from '../../record.js'
import type { SessionStore, UpdateResult } from '../../store.js'
import { ask, pack, read, type ExpressSessionStore, type StoredSession } from './calls.js'
import { EndMarks } from './end-marks.js'
import { isTouch, Touches } from './touches.js'
import { Turns } from '../../lib/async/turns.js'

export type { ExpressSessionStore } from './calls.js'

/** The options of `fromExpressSession()`. */
export interface AdapterOptions {
  /**
   * Writes down in the same store which sessions have ended, so that a logout is final for all processes that share the
   * store. Costs one more read for each lookup. Default false: final in the process that ended the session.
   */
  readonly shared?: boolean | undefined
}

const adapterOptions = {
  shared: { kind: boolean(), default: false, doc: 'tells other processes which sessions have ended' },
} as const

/**
 * How much later than the deadline the store may forget a session. Where the record holds the deadline, a minute
 * costs nothing. Where the store's own expiry *is* the deadline, 2 s are what stores that count in seconds need.
 */
const MARGIN_MS = { inRecord: 60_000, inStore: 2_000 }

/**
 * Keeps sessions in a store that was written for express-session: connect-mongo, connect-dynamodb,
 * session-file-store and others. Where this package has a store for the same system, take that one: the interface
 * of express-session can't carry every promise. What holds here:
 *
 * - **Logout is final in this process.** There is no compare-and-set, so the writes of one session are made
 *   one after another, within this process. A process that is writing to a session at the very moment when
 *   another one ends it may bring it back, and two that write at once may lose one write.
 * - **`list`, `revokeAll` and `revokeOthers` reject with UNSUPPORTED (501):** such stores have no index by user.
 *   So there is no `listByUser`, and `atomicUpdates` is false: secrets do not rotate.
 * - **The idle deadline is the store's.** Moving it is the store's own `touch` and never a `set`, which could
 *   bring back what another process has ended. A store without `touch` keeps the deadline of the login, or
 *   of the last data write. The process is warned of that (`SID_NO_TOUCH`), unless the store says `touch: undefined`.
 *
 * @param store The instance that would be given to express-session as its `store`.
 * @param options `shared: true` makes a logout final across processes.
 * @throws SessionError OPTION_INVALID for anything else.
 * @example sessionMiddleware({ store: fromExpressSession(MongoStore.create({ mongoUrl })) })
 */
export function fromExpressSession(store: ExpressSessionStore, options: AdapterOptions = {}): SessionStore {
  checkStore(store)
  const { shared } = readOptions(options, ofStore('fromExpressSession'), adapterOptions)
  if (!('touch' in store)) warnOfNoTouch()
  // Without a listener Node ends the process. Nothing is lost: each call reports its own failure.
  store.on?.('error', () => undefined)
  return new ExpressSessionAdapter(store, shared ? new EndMarks(store) : undefined)
}

class ExpressSessionAdapter implements SessionStore {
  readonly atomicUpdates = false

  readonly #turns = new Turns()
  readonly #touches = new Touches()

  /** Whether the store moves deadlines. If not, they stay as they were written. */
  readonly #moves: boolean
  readonly #margin: number

  constructor(
    private readonly store: ExpressSessionStore,
    /** Where other processes are told which sessions have ended, if they are. */
    private readonly marks: EndMarks | undefined,
  ) {
    this.#moves = store.touch !== undefined
    this.#margin = this.#moves ? MARGIN_MS.inStore : MARGIN_MS.inRecord
  }

  insert(record: SessionRecord): Promise<void> {
    const text = encodeRecord(record)
    return this.#turns.take(record.id, async () => {
      if ((await read(this.store, record.id)) !== undefined) throw idTaken(record.id)
      await this.#set(record, text)
    })
  }

  async get(id: string): Promise<SessionRecord | undefined> {
    const [stored, hasEnded] = await Promise.all([read(this.store, id), this.marks?.has(id)])
    return stored === undefined || hasEnded === true ? undefined : this.#asOfNow(stored)
  }

  update(record: SessionRecord, ifVersion: number): Promise<UpdateResult> {
    const { id } = record
    const text = encodeRecord(record)
    return this.#turns.take(id, async () => {
      const stored = await read(this.store, id)
      if (stored === undefined) return 'absent'
      // Another process wrote after this one touched: from there on the two have counted different changes.
      if (this.#touches.forgetIfNotOn(stored.record)) return 'conflict'
      const current = this.#asOfNow(stored)
      if (current.version !== ifVersion) return 'conflict'
      const next = decodeRecord(id, text)
      if (isTouch(current, next)) await this.#touch(stored.record, next)
      else await this.#set(next, encodeRecord(this.#touches.unmistakable(next)))
      return (await this.#hasEnded(id)) ? 'absent' : 'ok'
    })
  }

  delete(id: string): Promise<boolean> {
    return this.#turns.take(id, async () => {
      // What can't be read, because it is damaged, can still be ended.
      const wasThere = await read(this.store, id).then(
        (stored) => stored !== undefined,
        () => true,
      )
      if (!wasThere) return false
      await this.marks?.add(id)
      await ask(this.store, 'destroy', id)
      return true
    })
  }

  /** Whether another process has ended the session while this one was writing it. What was written goes again. */
  async #hasEnded(id: string): Promise<boolean> {
    if (this.marks === undefined || !(await this.marks.has(id))) return false
    await ask(this.store, 'destroy', id)
    return true
  }

  async #set({ id, expiresAt }: SessionRecord, text: string): Promise<void> {
    await ask(this.store, 'set', id, pack(text, expiresAt + this.#margin))
    this.#touches.forget(id)
  }

  async #touch(stored: SessionRecord, next: SessionRecord): Promise<void> {
    if (!this.#moves) return this.#touches.remember(stored, { ...next, expiresAt: stored.expiresAt })
    // The record as it is stored: where `touch` writes more than the deadline, that changes nothing.
    const session = pack(encodeRecord(stored), next.expiresAt + this.#margin)
    await ask(this.store, 'touch', next.id, session)
    this.#touches.remember(stored, next)
  }

  /** The record with what `touch` could not write into it. */
  #asOfNow({ record, cookieExpires }: StoredSession): SessionRecord {
    if (!isSessionRecord(record)) return record
    const current = this.#touches.applied(record)
    if (!this.#moves) return current
    const expiresAt = deadline(record, current.expiresAt, cookieExpires - this.#margin, Date.now())
    return { ...current, expiresAt }
  }
}

/**
 * The idle deadline of a session that a store with `touch` has just returned.
 *
 * Some stores write the moved deadline into the cookie: then it is known. Most move only an expiry of their own,
 * which they do not tell, and return what has not expired. So a session that is returned after the deadline in its
 * record must have been touched, and the touch is taken to be now.
 */
function deadline(record: SessionRecord, touchedUntil: number, cookieUntil: number, now: number): number {
  const { expiresAt, lastSeenAt, absoluteExpiresAt } = record
  const isInCookie = cookieUntil > expiresAt
  const known = Math.max(touchedUntil, isInCookie ? cookieUntil : expiresAt)
  const idleTimeout = expiresAt - lastSeenAt
  return Math.min(known > now || isInCookie ? known : now + idleTimeout, absoluteExpiresAt)
}

/** A session would end while it is used, and a page could not extend it. */
function warnOfNoTouch(): void {
  process.emitWarning(
    'This store of express-session has no touch, so no use of a session moves its idle deadline: it ends idleTimeout after ' +
      'its login, or after the last change of its data. Use a store that has one, or a longer idleTimeout. If it is meant, ' +
      'give Object.assign(store, { touch: undefined }).',
    { type: 'ExpressSidWarning', code: 'SID_NO_TOUCH' },
  )
}

function checkStore(store: unknown): void {
  if (isObject(store) && ['get', 'set', 'destroy'].every((name) => typeof store[name] === 'function')) return
  throw invalid(
    'fromExpressSession takes the instance that would be the store of express-session, with get, set and ' +
      'destroy: fromExpressSession(new FileStore()), not the class.',
  )
}
