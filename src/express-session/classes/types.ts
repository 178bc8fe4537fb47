import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Cookie, CookieInput } from './cookie.js'

/** What the methods of a store call when they are done. */
export type Callback<T = void> = (error?: unknown, value?: T) => void

/** A session as a store returns it: what the application keeps, and the cookie. */
export interface StoredData {
  cookie: CookieInput
  [key: string]: unknown
}

/** What `req.session` is. */
export interface SessionObject extends StoredData {
  readonly id: string
  cookie: Cookie
  readonly req: SessionRequest
  touch(): unknown
  save(done: Callback): unknown
}

/** A request with what the middleware has put there. */
export type SessionRequest = IncomingMessage & {
  originalUrl?: string
  secret?: string | undefined
  secure?: boolean
  cookies?: unknown
  signedCookies?: unknown
  session?: SessionObject | null | undefined
  sessionID?: unknown
  sessionStore?: StoreObject | undefined
}

/** A store of express-session, as packages of stores inherit from it. */
export interface StoreObject extends EventEmitter {
  get(sid: string, callback: Callback<StoredData | null | undefined>): unknown
  set(sid: string, session: StoredData, callback?: Callback): unknown
  destroy(sid: string, callback?: Callback): unknown
  touch?(sid: string, session: StoredData, callback?: Callback): unknown
  all?(callback: Callback<unknown>): unknown
  length?(callback: Callback<number>): unknown
  clear?(callback?: Callback): unknown
  /** Gives the request a new session. The middleware puts this method there. */
  generate(req: SessionRequest): void
  regenerate(req: SessionRequest, callback: Callback): void
  load(sid: string, callback: Callback<SessionObject>): void
  createSession(req: SessionRequest, session: StoredData): SessionObject
}

/** What a request's session asks of the middleware. */
export interface Visitor {
  touched(): void
  save(session: SessionObject): Promise<void>
  reload(sid: string): Promise<void>
  destroy(sid: string): Promise<void>
  /** The response waits for it, and fails with it. */
  track(work: Promise<void>): Promise<void>
}

// A registered symbol, for the ESM and CommonJS copies of this package.
const visitor = Symbol.for('express-sid.visit')

type Visited = SessionRequest & { [visitor]?: Visitor }

/** What the middleware keeps of this request; `undefined` where there is none, as for a session that a socket loads. */
export function visitorOf(req: SessionRequest): Visitor | undefined {
  return (req as Visited)[visitor]
}

export function attachVisitor(req: SessionRequest, made: Visitor): void {
  ;(req as Visited)[visitor] = made
}
