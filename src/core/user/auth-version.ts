import { SessionError } from '../../errors.js'
import type { SessionRecord } from '../../record.js'
import type { Settings } from '../settings.js'
import { kindOf } from './user-id.js'

/**
 * What `authVersion` says of a user, as text; `undefined` where there is no such option.
 *
 * @throws SessionError USER_INVALID where it says nothing: then no session of the user could be told from an older one.
 */
export function versionOf(user: unknown, { authVersion }: Settings): string | undefined {
  if (authVersion === undefined) return undefined
  const version = authVersion(user)
  if (typeof version === 'string' || Number.isFinite(version) || typeof version === 'bigint')
    return String(version)
  throw new SessionError(
    'USER_INVALID',
    `authVersion returned ${kindOf(version)} and must return a string or a number. The user that is given to a login ` +
      `needs what it reads, just as the one of loadUser does; and it must not be async.`,
  )
}

/**
 * What the version of a user means for a session: `current`, `outdated`, or `unknown` where the session began before
 * there was an `authVersion`.
 */
export function ageOf(record: SessionRecord, version: string): 'current' | 'outdated' | 'unknown' {
  if (record.authVersion === undefined) return 'unknown'
  return record.authVersion === version ? 'current' : 'outdated'
}
