import { debug, isDebugging } from '../../lib/debug.js'
import { dropOldest } from '../../lib/drop-oldest.js'
import { chain, isPromise } from '../../lib/async/promises.js'
import type { SessionRecord } from '../../record.js'
import type { MaybePromise, UpdateResult } from '../../store.js'
import type { Client } from '../client/client.js'
import type { Events } from '../events/events.js'
import { isTouchDue, touched } from '../lifetime.js'
import type { Records } from '../records/records.js'
import { isIssueDue, isSettleDue, settled, withSuccessor, type Standing } from './rotation.js'
import type { Settings } from '../settings.js'
import { successorOf, type Token } from '../token.js'

/** So many touches are remembered, for as long as parallel requests may take. More of them cost a call each, no more. */
const MAX_TOUCHED = 1_000

/** A verified use of a session. */
export interface Use {
  readonly token: Token
  readonly standing: Standing
  readonly client: Client
  /** Whether the response can carry a new token. */
  readonly takesToken: () => boolean
  /** Takes the touch, where it is not written at once: see `ClientSource`. */
  readonly touchLater: ((touch: () => unknown) => void) | undefined
}

/** The session after its use: `undefined` where it has ended meanwhile; with a token where one was issued. */
export interface Renewed {
  readonly record: SessionRecord | undefined
  readonly token: string | undefined
}

/**
 * What the use of a session changes of its record: its deadline, a successor, the successor's turn. All in one write,
 * unless whether the deadline moves is decided later.
 */
export class Renewal {
  /** The versions that were touched last, by session. */
  readonly #touched = new Map<string, number>()

  constructor(
    private readonly records: Records,
    private readonly events: Events,
    private readonly settings: Settings,
  ) {}

  /** Whether this use may change anything. Most do not. Says nothing of the response, which is looked at in `renew`. */
  isDue(record: SessionRecord, standing: Standing, now: number): boolean {
    return (
      isTouchDue(record, now, this.settings) ||
      isIssueDue(record, standing, now, this.settings) ||
      isSettleDue(record, standing, now, this.settings)
    )
  }

  /**
   * Writes what is due. A failure or a conflict changes nothing for the request: it goes on with the record that was
   * found, and without a new token. The next use tries again.
   */
  renew(record: SessionRecord, use: Use): MaybePromise<Renewed> {
    const now = Date.now()
    const { standing, token, client, touchLater } = use
    const issues = isIssueDue(record, standing, now, this.settings) && use.takesToken()
    const settles = isSettleDue(record, standing, now, this.settings)
    const touches = isTouchDue(record, now, this.settings)
    const unchanged: Renewed = { record, token: undefined }
    const leaveTouch = (current: SessionRecord) => {
      if (touches) touchLater?.(() => this.#touch(current, now, client))
    }
    // A successor may be due that this response can't carry. Then each image of a page would write.
    if (!issues && !settles && (touchLater !== undefined || !touches)) {
      leaveTouch(record)
      return unchanged
    }
    const successor = issues ? successorOf(token) : undefined
    let next = touchLater === undefined ? touched(record, now, client, this.settings) : record
    if (successor !== undefined) next = withSuccessor(next, successor.secretHash, now)
    if (settles) next = settled(next, now, this.settings)
    next = { ...next, version: record.version + 1 }
    return chain(this.#write(next, written(issues, settles)), (result) => {
      // Absent: logged out since it was read. Conflict: another request wrote what was due.
      if (result !== 'ok') return result === 'absent' ? { record: undefined, token: undefined } : unchanged
      if (successor !== undefined) this.#report(next, client)
      leaveTouch(next)
      return { record: next, token: successor?.token }
    })
  }

  /** Moves the deadline by a use that was a moment ago. Where the session has ended, or others have written, nothing happens. */
  #touch(record: SessionRecord, usedAt: number, client: Client): unknown {
    const { id, version } = record
    // The requests of a page have all read the same version, and one touch of it is enough.
    if (this.#touched.get(id) === version) return undefined
    this.#touched.set(id, version)
    dropOldest(this.#touched, MAX_TOUCHED)
    const next = { ...touched(record, usedAt, client, this.settings), version: version + 1 }
    return chain(this.#write(next, written(false, false)), (result) => {
      // The next use tries again.
      if (result === 'failed') this.#touched.delete(id)
    })
  }

  /** Writes one version. Never throws or rejects: who has sent the request can't do anything about a failure. */
  #write(next: SessionRecord, what: string): MaybePromise<UpdateResult | 'failed'> {
    const say = <R extends UpdateResult | 'failed'>(result: R): R => {
      if (isDebugging) debug(`session ${next.id}: ${what}: ${result}`)
      return result
    }
    try {
      const result = this.records.updateTogether(next, next.version - 1)
      return isPromise(result) ? result.then(say, () => say('failed')) : say(result)
    } catch {
      return say('failed')
    }
  }

  #report(record: SessionRecord, client: Client): void {
    const { unusedRotations: times = 0 } = record
    this.events.emit('rotate', { record, client })
    // One may get lost. Several in a row: somebody takes each successor and never uses it, or a proxy drops cookies.
    if (times > 1) this.events.emit('rotationUnused', { record, client, times })
  }
}

/** What a use writes, in words. */
function written(issues: boolean, settles: boolean): string {
  if (issues) return 'rotation, a successor of the secret is issued'
  return settles ? 'rotation, the successor becomes the secret' : 'touch, the idle deadline moves'
}
