import { SessionError } from '../errors.js'

/**
 * What `insert` of a store throws for an id that it has already.
 *
 * @example if (records.has(record.id)) throw idTaken(record.id)
 */
export function idTaken(id: string): SessionError {
  return new SessionError('STORE_FAILED', `There is a session ${id} already. Insert each id once.`)
}
