import type { SessionStore } from '../../src/store.js'

/** What can be asked of a store. */
export type Operation = keyof SessionStore

/** One call as a store saw it. */
export interface Call {
  readonly operation: Operation
  readonly args: readonly unknown[]
}

const operations: readonly Operation[] = [
  'insert',
  'get',
  'getMany',
  'updateMany',
  'update',
  'delete',
  'listByUser',
  'pageByUser',
  'scan',
  'count',
  'deleteExpired',
]

type Method = (...args: unknown[]) => unknown

/** The store with each method wrapped; what it does not offer, the wrapped one does not offer either. */
export function wrapped(
  store: SessionStore,
  wrap: (operation: Operation, method: Method) => Method,
): SessionStore {
  const methods: Partial<Record<Operation, Method>> = {}
  for (const operation of operations) {
    const method = store[operation] as Method | undefined
    if (method !== undefined) methods[operation] = wrap(operation, method.bind(store))
  }
  return { ...methods, atomicUpdates: store.atomicUpdates } as unknown as SessionStore
}

/** A turn of the event loop: everything that is ready now has run by then. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** Several of them: long enough for whatever an `asyncStore` was asked, and for rejections that nobody heard. */
export async function turns(count = 10): Promise<void> {
  for (let i = 0; i < count; i += 1) await turn()
}

/** As on a network: the question takes a turn to arrive, and the answer one to come back. */
export function asyncStore(store: SessionStore): SessionStore {
  return wrapped(store, (_, method) => async (...args) => {
    await turn()
    const answer = await method(...args)
    await turn()
    return answer
  })
}

/** The store with some methods replaced; `undefined` takes one away. */
export function replacing(
  store: SessionStore,
  methods: { [Name in Operation]?: SessionStore[Name] | undefined },
): SessionStore {
  // Who replaces how sessions are listed replaces both ways of it.
  const pages = 'listByUser' in methods ? { pageByUser: undefined } : {}
  return { ...wrapped(store, (_, method) => method), ...pages, ...methods }
}

/** The store with one operation that fails in a way of the test's choosing; by default it throws. */
export function failing(
  store: SessionStore,
  operation: Operation,
  fail: (...args: unknown[]) => never | Promise<never> = () => {
    throw new Error(`${operation} is out of order`)
  },
): SessionStore {
  return replacing(store, { [operation]: fail })
}

/** Never answers one operation. */
export function hanging(store: SessionStore, operation: Operation): SessionStore {
  return failing(store, operation, () => new Promise<never>(() => undefined))
}

/** Offers `getMany`, as stores on a network do. */
export function batching(store: SessionStore): SessionStore {
  return replacing(store, { getMany: (ids) => Promise.all(ids.map(async (id) => store.get(id))) })
}

/** The store, and every call it gets. */
export function recording(store: SessionStore): { store: SessionStore; calls: Call[] } {
  const calls: Call[] = []
  const spy = wrapped(store, (operation, method) => (...args) => {
    calls.push({ operation, args })
    return method(...args)
  })
  return { store: spy, calls }
}
