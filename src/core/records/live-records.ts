import { chain } from '../../lib/async/promises.js'
import type { SessionRecord } from '../../record.js'
import type { MaybePromise } from '../../store.js'
import type { Events } from '../events/events.js'
import { isExpired } from '../lifetime.js'
import { userIdOf } from '../user/user-id.js'
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
    if (!isExpired(record, Date.now())) return record
    // Deleted, not only ignored: a clock that is set back must not revive what was seen expired.
    return chain(this.records.delete(record.id), (wasThere) => {
      const hasExpired = wasThere && record.endedBy === undefined
      const userId = userIdOf(record)
      if (hasExpired && userId !== undefined) {
        this.events.emit('expire', { sessionId: record.id, userId })
      }
      return undefined
    })
  }

  /** Changes a session atomically, together with what else this process writes to it: see `change` and `Changes`. Returns `undefined` when the session has ended. */
  change(record: SessionRecord, edit: Edit): Promise<Found> {
    return this.#changes.change(record, edit)
  }
}
