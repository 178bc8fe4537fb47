import type { SessionError } from '../../errors.js'
import { cookieFor } from '../../http/cookie/read.js'
import { sessionEnded, sessionRefused } from '../../http/request/errors.js'
import { attachedState, attachState } from '../../http/request/session-of.js'
import { captureRemoteAddress, isSecure } from '../../http/request/client-of.js'
import type { Wiring } from '../../http/wiring.js'
import type { SessionRecord } from '../../record.js'
import { called } from '../classes/done.js'
import type { Callback, SessionObject, StoredData, StoreObject } from '../classes/types.js'
import type { Keeping, Visiting } from '../keeping/keeping.js'
import { merge } from '../merge.js'
import { baseOf, originOf, setOrigin, type Origin } from '../origin.js'
import { snapshotOf } from '../snapshot.js'
import type { ByRequest, ManagedOptions } from './managed-store.js'
import { TwinState } from './twin-state.js'

type Named = (...args: unknown[]) => unknown

/** Sessions in a store of this package: hashed ids, compare-and-set, and the same session for `sessionOf(req)`. */
export class ManagedKeeping implements Keeping {
  isReady = true
  readonly touches = true

  constructor(
    private readonly wiring: Wiring,
    readonly store: StoreObject,
    private readonly newCookieFor: ManagedOptions['cookieFor'],
  ) {
    // An application that has told its store to rest tells this one.
    store.on('disconnect', () => (this.isReady = false))
    store.on('connect', () => (this.isReady = true))
  }

  begin(visit: Visiting): void {
    const { wiring } = this
    // What stands for a request in a socket of socket.io may have no connection.
    const hasConnection = (visit.req.socket as unknown) !== undefined
    if (hasConnection) captureRemoteAddress(visit.req)
    const { cookie } = wiring.settings
    const choice = cookieFor(cookie, cookie.byRequest && hasConnection && isSecure(visit.req))
    attachState(visit.req, new TwinState(wiring, choice, visit, this.newCookieFor(visit.req)))
  }

  find(sid: string, visit: Visiting, found: Callback<StoredData | null | undefined>): void {
    ;(this.store.get as Named)(sid, found, visit)
  }

  barrier(visit: Visiting): SessionError | undefined {
    const state = attachedState(visit.req)
    if (state === undefined || state.record !== undefined) return undefined
    return state.barred ?? (state.holdsLogin ? sessionRefused() : undefined)
  }

  save(session: SessionObject, _origin: Origin | undefined, visit: Visiting | undefined): Promise<void> {
    return this.#named('set', [session.id, session], visit)
  }

  /**
   * A login, or a logout that keeps the rest of the data: a new record, and then the old one ends. Whatever was written
   * to the old one until it ended is taken over.
   */
  async replace(session: SessionObject, origin: Origin, sid: string, visit: Visiting): Promise<void> {
    const { engine } = this.wiring
    const old = origin.record!
    const base = baseOf(origin)
    const { data: mine, text } = snapshotOf(session)
    const current = await engine.records.find(old.id)
    // A guest may log in although a parallel login has just ended its session. A user's that has ended is over.
    if (current === undefined && old.userId !== undefined) throw sessionEnded()
    const begun = { ...merge(base, mine, current?.data ?? base), cookie: session.cookie }
    await this.#named('set', [sid, begun], visit)
    const made = originOf(begun)!
    const record = made.record!
    try {
      const last = await this.#end(old)
      if (last !== undefined && last.data !== current?.data) {
        const data = merge(base, mine, last.data)
        made.record = (await engine.change(record, (one) => ({ ...one, data }), record)) ?? record
      }
    } catch (error) {
      await this.wiring.engine.records.discard(record.id)
      throw error
    }
    setOrigin(session, { ...made, data: mine, text })
  }

  destroy(sid: string, visit: Visiting | undefined): Promise<void> {
    return this.#named('destroy', [sid], visit)
  }

  touch(session: SessionObject, isAsked: boolean): Promise<void> | undefined {
    const record = originOf(session)?.record
    if (record === undefined) return undefined
    const isDue = Date.now() - record.lastSeenAt >= this.wiring.engine.settings.touchInterval
    return isAsked || isDue ? this.#named('touch', [session.id, session], { req: session.req }) : undefined
  }

  /** Ends a session by compare-and-set; returns it as it was last. */
  async #end(old: SessionRecord): Promise<SessionRecord | undefined> {
    const { engine } = this.wiring
    const last = await engine.live.markEnded(old)
    await engine.end([old], { cause: 'login', client: undefined })
    return last
  }

  /** Calls a method of the store by its name: the application may have replaced it. */
  #named(
    method: 'set' | 'destroy' | 'touch',
    args: readonly unknown[],
    by: ByRequest | undefined,
  ): Promise<void> {
    return called((done) => (this.store[method] as Named)(...args, done, by))
  }
}
