import type * as expressSession from 'express-session'
import './augment.js'
import * as cookies from './classes/cookie.js'
import * as memory from './classes/memory-store.js'
import * as sessions from './classes/session.js'
import * as stores from './classes/store.js'
import { session as middleware } from './session.js'

export { legacyCookie, type LegacyCookieOptions } from './cookie/legacy-cookie.js'
export { toExpressSession } from './managed/managed-store.js'
export type { ConnectStore, ExpressSessionOptions } from './types.js'

// With the types of express-session, so that what applications have declared for them holds here as well.

/** What a store of express-session inherits from. */
export const Store = stores.Store as unknown as typeof expressSession.Store
export type Store = expressSession.Store
/** A store in this process, as express-session has one. */
export const MemoryStore = memory.MemoryStore as unknown as typeof expressSession.MemoryStore
export type MemoryStore = expressSession.MemoryStore
/** The class of `req.session`. */
export const Session = sessions.Session as unknown as typeof expressSession.Session
export type Session = expressSession.Session
/** The class of `req.session.cookie`. */
export const Cookie = cookies.Cookie as unknown as typeof expressSession.Cookie
export type Cookie = expressSession.Cookie

/** What `req.session` holds: `declare module 'express-session'` adds to it. */
export type SessionData = expressSession.SessionData

/**
 * Middleware that takes the place of express-session, as a value that is called and that has its classes.
 *
 * @example
 * import session from 'express-sid/express-session'
 * app.use(session({ secret, store: redisStore(client) }))
 */
export const session = Object.assign(middleware, { Store, MemoryStore, Session, Cookie })

// What `session.Store` and its kind are as types: those of express-session.
/* oxlint-disable no-shadow -- the same names, inside of `session` */
export declare namespace session {
  export type Store = expressSession.Store
  export type MemoryStore = expressSession.MemoryStore
  export type Session = expressSession.Session
  export type Cookie = expressSession.Cookie
  export type SessionData = expressSession.SessionData
  export type SessionOptions = expressSession.SessionOptions
  export type CookieOptions = expressSession.CookieOptions
}
/* oxlint-enable no-shadow */

// oxlint-disable-next-line import/no-default-export -- as express-session has it
export default session
