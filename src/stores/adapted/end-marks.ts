import { hash } from 'node:crypto'
import { isObject } from '../../lib/json/is-object.js'
import { absentIfNoEntry, ask, type ExpressSessionStore } from './calls.js'

/**
 * How long an end is remembered: longer than a request that has read the session before it can go on, and than what such
 * a request wrote in a process that then crashed can live. 30 days.
 */
const REMEMBERED_MS = 30 * 86_400_000

/**
 * Says to every process that runs this package which sessions of a store of express-session have ended. Such a store
 * can't refuse to write what is not there any more, so a slow request of another process could write a session after its
 * end. The mark is an entry of its own, which no such write replaces: whoever finds it takes the session as ended.
 */
export class EndMarks {
  constructor(private readonly store: ExpressSessionStore) {}

  /** Set before the session is destroyed, so that there is no moment in between. */
  async add(id: string): Promise<void> {
    const expires = new Date(Date.now() + REMEMBERED_MS)
    const cookie = { originalMaxAge: REMEMBERED_MS, maxAge: REMEMBERED_MS, expires }
    await ask(this.store, 'set', keyOf(id), { cookie, ended: true })
  }

  async has(id: string): Promise<boolean> {
    const found = await ask(this.store, 'get', keyOf(id)).catch(absentIfNoEntry)
    return isObject(found) && found.ended === true
  }
}

/** The id of a session is its secret, so the mark has a hash of it. It names a file in some stores. */
function keyOf(id: string): string {
  return `ended-${hash('sha256', id, 'base64url')}`
}
