import { SessionError } from '../../errors.js'
import { damageOf, isSessionRecord, type SessionRecord } from '../../record.js'
import { hashOf } from '../token.js'
import type { StoreCalls } from './store-calls.js'

type Found = SessionRecord | undefined

/**
 * Called once with what was found. `hash` is that of the secret that was given, where there is a record; `failure`
 * is there when the lookup failed, and then nothing was found.
 */
export type OnFound = (record: Found, hash: string, failure: unknown) => void

/** The lookups that were put off in one turn of the event loop, each in its place. */
export class Turn {
  isSent = false
  /** Settles when the store has answered; absent when it answered at once. Never rejects. */
  answered: Promise<void> | undefined = undefined
  #failure: unknown = undefined
  readonly #ids: string[] = []
  readonly #secrets: string[] = []
  readonly #hashes: string[] = []
  /** What each place has found: its record, or why there is none. */
  readonly #found: (Found | SessionError)[] = []

  get size(): number {
    return this.#ids.length
  }

  add(id: string, secret: string): number {
    this.#secrets.push(secret)
    return this.#ids.push(id) - 1
  }

  /** @param eachOnce many requests of one turn may have the same session: whether it is asked for once. */
  ids(eachOnce: boolean): readonly string[] {
    return eachOnce && this.size > 1 ? [...new Set(this.#ids)] : this.#ids
  }

  settle(records: readonly Found[], calls: StoreCalls): void {
    const byId = records.length === this.size ? undefined : this.#byId(records)
    for (let at = 0; at < this.size; at += 1) {
      const id = this.#ids[at]!
      let found: Found | SessionError
      // Each for itself: one damaged record fails only its own request.
      try {
        found = checked(id, byId === undefined ? records[at] : byId.get(id))
      } catch (error) {
        found = calls.failed(this.size === 1 ? 'get' : 'getMany', error as SessionError)
      }
      this.#found.push(found)
      this.#hashes.push(found === undefined || this.#secrets[at] === '' ? '' : hashOf(this.#secrets[at]!))
    }
  }

  fail(error: unknown): void {
    this.#failure = error
  }

  tell(at: number, onFound: OnFound): void {
    if (this.#failure !== undefined) return onFound(undefined, '', this.#failure)
    const found = this.#found[at]
    if (found instanceof Error) onFound(undefined, '', found)
    else onFound(found, this.#hashes[at]!, undefined)
  }

  #byId(records: readonly Found[]): Map<string, Found> {
    return new Map(this.ids(true).map((id, at) => [id, records[at]]))
  }
}

/** What the store returned for an id, checked to be its record. */
export function checked(id: string, record: Found): Found {
  // `null` is what many drivers return for nothing.
  if (record === undefined || record === null) return undefined
  if (isSessionRecord(record) && record.id === id) return record
  throw damaged(id, damageOf(record))
}

function damaged(id: string, why = 'It is not a session record.'): SessionError {
  return new SessionError(
    'RECORD_DAMAGED',
    `What the store holds for session ${id} can not be used. ${why} ` +
      `Revoke that session to drop it, and see what else writes to the store.`,
  )
}
