import { v7 } from 'uuid'
import type { SessionError } from '../errors.js'
import { inBatches } from '../lib/async/batches.js'
import { isTooDeep } from '../lib/json/json.js'
import { invalid, show } from '../lib/options/invalid.js'
import { that } from '../lib/options/option-kinds.js'
import { ofFunction, readOptions } from '../lib/options/options.js'
import { isSessionId } from '../lib/uuid.js'
import { isSessionRecord, type SessionInfo, type SessionRecord } from '../record.js'
import type { Engine } from './engine.js'
import type { Listener, SessionEvents } from './events/types.js'
import { assertFunction, type UserChange } from './user/change-user.js'
import type { UserId } from './user/user-id.js'

/** What the store of a manager can do. What it can't is refused with UNSUPPORTED (501). */
export interface Capabilities {
  /** Whether the sessions of a user can be listed and revoked together: `list`, `revokeAll` and their like. */
  readonly listByUser: boolean
  /**
   * Whether updates are atomic across all processes. Where they are not, two processes that write to one session at the
   * same moment may lose a write, and one may bring back what the other has just ended; secrets do not rotate.
   */
  readonly atomicUpdates: boolean
  /**
   * Whether the store tells all processes at once which sessions are ended (`heardEverywhere`). Where it does not,
   * `onEnd` looks for the sessions from time to time.
   */
  readonly heardEverywhere: boolean
}

/** What `sessions.check()` found out. */
export interface Health {
  /** Whether the store has responded within `storeTimeout`. */
  readonly ok: boolean
  /** How long it took, in milliseconds. */
  readonly latencyMs: number
  /** Why not: `STORE_FAILED`, `STORE_TIMEOUT`, `STORE_BUSY` or `CLOSED`. `undefined` where all is well. */
  readonly error: SessionError | undefined
}

/**
 * The sessions of an application: made by `createSessions`, used by the middleware, and called directly
 * where there is no request (admin tools, sockets, jobs).
 *
 * Every method rejects with a `SessionError` of status 503 when the store fails or is slow.
 *
 * @example
 * const sessions = createSessions({ store })
 * app.use(sessionMiddleware(sessions))
 * await sessions.revokeAll(userId) // a laptop was stolen
 */
export interface Sessions {
  /** What the store can do: look here before you show a button that needs it. */
  readonly can: Capabilities

  /**
   * Calls the listener at each such event, in the order of registration. Listeners must not be slow.
   *
   * @throws SessionError OPTION_INVALID for an event that there is not, and for what is no function.
   * @example
   * sessions.on('login', ({ userId, client }) => audit.info('login', userId, client.ip))
   */
  on<Name extends keyof SessionEvents>(name: Name, listener: Listener<Name>): this

  /** Removes a listener that `on` added. */
  off<Name extends keyof SessionEvents>(name: Name, listener: Listener<Name>): this

  /** The live session with this id. */
  find(sessionId: string): Promise<SessionInfo | undefined>

  /** The live sessions of a user, last used first. Rejects with UNSUPPORTED where the store can't list. */
  list(userId: UserId): Promise<SessionInfo[]>

  /**
   * Whether the store responds: looks up a session that there is not. For the health check of a load balancer, and for
   * monitoring. Never rejects, and changes nothing; a store that refuses writes alone passes.
   *
   * @example
   * app.get('/health', async (req, res) => {
   *   const { ok, latencyMs } = await sessions.check()
   *   res.status(ok ? 200 : 503).json({ ok, latencyMs })
   * })
   */
  check(): Promise<Health>

  /** Ends one session, at once and on every node. True when it was there. */
  revoke(sessionId: string): Promise<boolean>

  /**
   * Ends all sessions of a user, or all but one; returns how many there were.
   *
   * @throws SessionError OPTION_INVALID for an `except` that is no session's id, before any has ended;
   * UNSUPPORTED where the store can't list.
   * @example
   * await sessions.revokeAll(userId, { except: sessionOf(req).id })
   */
  revokeAll(userId: UserId, options?: { except?: string | undefined }): Promise<number>

  /**
   * Calls `close` exactly once when a session ends, by whatever cause and in whatever process: for WebSockets, event
   * streams, and whatever else outlives its request. Returns a function that takes this back: call it when the connection
   * has closed by itself.
   *
   * What this manager ends is heard at once. What another process ends, and what expires, is heard within `heardWithin`
   * (default 30 seconds): by looking for the watched sessions, 500 in one question. With `heardEverywhere` of a store it is
   * heard at once, and its loss is noticed within the same time. A session that has ended before is heard in a moment. A
   * store that fails ends nobody: then it is heard once the store works again. After `close()` of the manager nothing is
   * called.
   *
   * @throws SessionError OPTION_INVALID for what is no session's id, such as that of a stranger, or no function.
   * @example
   * ws.on('close', sessions.onEnd(session.id, () => ws.close(4401, 'Logged out')))
   */
  onEnd(sessionId: string, close: () => unknown): () => void

  /**
   * Moves the idle deadline of a session, as a request does: by one write at most in each `touchInterval`. For a
   * connection that outlives its request, when it is used. False when the session has ended.
   *
   * @example
   * ws.on('message', () => void sessions.touch(session.id).catch(() => undefined))
   */
  touch(sessionId: string): Promise<boolean>

