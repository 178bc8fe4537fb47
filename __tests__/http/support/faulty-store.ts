import { memoryStore, type MaybePromise, type SessionRecord, type SessionStore } from 'express-sid'

export type Operation = 'insert' | 'get' | 'getMany' | 'update' | 'delete' | 'listByUser'
export type Fault = 'throws' | 'rejects' | 'hangs' | 'damaged'

/** How the store answers when it is well: at once, with promises, or with promises and many at a time. */
export type Style = 'sync' | 'async' | 'batching'
export const styles: readonly Style[] = ['sync', 'async', 'batching']

/** A memory store that can be made to fail at any operation, and that says what it was asked. */
export class FaultyStore implements SessionStore {
  readonly calls: Operation[] = []
  readonly getMany: SessionStore['getMany']
  readonly inner = memoryStore()
  readonly #faults = new Map<Operation, Fault>()

  constructor(private readonly style: Style = 'sync') {
    if (style === 'batching') {
      this.getMany = (ids) =>
        this.#do('getMany', () => Promise.all(ids.map(async (id) => this.inner.get(id))))
    }
  }

  /** From now on the operation fails so. A lookup fails however it is made. */
  breakAt(operation: Operation, fault: Fault): void {
    this.#faults.set(operation, fault)
    if (operation === 'get') this.#faults.set('getMany', fault)
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
    switch (this.#faults.get(operation)) {
      case 'throws':
        throw new Error('the disk is on fire')
      case 'rejects':
        return Promise.reject(new Error('the line is dead'))
      case 'hangs':
        return new Promise(() => undefined)
      case 'damaged':
        return damaged(operation) as T
      default:
        return this.style === 'sync' ? work() : Promise.resolve().then(work)
    }
  }
}

/** What a store that has lost its mind might say. */
function damaged(operation: Operation): unknown {
  if (operation === 'get') return { id: 'not a record' }
  return operation === 'getMany' ? [{ id: 'not a record' }] : [{}, null]
}
