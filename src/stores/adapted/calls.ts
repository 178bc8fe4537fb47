import { isObject } from '../../lib/json/is-object.js'
import { isPromise } from '../../lib/async/promises.js'
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

/** One record as such a store returns it. */
export interface StoredSession {
  readonly record: SessionRecord
  /** When the store's cookie expires, which some stores rewrite in `touch`; NaN where it is not known. */
  readonly cookieExpires: number
}

/** The property of a session that holds our record, as text: no store's encoding of values can change it. */
const FIELD = 'expressSid'

/**
 * Calls a method of the store, and settles once whatever it does: throw, call back twice, call back and then
 * reject. The callback gives the result. A promise counts only where it rejects, and where the method takes no
 * callback.
 *
 * @example await ask(store, 'destroy', id)
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
    if (!isPromise(returned)) return
    const takesCallback = call.length > args.length
    returned.then((value) => {
      if (!takesCallback) resolve(value)
    }, reject)
  })
}

/**
 * What the store holds under this id; `undefined` where there is nothing, or another application's session.
 *
 * @example const stored = await read(store, id)
 */
export async function read(store: ExpressSessionStore, id: string): Promise<StoredSession | undefined> {
  const session = await ask(store, 'get', id).catch(absentIfNoEntry)
  if (!isObject(session) || session[FIELD] === undefined) return undefined
  // Anything but text is damaged, like text that is no record.
  const record = decodeRecord(id, session[FIELD] as string)
  const expires = isObject(session.cookie) ? session.cookie.expires : undefined
  return { record, cookieExpires: new Date(expires as string | number | Date).getTime() }
}

/**
 * The session that holds a record: our text, and a cookie like express-session's, since each store finds its time
 * to live in another property of that cookie. An express-session application that reads it finds no user in it.
 *
 * @example await ask(store, 'set', id, pack(encodeRecord(record), record.expiresAt))
 */
export function pack(text: string, expiresAt: number): object {
  const maxAge = expiresAt - Date.now()
  const cookie = { originalMaxAge: maxAge, maxAge, expires: new Date(expiresAt) }
  return { cookie, [FIELD]: text }
}

/** Stores on files say ENOENT for a session that is not there. express-session reads that in the same way. */
export function absentIfNoEntry(error: unknown): undefined {
  if (isObject(error) && error.code === 'ENOENT') return undefined
  throw error
}
