import { SessionError } from '../../errors.js'
import { chain } from '../../lib/async/promises.js'
import { setImmediate } from '../../lib/async/timers.js'
import type { SessionRecord } from '../../record.js'
import type { MaybePromise, SessionStore, UpdateResult } from '../../store.js'
import type { StoreCalls } from './store-calls.js'

interface Waiting {
  readonly record: SessionRecord
  readonly ifVersion: number
  readonly resolve: (result: UpdateResult) => void
  readonly reject: (error: unknown) => void
}

/**
 * Updates that can wait for the end of the turn: the touches of its requests. Where the store offers `updateMany` they
 * are sent as one call, which for SQLite is one transaction, and one wait for the disk, in place of many.
 */
export class GatheredUpdates {
  #waiting: Waiting[] = []

  constructor(
    private readonly store: SessionStore,
    private readonly calls: StoreCalls,
  ) {}

  update(record: SessionRecord, ifVersion: number): MaybePromise<UpdateResult> {
    if (this.store.updateMany === undefined) {
      return this.calls.call('update', () => this.store.update(record, ifVersion))
    }
    return new Promise((resolve, reject) => {
      if (this.#waiting.length === 0) setImmediate(() => void this.#send())
      this.#waiting.push({ record, ifVersion, resolve, reject })
    })
  }

  /** Never rejects: each update is told how it went. */
  async #send(): Promise<void> {
    const batch = this.#waiting
    this.#waiting = []
    try {
      const results = await this.calls.call('updateMany', () =>
        chain(this.store.updateMany!(batch), (all) => oneEach(batch, all)),
      )
      for (const [at, waiting] of batch.entries()) waiting.resolve(results[at]!)
    } catch (error) {
      for (const waiting of batch) waiting.reject(error)
    }
  }
}

function oneEach(batch: readonly Waiting[], results: readonly UpdateResult[]): readonly UpdateResult[] {
  if (Array.isArray(results) && results.length === batch.length) return results as readonly UpdateResult[]
  throw new SessionError(
    'STORE_FAILED',
    'The session store did not return one result for each update of updateMany. Fix the store.',
  )
}