  /**
   * Changes the user in all of their sessions, where there is no `loadUser`: a new name or role reaches them without a new
   * login, and no data is lost. Change your own records first. `fn` gets the user as a session keeps it. What it
   * returns is kept as a login's user is, through `serializeUser`. It may run again, so it must do nothing else, and it
   * must make the same of a user that it has changed before.
   *
   * @returns how many sessions there were.
   * @throws SessionError UNSUPPORTED with `loadUser`, since then there is nothing to update, and where the store can't
   * list; USER_INVALID for what is no user, or another one.
   * @example
   * await sessions.updateUser(userId, (user) => ({ ...user, role: 'editor' }))
   */
  // oxlint-disable-next-line typescript/no-explicit-any -- the application's own type of user
  updateUser(userId: UserId, fn: (user: any) => object): Promise<number>

  /** Ends the manager's own work. Never closes a client that it was given. Later calls reject with CLOSED. */
  close(): Promise<void>
}

/** The manager over an engine: what an application may call, and nothing else. */
export class SessionManager implements Sessions {
  readonly #engine: Engine
  readonly can: Capabilities

  constructor(engine: Engine) {
    this.#engine = engine
    const { store } = engine.settings
    this.can = {
      listByUser: engine.records.canList,
      atomicUpdates: store.atomicUpdates !== false,
      heardEverywhere: store.hearEnds !== undefined,
    }
  }

  on<Name extends keyof SessionEvents>(name: Name, listener: Listener<Name>): this {
    this.#engine.events.on(name, listener)
    return this
  }

  off<Name extends keyof SessionEvents>(name: Name, listener: Listener<Name>): this {
    this.#engine.events.off(name, listener)
    return this
  }

  find(sessionId: string): Promise<SessionInfo | undefined> {
    return this.#watched('find', async () => {
      const record = await this.#engine.live.find(sessionId)
      return record && this.#engine.infoOf(record, false)
    })
  }

  list(userId: UserId): Promise<SessionInfo[]> {
    return this.#watched('list', async () => {
      const ifAlive = (one: SessionRecord) => (isReadable(one) ? this.#engine.live.ifAlive(one) : undefined)
      const live = await inBatches(this.#engine.pagesByUser(userId), ifAlive)
      const found = live.filter((record) => record !== undefined)
      // A record that was changed while the pages were read may be on two of them. The later one counts.
      return [...new Map(found.map((record) => [record.id, record])).values()]
        .toSorted((a, b) => b.lastSeenAt - a.lastSeenAt)
        .map((record) => this.#engine.infoOf(record, false))
    })
  }

  async check(): Promise<Health> {
    const before = performance.now()
    let error: SessionError | undefined
    try {
      await this.#engine.records.findFresh(v7())
    } catch (failure) {
      error = failure as SessionError
    }
    return { ok: error === undefined, latencyMs: performance.now() - before, error }
  }

  revoke(sessionId: string): Promise<boolean> {
    return this.#watched('revoke', () => this.#engine.revoke(sessionId, { cause: 'revoke' }))
  }

  revokeAll(userId: UserId, options: { except?: string | undefined } = {}): Promise<number> {
    return this.#watched('revokeAll', async () => {
      const { except } = readOptions(options, revokeAllOwner, revokeAllOptions)
      return this.#engine.revokeAll(userId, except, { cause: 'revokeAll' })
    })
  }

  onEnd(sessionId: string, close: () => unknown): () => void {
    if (!isSessionId(sessionId)) {
      throw invalid(
        `onEnd() needs the id of a session, not ${show(sessionId)}: ` +
          'onEnd(session.id, close). A stranger has none: let only users in.',
      )
    }
    if (typeof close !== 'function') {
      throw invalid(`onEnd() needs a function to call at the end of the session, not ${show(close)}.`)
    }
    return this.#engine.onEnd(sessionId, close)
  }

  touch(sessionId: string): Promise<boolean> {
    return this.#watched('touch', () => this.#engine.touch(sessionId))
  }

  updateUser(userId: UserId, fn: UserChange): Promise<number> {
    return this.#watched('updateUser', async () => {
      assertFunction(fn, 'sessions.updateUser(userId, fn)')
      return this.#engine.users.update(userId, fn)
    })
  }

  close(): Promise<void> {
    return this.#watched('close', () => this.#engine.close())
  }

  /** Does the work of one of these methods. Its rejection is reported where the application does not await it. */
  #watched<T>(
    method: 'find' | 'list' | 'revoke' | 'revokeAll' | 'touch' | 'updateUser' | 'close',
    work: () => Promise<T>,
  ): Promise<T> {
    return this.#engine.unawaited.watch(`sessions.${method}()`, this[method], work())
  }
}

/** Damaged records can be revoked together with the others. To show them would fail the whole list. */
function isReadable(record: SessionRecord): boolean {
  return isSessionRecord(record) && !isTooDeep(record.user)
}

/** A misspelt `except` would end every session, the caller's own among them. */
const revokeAllOptions = {
  except: {
    kind: that(isSessionId, 'the id of a session: revokeAll(userId, { except: session.id })'),
    doc: 'the id of the session that lives on',
  },
} as const

const revokeAllOwner = ofFunction('revokeAll()', '{ except: session.id }')
