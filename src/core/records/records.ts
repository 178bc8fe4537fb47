import { isSessionError, SessionError } from '../../errors.js'
import { chain } from '../../lib/async/promises.js'
import { isDerivedId, isSessionId } from '../../lib/uuid.js'
import type { SessionRecord } from '../../record.js'
import type {
  EndsChannel,
  EndsListener,
  MaybePromise,
  OnRemoved,
  SessionStore,
  UpdateResult,
} from '../../store.js'
import { findMany } from './find-many.js'
import { GatheredUpdates } from './gathered-updates.js'
import { Lookup } from './lookup.js'
import { StoreCalls, type AroundCall, type StoreOperation } from './store-calls.js'
import type { OnFound } from './turn.js'

/** How many records are listed in one call. */
const PAGE_SIZE = 1_000

/** The store as the core sees it: every call with a deadline, every failure with a code, lookups gathered. */
export class Records {
  readonly #store: SessionStore
  readonly #calls: StoreCalls
  readonly #lookup: Lookup
  readonly #gathered: GatheredUpdates
  #isClosed = false
  /** Called for each session that is no longer there after a `delete`, whoever has removed it. */
  onDeleted: ((id: string) => void) | undefined = undefined

  constructor(
    store: SessionStore,
    timeout: number,
    onFailure: (operation: StoreOperation, error: SessionError) => void,
  ) {
    this.#store = store
    this.#calls = new StoreCalls(timeout, onFailure)
    this.#lookup = new Lookup(store, this.#calls)
    this.#gathered = new GatheredUpdates(store, this.#calls)
  }

  /** The record with this id. What is no session id is not found, without a call: it may be a path, or a key. */
  find(id: string): MaybePromise<SessionRecord | undefined> {
    this.assertOpen()
    return isOfSession(id) ? this.#lookup.find(id) : undefined
  }

  /** As `find`, and never from a cache of the store. */
  findFresh(id: string): MaybePromise<SessionRecord | undefined> {
    this.assertOpen()
    return isOfSession(id) ? this.#lookup.findFresh(id) : undefined
  }

  /**
   * The ledger or the mark with this id, never from a cache. Of all doors this is the only one to them. Nobody can revoke
   * one, so a damaged one is removed here: otherwise its user could never log in again.
   */
  async findLedger(id: string): Promise<SessionRecord | undefined> {
    this.assertOpen()
    try {
      return await this.#lookup.findFresh(id)
    } catch (error) {
      if (!isSessionError(error) || error.code !== 'RECORD_DAMAGED') throw error
      await this.#call('delete', () => this.#store.delete(id))
      return undefined
    }
  }

  /** Keeps a new ledger or mark; false where somebody else was faster, which is no failure. */
  insertLedger(record: SessionRecord): MaybePromise<boolean> {
    return this.#call('insert', async () => {
      try {
        await this.#store.insert(record)
        return true
      } catch (error) {
        // Each store says in its own way that an id is taken, so it is asked.
        if ((await this.#store.get(record.id)) !== undefined) return false
        throw error
      }
    })
  }

  /** Finds the record of a token and hashes its secret: see `Lookup.findFor`. A closed manager is a failure too. */
  findFor(id: string, secret: string, onFound: OnFound): void {
    try {
      this.assertOpen()
    } catch (error) {
      return onFound(undefined, '', error)
    }
    this.#lookup.findFor(id, secret, onFound)
  }

  insert(record: SessionRecord): MaybePromise<void> {
    return this.#call('insert', () => this.#store.insert(record))
  }

  update(record: SessionRecord, ifVersion: number): MaybePromise<UpdateResult> {
    return this.#call('update', () => this.#store.update(record, ifVersion))
  }

  /** The same for an update that can wait for the others of its turn. */
  updateTogether(record: SessionRecord, ifVersion: number): MaybePromise<UpdateResult> {
    this.assertOpen()
    return this.#gathered.update(record, ifVersion)
  }

