import { setImmediate } from '../../lib/async/timers.js'
import { Store } from './store.js'
import type { Callback, StoredData, StoreObject } from './types.js'

/** A store in this process, as express-session has one: it keeps text, and forgets what has expired when it is read. */
export interface MemoryStore extends StoreObject {
  /** By session id, as JSON. */
  sessions: Record<string, string>
  all(callback: Callback<Record<string, StoredData>>): void
  length(callback: Callback<number>): void
  clear(callback?: Callback): void
  touch(sid: string, session: StoredData, callback?: Callback): void
}

interface MemoryStoreConstructor {
  new (): MemoryStore
  (this: unknown): void
  readonly prototype: MemoryStore
}

export const MemoryStore = function (this: MemoryStore) {
  Store.call(this)
  this.sessions = Object.create(null) as Record<string, string>
} as unknown as MemoryStoreConstructor

Object.setPrototypeOf(MemoryStore, Store)
Object.setPrototypeOf(MemoryStore.prototype, Store.prototype)
Object.assign(MemoryStore.prototype, {
  get(this: MemoryStore, sid: string, callback: Callback<StoredData | undefined>): void {
    setImmediate(callback, null, read(this, sid))
  },

  set(this: MemoryStore, sid: string, session: StoredData, callback?: Callback): void {
    this.sessions[sid] = JSON.stringify(session)
    if (callback) setImmediate(callback)
  },

  destroy(this: MemoryStore, sid: string, callback?: Callback): void {
    delete this.sessions[sid]
    if (callback) setImmediate(callback)
  },

  touch(this: MemoryStore, sid: string, { cookie }: StoredData, callback?: Callback): void {
    const found = read(this, sid)
    if (found) this.sessions[sid] = JSON.stringify({ ...found, cookie })
    if (callback) setImmediate(callback)
  },

  all(this: MemoryStore, callback: Callback<Record<string, StoredData>>): void {
    const all: Record<string, StoredData> = Object.create(null)
    for (const sid of Object.keys(this.sessions)) {
      const found = read(this, sid)
      if (found) all[sid] = found
    }
    setImmediate(callback, null, all)
  },

  length(this: MemoryStore, callback: Callback<number>): void {
    this.all((error, all) => (error ? callback(error) : callback(null, Object.keys(all!).length)))
  },

  clear(this: MemoryStore, callback?: Callback): void {
    this.sessions = Object.create(null) as Record<string, string>
    if (callback) setImmediate(callback)
  },
})

function read(store: MemoryStore, sid: string): StoredData | undefined {
  const text = store.sessions[sid]
  if (text === undefined) return undefined
  const session = JSON.parse(text) as StoredData
  const expires = session.cookie?.expires
  if (typeof expires !== 'string' || Date.parse(expires) > Date.now()) return session
  delete store.sessions[sid]
  return undefined
}
