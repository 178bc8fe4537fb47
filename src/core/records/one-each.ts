import { SessionError } from '../../errors.js'
import type { SessionRecord } from '../../record.js'

type Found = SessionRecord | undefined

/**
 * What the store returned for these ids. Without exactly one entry per id, records can't be matched to requests: one
 * browser might get another's session.
 */
export function oneEach(ids: readonly string[], records: readonly Found[]): readonly Found[] {
  if (Array.isArray(records) && records.length === ids.length) return records as readonly Found[]
  throw new SessionError(
    'RECORD_DAMAGED',
    'The session store did not return a record or undefined for each id of getMany. Fix the store.',
  )
}
