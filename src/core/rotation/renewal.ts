import { debug, isDebugging } from '../../lib/debug.js'
import { isPromise } from '../../lib/async/promises.js'
import type { SessionRecord } from '../../record.js'
import type { MaybePromise, UpdateResult } from '../../store.js'
import type { Client } from '../client/client.js'
import type { Events } from '../events/events.js'
import { isTouchDue, touched } from '../lifetime.js'
import type { Records } from '../records/records.js'
import { isIssueDue, isSettleDue, settled, withSuccessor, type Standing } from './rotation.js'
import type { Settings } from '../settings.js'
import { successorOf, type Token } from '../token.js'

/** A verified use of a session. */
export interface Use {
  readonly token: Token
  readonly standing: Standing
  readonly client: Client
  /** Whether the response can carry a new token. */
  readonly takesToken: () => boolean
}

/** The session after its use: `undefined` where it has ended meanwhile; with a token where one was issued. */
export interface Renewed {
  readonly record: SessionRecord | undefined
  readonly token: string | undefined
}

/** What the use of a session changes of its record, all in one write: its deadline, a successor, the successor's turn. */
export class Renewal {
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
    const { standing, token, client } = use
    const issues = isIssueDue(record, standing, now, this.settings) && use.takesToken()
    const settles = isSettleDue(record, standing, now, this.settings)
    const unchanged: Renewed = { record, token: undefined }
    // A successor may be due that this response can't carry. Then each image of a page would write.
    if (!issues && !settles && !isTouchDue(record, now, this.settings)) return unchanged

    const successor = issues ? successorOf(token) : undefined
    let next = touched(record, now, client, this.settings)
    if (successor !== undefined) next = withSuccessor(next, successor.secretHash, now)
    if (settles) next = settled(next, now, this.settings)
    next = { ...next, version: record.version + 1 }
    const settle = (result: UpdateResult): Renewed => {
      if (isDebugging) debug(`session ${record.id}: ${written(issues, settles)}: ${result}`)
      // Absent: logged out since it was read. Conflict: another request wrote, and moved the deadline by that.
      if (result !== 'ok') return result === 'absent' ? { record: undefined, token: undefined } : unchanged
      if (successor !== undefined) this.#report(next, client)
      return { record: next, token: successor?.token }
    }
    let result: MaybePromise<UpdateResult>
    try {
      result = this.records.updateTogether(next, record.version)
    } catch {
      return unchanged
    }
    return isPromise(result) ? result.then(settle, () => unchanged) : settle(result)
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