  /** True when it was there. What is no session id was not, and no call is made. */
  delete(id: string): MaybePromise<boolean> {
    this.assertOpen()
    if (!isOfSession(id)) return false
    return chain(
      this.#call('delete', () => this.#store.delete(id)),
      (wasThere) => {
        this.onDeleted?.(id)
        return wasThere
      },
    )
  }

  /**
   * The records of these ids in their order, as they are now: unchecked, since one that is damaged must not fail the
   * others. For a store without `getMany` they are asked for one by one.
   */
  async findMany(ids: readonly string[]): Promise<readonly (SessionRecord | undefined)[]> {
    this.assertOpen()
    return findMany(this.#store, this.#calls, ids)
  }

  /** Hears from the store which sessions other processes end; `undefined` where it can't tell. */
  hearEnds(listener: EndsListener): EndsChannel | undefined {
    this.assertOpen()
    return this.#store.hearEnds?.(listener)
  }

  /** Deletes a session that nobody can use: its token was never sent, or it is marked as ended. A failure is harmless. */
  async discard(id: string): Promise<void> {
    try {
      await this.delete(id)
    } catch {
      // It ends by itself.
    }
  }

  /**
   * What the store lists for a user, a page at a time where it can: nobody else's request waits for a user with very
   * many sessions. A record may come twice. What is listed has an id, so that it can be ended; whether it is a whole
   * record is for the caller to see.
   */
  async *pagesByUser(userId: string): AsyncGenerator<readonly SessionRecord[]> {
    const store = this.#store
    if (store.listByUser === undefined) throw noIndex()
    if (store.pageByUser === undefined) {
      yield this.#call('listByUser', async () => listed('listByUser', await store.listByUser!(userId)))
      return
    }
    let after: string | undefined
    do {
      const page = await this.#call('pageByUser', async () => store.pageByUser!(userId, PAGE_SIZE, after))
      yield listed('pageByUser', page?.records)
      after = page?.next === after ? undefined : page.next
    } while (after !== undefined)
  }

  /** Whether the store can list the sessions of a user. */
  get canList(): boolean {
    return typeof this.#store.listByUser === 'function'
  }

  /** Milliseconds that a call, or a change with its retries, may take. */
  get timeout(): number {
    return this.#calls.timeout
  }

  /** Present for stores without an expiry of their own. */
  get expiryStep(): ((limit: number, onRemoved: OnRemoved | undefined) => MaybePromise<number>) | undefined {
    if (this.#store.deleteExpired === undefined) return undefined
    return (limit, onRemoved) =>
      this.#call('deleteExpired', () => this.#store.deleteExpired!(Date.now(), limit, onRemoved))
  }

  /** Lets `around` see each call to the store from now on; returns a function that ends it. */
  observe(around: AroundCall): () => void {
    return this.#calls.observe(around)
  }

  /** Sends nothing to the store from now on. The store's client belongs to whoever made it. */
  close(): void {
    this.#isClosed = true
  }

  #call<T>(operation: StoreOperation, ask: () => MaybePromise<T>): MaybePromise<T> {
    this.assertOpen()
    return this.#calls.call(operation, ask)
  }

  /** Throws CLOSED after `close`. */
  assertOpen(): void {
    if (!this.#isClosed) return
    throw new SessionError('CLOSED', 'This session manager was closed. Close it after the server has ended.')
  }
}

/** Whether it can be the id of a session. That of a ledger is none, whoever asks. */
function isOfSession(id: string): boolean {
  return isSessionId(id) && !isDerivedId(id)
}

function noIndex(): SessionError {
  return new SessionError(
    'UNSUPPORTED',
    'The session store has no listByUser, so the sessions of a user can be neither listed nor revoked together. ' +
      'Use a store that comes with express-sid: Redis, PostgreSQL, MySQL, SQLite or memory.',
  )
}

function listed(method: string, records: readonly (Partial<SessionRecord> | undefined)[]): SessionRecord[] {
  if (Array.isArray(records) && records.every((one) => typeof one?.id === 'string')) return records
  throw new SessionError(
    'RECORD_DAMAGED',
    `The session store did not return an array of records from ${method}. Fix the store.`,
  )
}
