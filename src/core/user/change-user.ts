import { isDeepStrictEqual } from 'node:util'
import { SessionError } from '../../errors.js'
import { invalid, show } from '../../lib/options/invalid.js'
import { copyJson } from '../../lib/json/json.js'
import type { SessionRecord } from '../../record.js'
import type { Settings } from '../settings.js'
import { keepChangedUser } from './user.js'

/** Makes the new user of the one that a session keeps. Runs again where others have written in between. */
// oxlint-disable-next-line typescript/no-explicit-any -- the application's own type of user
export type UserChange = (user: any) => object

/**
 * A session with its user changed. The very same record where nothing differs.
 *
 * @throws SessionError USER_INVALID for what is no user, or another one.
 */
export function withChangedUser(record: SessionRecord, fn: UserChange, settings: Settings): SessionRecord {
  const user = keepChangedUser(fn(copyJson(record.user)), record, settings)
  return isDeepStrictEqual(user, record.user) ? record : { ...record, user }
}

/** Fails for what is no function: the new user itself was given, most often. */
export function assertFunction(fn: unknown, call: string): void {
  if (typeof fn === 'function') return
  throw invalid(`${call} needs a function: (user) => ({ ...user, name }), not ${show(fn)}.`)
}

/** Fails where sessions keep no user. */
export function assertKeepsUsers({ loadUser }: Settings): void {
  if (loadUser === undefined) return
  throw new SessionError(
    'UNSUPPORTED',
    'updateUser() has nothing to update: with loadUser a session keeps the id of its user alone, and each request reads ' +
      'the user anew. So a change of yours shows at the next request by itself.',
  )
}
