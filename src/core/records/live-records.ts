import { chain } from '../../lib/async/promises.js'
import type { SessionRecord } from '../../record.js'
import type { MaybePromise, OnRemoved } from '../../store.js'
import { isActedFrom } from '../acting/actor.js'
import type { Events } from '../events/events.js'
import { isExpired } from '../lifetime.js'
import { change } from './change.js'
import { Changes, type Edit } from './changes.js'
import type { Records } from './records.js'

type Found = SessionRecord | undefined

/** The records of sessions that have not ended: what is past its deadline is removed when it is seen. */
export class LiveRecords {
  readonly #changes: Changes

  constructor(
    private readonly records: Records,
    private readonly events: Events,
  ) {
    this.#changes = new Changes((record, edit) =>
      change(records, record, edit, (current) => this.ifAlive(current)),
    )
  }

  /** The live session with this id. */
  find(id: string): MaybePromise<Found> {
    return chain(this.records.find(id), (record) => record && this.ifAlive(record))
  }

  /** The record itself, unless its deadline has passed. Then it is deleted, and nothing is returned. */
  ifAlive(record: SessionRecord): MaybePromise<Found> {
    if (!isExpired(record, Date.now())) return record.actor === undefined ? record : this.#ifActedFrom(record)
    // Deleted, not only ignored: a clock that is set back must not revive what was seen expired.
    return chain(this.records.delete(record.id), (wasThere) => {
      if (wasThere) this.#reportExpired(record)
      return undefined
    })
  }

  /** An acting session lives as long as the session of its actor, and as that one names it. */
  #ifActedFrom(acting: SessionRecord): MaybePromise<Found> {
    return chain(this.find(acting.actor!.sessionId), (own) => {
      if (own !== undefined && isActedFrom(own, acting)) return acting
      return chain(this.records.delete(acting.id), (wasThere) => {
        if (wasThere) this.events.emit('revoke', { record: acting, cause: 'actorEnded' })
        return undefined
      })
    })
  }

  /** Reports what a sweep has removed; absent while nobody listens, since to read the records costs the store more. */
  readonly toldOfExpired = (): OnRemoved | undefined => {
    if (!this.events.hears('expire')) return undefined
    return (records) => records.forEach((record) => this.#reportExpired(record))
  }

  #reportExpired(record: SessionRecord): void {
    const { expiresAt, absoluteExpiresAt, endedBy } = record
    // What was marked as ended had its event then. A damaged record says nothing of its user.
    if (endedBy !== undefined || record.userId === undefined) return
    const cause = expiresAt < absoluteExpiresAt ? 'idleTimeout' : 'absoluteTimeout'
    this.events.emit('expire', { record, cause, deadline: Math.min(expiresAt, absoluteExpiresAt) })
  }

  /**
   * Marks a session as ended, by compare-and-set: a write that was acknowledged before is in what this returns, and one
   * that comes later finds that the session has ended. To remove its record is no longer urgent then.
   *
   * @returns the record as it was last; `undefined` where the session had ended already.
   */
  async markEnded(record: SessionRecord): Promise<Found> {
    let last = record
    const marked = await this.change(record, (current) => {
      last = current
      return { ...current, endedBy: 'login' as const }
    })
    return marked && last
  }

  /** Changes a session atomically, together with what else this process writes to it: see `change` and `Changes`. Returns `undefined` when the session has ended. */
  change(record: SessionRecord, edit: Edit): Promise<Found> {
    return this.#changes.change(record, edit)
  }
}
