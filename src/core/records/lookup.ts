import { SessionError } from '../../errors.js'
import { isSessionRecord, type SessionRecord } from '../../record.js'
import type { MaybePromise, SessionStore } from '../../store.js'
import { chain } from '../../lib/promises.js'
import type { StoreCalls } from './store-calls.js'

type Found = SessionRecord | undefined

interface Waiting {
  readonly promise: Promise<Found>
  readonly resolve: (found: Found) => void
  readonly reject: (error: unknown) => void
}

/** The most ids in one question: what a store can take in one command without stalling others. */
const MAX_IDS = 1_000

/** Finds records by id; with a store that offers `getMany`, one question for all lookups of a turn. */
export class Lookup {
  // Asked for in this turn, not sent yet. A request never joins a lookup that was already sent: the answer
  // could be older than a logout that was acknowledged before the request began.
  #gathered = new Map<string, Waiting>()

  constructor(
    private readonly store: SessionStore,
    private readonly calls: StoreCalls,
  ) {}

  /** The record with this id, checked to be one. */
  find(id: string): MaybePromise<Found> {
    if (this.store.getMany !== undefined) return this.#gather(id)
    return this.#one(id)
  }

  #one(id: string): MaybePromise<Found> {
    return this.calls.call('get', () => chain(this.store.get(id), (record) => checked(id, record)))
  }

  #gather(id: string): Promise<Found> {
    const waiting = this.#gathered.get(id)
    if (waiting !== undefined) return waiting.promise
    // After the poll phase, in which one turn's requests were read from their sockets.
    if (this.#gathered.size === 0) setImmediate(() => this.#send())
    const asked = withResolvers()
    this.#gathered.set(id, asked)
    if (this.#gathered.size >= MAX_IDS) this.#send()
    return asked.promise
  }

  #send(): void {
    const batch = this.#gathered
    if (batch.size === 0) return
    this.#gathered = new Map()
    const settled = batch.size === 1 ? this.#sendOne(batch) : this.#sendMany(batch)
    settled.catch((error: unknown) => {
      for (const asked of batch.values()) asked.reject(error)
    })
  }

  async #sendOne(batch: Map<string, Waiting>): Promise<void> {
    for (const [id, asked] of batch) asked.resolve(await this.#one(id))
  }

  async #sendMany(batch: Map<string, Waiting>): Promise<void> {
    const ids = [...batch.keys()]
    const ask = async () => oneEach(ids, await this.store.getMany!(ids))
    const records = await this.calls.call('getMany', ask)
    for (const [index, [id, asked]] of [...batch].entries()) {
      // Each for itself: one damaged record fails only its own request.
      try {
        asked.resolve(checked(id, records[index]))
      } catch (error) {
        asked.reject(this.calls.failed('getMany', error as SessionError))
      }
    }
  }
}

/** What is not one place for each id can't be told apart, and might give one browser the session of another. */
function oneEach(ids: readonly string[], records: Found[]): Found[] {
  if (Array.isArray(records) && records.length === ids.length) return records
  throw new SessionError(
    'RECORD_DAMAGED',
    `The session store did not answer getMany with a record or undefined for each id. Fix the store.`,
  )
}

function checked(id: string, record: Found): Found {
  // `null` is what many drivers say for nothing.
  if (record === undefined || record === null) return undefined
  if (isSessionRecord(record) && record.id === id) return record
  throw damaged(id)
}

function damaged(id: string): SessionError {
  return new SessionError(
    'RECORD_DAMAGED',
    `What the store holds for session ${id} is not a session record. ` +
      `Revoke that session to drop it, and see what else writes to the store.`,
  )
}

function withResolvers(): Waiting {
  let resolve!: Waiting['resolve']
  let reject!: Waiting['reject']
  const promise = new Promise<Found>((onFound, onError) => {
    resolve = onFound
    reject = onError
  })
  return { promise, resolve, reject }
}
