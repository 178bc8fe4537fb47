import { setTimeout as pause } from 'node:timers/promises'
import { SessionError } from '../errors.js'
import type { SessionRecord } from '../record.js'
import { isExpired } from './lifetime.js'
import type { Records } from './records.js'

/** So many conflicts in a row are plain bad luck; after them, competing writers step out of each other's way. */
const AT_ONCE = 3
const LONGEST_PAUSE_MS = 20

/**
 * Changes one record by compare-and-set: reads it again and runs `edit` again until nobody else wrote in
 * between. Begins with the record at hand, which is current more often than not.
 *
 * @returns the record as written (or as found, where `edit` changed nothing); `undefined` where the session has ended.
 * @throws SessionError CONFLICT when others kept winning until the store's timeout; then nothing was written.
 */
export async function change(
  records: Records,
  record: SessionRecord,
  edit: (record: SessionRecord) => SessionRecord,
): Promise<SessionRecord | undefined> {
  const deadline = performance.now() + records.timeout
  let current: SessionRecord | undefined = record
  for (let attempt = 1; ; attempt += 1) {
    // The first time, too: the request may have been at work for longer than the session had left to live.
    if (current === undefined || isExpired(current, Date.now())) return undefined
    const edited = edit(current)
    if (edited === current) return current
    const next = { ...edited, version: current.version + 1 }
    const result = await records.update(next, current.version)
    if (result === 'ok') return next
    if (result === 'absent') return undefined
    if (performance.now() > deadline) throw conflict(record.id)
    if (attempt > AT_ONCE) await pause(Math.random() * Math.min(attempt, LONGEST_PAUSE_MS))
    current = await records.find(record.id)
  }
}

function conflict(id: string): SessionError {
  return new SessionError(
    'CONFLICT',
    `Session ${id} was changed by others again and again, so this write was given up. ` +
      `Write less often, or put what is written so often elsewhere.`,
  )
}
