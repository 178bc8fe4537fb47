import { EventEmitter } from 'node:events'
import { Cookie, type CookieInput } from './cookie.js'
import { nextPlace, originFor, originOf, setOrigin } from '../origin.js'
import { textOf } from '../snapshot.js'
import { Session } from './session.js'
import type { Callback, SessionObject, SessionRequest, StoredData, StoreObject } from './types.js'

/** `Store` is called as a function by stores that were written before classes: `Store.call(this)`. */
interface StoreConstructor {
  new (): StoreObject
  (this: unknown): void
  readonly prototype: StoreObject
}

/** What a store of express-session inherits from. */
export const Store = function (this: StoreObject) {
  EventEmitter.call(this)
} as unknown as StoreConstructor

Object.setPrototypeOf(Store, EventEmitter)
Object.setPrototypeOf(Store.prototype, EventEmitter.prototype)
Object.assign(Store.prototype, {
  regenerate(this: StoreObject, req: SessionRequest, callback: Callback): void {
    this.destroy(req.sessionID as string, (error) => {
      this.generate(req)
      callback(error)
    })
  },

  load(this: StoreObject, sid: string, callback: Callback<SessionObject>): void {
    const readAt = nextPlace()
    this.get(sid, (error, found) => {
      if (error) return callback(error)
      if (!found) return callback()
      if (originOf(found) === undefined) setOrigin(found, originFor(sid, textOf(found), readAt))
      const req = { sessionID: sid, sessionStore: this } as SessionRequest
      callback(null, this.createSession(req, found))
    })
  },

  createSession,
})

/**
 * Makes the session of a request by the method of its store. A store that inherits from express-session itself makes one
 * of that package, whose methods go around this one: it becomes one of ours.
 */
export function inflated(store: StoreObject, req: SessionRequest, found: StoredData): void {
  const made = store.createSession(req, found)
  if (made instanceof Session || req.session !== made) return
  const { cookie, ...data } = made as StoredData
  createSession(req, { ...data, cookie: cookieDataOf(cookie) })
}

/** What `Cookie` takes, of the cookie of another package. */
function cookieDataOf(cookie: CookieInput): CookieInput {
  return typeof (cookie as { data?: unknown }).data === 'object'
    ? (cookie as { data: CookieInput }).data
    : cookie
}

/** Makes the session of a request from what its store returned. Throws for what has no cookie. */
export function createSession(req: SessionRequest, found: StoredData): SessionObject {
  const expires = found.cookie.expires
  const originalMaxAge = found.cookie.originalMaxAge
  const cookie = new Cookie(found.cookie)
  if (typeof expires === 'string') cookie.expires = new Date(expires)
  // As it was stored: `expires` has set it to what is left.
  cookie.originalMaxAge = originalMaxAge as number | null
  found.cookie = cookie
  const session = new Session(req, found) as SessionObject
  // Where there is no request, it is saved by `store.set()`, which must know what was read.
  const origin = originOf(found)
  if (origin !== undefined) setOrigin(session, origin)
  req.session = session
  return session
}
