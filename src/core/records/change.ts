import { SessionError } from '../../errors.js'
import { pause } from '../../lib/async/timers.js'
import type { SessionRecord } from '../../record.js'
import type { MaybePromise } from '../../store.js'
import { isExpired } from '../lifetime.js'
import type { Records } from './records.js'

/** So many conflicts in a row are plain bad luck; after them, competing writers step out of each other's way. */
const AT_ONCE = 3
const LONGEST_PAUSE_MS = 20

/**
 * Changes one record by compare-and-set: reads it again and runs `edit` again until nobody else wrote in
 * between. Begins with the record at hand, which is current more often than not.
 *
 * @param ifAlive returns a record as it was just read, or ends it where its deadline has passed.
 * @returns the record as written (or as found, where `edit` changed nothing); `undefined` where the session has ended.
 * @throws SessionError CONFLICT when others kept winning until the store's timeout; then nothing was written.
 */
export async function change(
  records: Records,
  record: SessionRecord,
  edit: (record: SessionRecord) => SessionRecord,
  ifAlive: (record: SessionRecord) => MaybePromise<SessionRecord | undefined>,
): Promise<SessionRecord | undefined> {
  const deadline = performance.now() + records.timeout
  let current: SessionRecord | undefined = record
  for (let attempt = 1; ; attempt += 1) {
    const edited: SessionRecord = isExpired(current, Date.now()) ? current : edit(current)
    if (edited !== current) {
      const next = { ...edited, version: current.version + 1 }
      const result = await records.update(next, current.version)
      if (result === 'ok') return next
      if (result === 'absent') return undefined
      if (performance.now() > deadline) throw conflict(record.id)
      if (attempt > AT_ONCE) await pause(Math.random() * Math.min(attempt, LONGEST_PAUSE_MS))
    } else if (attempt > 1) {
      return ifAlive(current)
    }
    // The record at hand may be minutes old: meanwhile others may have moved its deadline, or written what an
    // edit is to remove. Neither an end nor "nothing to change" is concluded from it.
    current = await records.find(record.id)
    if (current === undefined) return undefined
  }
}

function conflict(id: string): SessionError {
  return new SessionError(
    'CONFLICT',
    `Session ${id} was changed by others again and again, so this write was given up. ` +
      `Write less often, or put what is written so often elsewhere.`,
  )
}
