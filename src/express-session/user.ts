import { isUnwantedPromise } from '../lib/async/promises.js'
import { isObject } from '../lib/json/is-object.js'
import { warnOnce } from '../lib/warn-once.js'
import { textOf } from '../core/user/user-id.js'
import type { Setup } from './setup.js'

/** The option `userId`: whose session it is. */
export type UserIdOf = (session: Record<string, unknown>) => unknown

/** Passport's: what `serializeUser` has put into `req.session.passport.user`, which is an id or an object with one. */
export function passportUser(session: Record<string, unknown>): unknown {
  return isObject(session.passport) ? session.passport.user : undefined
}

/** Reads the user from a session's values, by the option. Nobody is `undefined`. */
export function userFinder(find: UserIdOf): Setup['userOf'] {
  return (session) => {
    const found = find(session)
    if (found === undefined || found === null || found === '' || found === false) return undefined
    const text = textOf(found)
    if (text !== undefined) return { id: typeof found === 'number' ? found : text, kept: undefined }
    const kept = found as { id?: unknown; _id?: unknown }
    const id = isObject(found) && !isUnwantedPromise(found) ? (kept.id ?? kept._id) : undefined
    const inner = textOf(id)
    if (inner !== undefined && inner !== '') return { id: typeof id === 'number' ? id : inner, kept }
    warnOnce(
      'SID_USER_ID',
      `The user of a session has no id that can be listed: it is of type ${typeof found}. Say where the id is by the ` +
        `option userId: (session) => session.user?.email. Until then these sessions are kept as those of guests.`,
    )
    return undefined
  }
}

/** Whether the session is still the same user's. */
export function isSameUser({ userOf }: Setup, before: Record<string, unknown>, now: object): boolean {
  const [one, other] = [userOf(before), userOf(now as Record<string, unknown>)]
  return String(one?.id ?? '') === String(other?.id ?? '')
}
