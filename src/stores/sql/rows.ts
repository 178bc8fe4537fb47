import { decodeRecord, type SessionRecord } from '../../record.js'
import type { RecordPage, UpdateResult } from '../../store.js'

/** What is read of a session: its id and its record, both as text. */
export interface TextRow {
  readonly id: string
  readonly record: string
}

/**
 * The record of a row.
 *
 * @example rows.map(recordOf)
 */
export function recordOf(row: TextRow): SessionRecord {
  return decodeRecord(row.id, row.record)
}

/**
 * The records of these ids, in their order, from rows in any order. An id that has no row gets `undefined`.
 *
 * @example inOrder(ids, await statements.getMany(ids))
 */
export function inOrder(ids: readonly string[], rows: readonly TextRow[]): (SessionRecord | undefined)[] {
  const byId = new Map(rows.map((row) => [row.id, row]))
  return ids.map((id) => {
    const row = byId.get(id)
    return row && recordOf(row)
  })
}

/** Comes before every id: where the first page begins. */
export const FIRST_ID = '00000000-0000-0000-0000-000000000000'

/**
 * The page that these rows are, in the order of their ids. The next one begins after the last of them.
 *
 * @example pageOf(await statements.page(userKey(userId), after, limit), limit)
 */
export function pageOf(rows: readonly TextRow[], limit: number): RecordPage {
  return { records: rows.map(recordOf), next: rows.length < limit ? undefined : rows.at(-1)?.id }
}

/**
 * Why an update wrote nothing, from a second look at the row. The second look is safe: at some moment during this
 * call the record was absent or had another version, and an id that was ended never comes back.
 *
 * @example return whyNotWritten(await get(record.id))
 */
export function whyNotWritten(found: SessionRecord | undefined): UpdateResult {
  return found === undefined ? 'absent' : 'conflict'
}
