import { setTimeout as pause } from 'node:timers/promises'
import { memoryStore, type MaybePromise, type SessionRecord, type SessionStore } from 'express-sid'
import type { Operation } from './stores.js'

/** How the store answers when it is well: at once, with promises, or with promises and many at a time. */
export type Style = 'sync' | 'async' | 'batching'
export const styles: readonly Style[] = ['sync', 'async', 'batching']

/**
 * What goes wrong with a call:
 * - `throws`, `rejects`: it fails before it has an effect, at once or with a promise.
 * - `loses`: it has its effect, and fails then: the answer was lost on the way.
 * - `hangs`: it never ends.
 * - `lags`: it succeeds after 15 ms.
 * - `damaged`: it says what no store may say.
 * - A function stands in for the call: it gets what the call would do, and may do it.
 */
export type Fault = keyof typeof faults | ((work: () => unknown) => unknown)

const faults = {
  throws: () => {
    throw new Error('the disk is on fire')
  },
  rejects: () => Promise.reject(new Error('the line is dead')),
  loses: async (work: () => unknown) => {
    await work()
    throw new Error('the line is dead')
  },
  hangs: () => new Promise(() => undefined),
  lags: (work: () => unknown) => pause(15).then(work),
  damaged: (_work: () => unknown, operation: Operation): unknown => {
    if (operation === 'get') return { id: 'not a record' }
    return operation === 'getMany' ? [{ id: 'not a record' }] : [{}, null]
  },
}

/** How a function of an application fails: at once, or with a promise. For `test.each`. */
export const waysToFail: readonly [string, () => never | Promise<never>][] = [
  [
    'throws',
    () => {
      throw new Error('no database')
    },
  ],
  ['rejects', () => Promise.reject(new Error('no database'))],
]

/** A memory store that can be made to fail at any operation, and that says what it was asked. */
export class FaultyStore implements SessionStore {
  readonly calls: Operation[] = []
  readonly getMany: SessionStore['getMany']
  readonly inner = memoryStore()
  readonly #faults = new Map<Operation, { fault: Fault; isOnce: boolean }>()

  constructor(private readonly style: Style = 'sync') {
    if (style === 'batching') {
      this.getMany = (ids) =>
        this.#do('getMany', () => Promise.all(ids.map(async (id) => this.inner.get(id))))
    }
  }

  /** From now on the operation fails so. A lookup fails however it is made. */
  breakAt(operation: Operation, fault: Fault, isOnce = false): void {
    this.#faults.set(operation, { fault, isOnce })
    if (operation === 'get') this.#faults.set('getMany', { fault, isOnce })
  }

  /** The next call of the operation fails so, and no other. */
  breakNext(operation: Operation, fault: Fault): void {
    this.breakAt(operation, fault, true)
  }

  mend(): void {
    this.#faults.clear()
  }

  insert(record: SessionRecord) {
    return this.#do('insert', () => this.inner.insert(record))
  }
  get(id: string) {
    return this.#do('get', () => this.inner.get(id))
  }
  update(record: SessionRecord, ifVersion: number) {
    return this.#do('update', () => this.inner.update(record, ifVersion))
  }
  delete(id: string) {
    return this.#do('delete', () => this.inner.delete(id))
  }
  listByUser(userId: string) {
    return this.#do('listByUser', () => this.inner.listByUser(userId))
  }

  #do<T>(operation: Operation, work: () => MaybePromise<T>): MaybePromise<T> {
    this.calls.push(operation)
    const { fault, isOnce } = this.#faults.get(operation) ?? {}
    if (isOnce) this.#faults.delete(operation)
    if (typeof fault === 'string') return faults[fault](work, operation) as MaybePromise<T>
    const answer = () => (fault === undefined ? work() : (fault(work) as MaybePromise<T>))
    return this.style === 'sync' ? answer() : Promise.resolve().then(answer)
  }
}
