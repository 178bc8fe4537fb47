import { decodeRecord, type SessionRecord } from '../../record.js'

type Callback = (error?: unknown, value?: unknown) => void

/** What this package calls of an express-session store (`express-session`'s own `Store`, or its like). */
export interface ExpressSessionStore {
  get(sid: string, callback: Callback): unknown
  set(sid: string, session: object, callback: Callback): unknown
  destroy(sid: string, callback: Callback): unknown
  touch?(sid: string, session: object, callback: Callback): unknown
  on?(event: 'error', listener: () => void): unknown
}

/** One record as such a store hands it out. */
export interface StoredSession {
  readonly record: SessionRecord
  /** When the store's cookie expires, which some stores rewrite in `touch`; NaN where there is no telling. */
  readonly cookieExpires: number
}

/** The property of a session that holds our record, as text: no store's encoding of values can change it. */
const FIELD = 'expressSid'

/**
 * Asks the store, and answers once whatever it does: throw, call back twice, call back and then reject.
 * The callback is the answer. A promise is one where it rejects, and where the method takes no callback.
 */
export function ask(
  store: ExpressSessionStore,
  method: 'get' | 'set' | 'destroy' | 'touch',
  ...args: readonly [string, object?]
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const call = store[method] as (...all: unknown[]) => unknown
    const callback: Callback = (error, value) => (error ? reject(error) : resolve(value))
    const returned = call.call(store, ...args, callback)
    if (!isThenable(returned)) return
    const takesCallback = call.length > args.length
    returned.then((value) => {
      if (!takesCallback) resolve(value)
    }, reject)
  })
}

/** What the store holds under this id: nothing where there is nothing, or another application's session. */
export async function read(store: ExpressSessionStore, id: string): Promise<StoredSession | undefined> {
  const session = await ask(store, 'get', id).catch(absentIfNoEntry)
  if (!isObject(session) || session[FIELD] === undefined) return undefined
  // What is not even text is answered like text that is no record: as damaged.
  const record = decodeRecord(id, session[FIELD] as string)
  const expires = isObject(session.cookie) ? session.cookie.expires : undefined
  return { record, cookieExpires: new Date(expires as string | number | Date).getTime() }
}

/**
 * The session that holds a record: a cookie like express-session's, since each store finds its time to live
 * in another property of it, and our text. An express-session application that reads it finds no user in it.
 */
export function pack(text: string, expiresAt: number): object {
  const maxAge = expiresAt - Date.now()
  const cookie = { originalMaxAge: maxAge, maxAge, expires: new Date(expiresAt) }
  return { cookie, [FIELD]: text }
}

/** Stores on files say ENOENT for a session that is not there, which express-session takes as that too. */
function absentIfNoEntry(error: unknown): undefined {
  if (isObject(error) && error.code === 'ENOENT') return undefined
  throw error
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return isObject(value) && typeof value.then === 'function'
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
