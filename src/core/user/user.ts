import { SessionError } from '../../errors.js'
import type { JsonObject, SessionRecord } from '../../record.js'
import type { MaybePromise } from '../../store.js'
import { detached } from '../../lib/text/detached.js'
import { asJson, copyJson } from '../../lib/json/json.js'
import { warnOfLoss } from '../../lib/json/json-loss.js'
import { withDeadline } from '../../lib/async/deadline.js'
import { isUnwantedPromise } from '../../lib/async/promises.js'
import type { Settings } from '../settings.js'
import { versionOf } from './auth-version.js'
import { kindOf, textOf, userIdOf, userIdText } from './user-id.js'

/** What a session keeps of its user. */
export interface KeptUser {
  readonly userId: string
  readonly userIdType: 'number' | undefined
  /** Absent where `loadUser` reads the user on each request. */
  readonly user: JsonObject | undefined
  /** What `authVersion` says of the user; absent without that option. */
  readonly authVersion: string | undefined
}

/** Picks what the session keeps of a user. Throws USER_INVALID for what can't be logged in. */
export function keepUser(user: unknown, settings: Settings): KeptUser {
  const id = idOf(user, settings.userId)
  const userIdType = typeof id === 'number' ? 'number' : undefined
  // An app may take the id from a form: then it is a part of the whole body.
  const userId = detached(userIdText(id))
  const authVersion = versionOf(user, settings)
  if (settings.loadUser !== undefined) return { userId, userIdType, user: undefined, authVersion }
  return { userId, userIdType, user: keptJson(user, userId, settings), authVersion }
}

/**
 * Picks what a session keeps of its user once that has changed, as of a login's.
 *
 * @throws SessionError USER_INVALID for what is no user, or another one.
 */
export function keepChangedUser(user: unknown, { userId }: SessionRecord, settings: Settings): JsonObject {
  const id = textOf(idOf(user, settings.userId))
  // What a session keeps of a user need not have the id: `serializeUser` may drop it.
  if (id === undefined || id === userId) return keptJson(user, userId!, settings)
  throw new SessionError(
    'USER_INVALID',
    `updateUser() must return the same user with other values, and this one has the id ${JSON.stringify(id)} in place ` +
      `of ${JSON.stringify(userId)}. Another user needs a login.`,
  )
}

/** Whether nobody can say who a login is: it was made with `loadUser`, which is no longer there. */
export function isWithoutUser(record: SessionRecord, settings: Settings): boolean {
  return record.user === undefined && record.userId !== undefined && settings.loadUser === undefined
}

/** The user of a session, for the application to keep and change; `undefined` for a guest. */
export function userOf(record: SessionRecord, settings: Settings): MaybePromise<unknown> {
  if (record.userId === undefined) return undefined
  return settings.loadUser === undefined ? copyJson(record.user) : load(userIdOf(record)!, settings)
}

function idOf(user: unknown, userId: Settings['userId']): unknown {
  if (typeof user !== 'object' || user === null || isUnwantedPromise(user)) {
    throw new SessionError(
      'USER_INVALID',
      `A user must be an object with an "id", and this one is ${kindOf(user)}.`,
    )
  }
  return userId === undefined ? (user as { id?: unknown }).id : userId(user)
}

function keptJson(user: unknown, userId: string, { serializeUser, userId: finds }: Settings): JsonObject {
  if (serializeUser !== undefined) return jsonObject(serializeUser(user))
  const kept = jsonObject(user)
  // With `userId` the application has said where the id is, which need not be in the JSON.
  if (finds !== undefined || textOf(kept.id) === userId) return kept
  throw new SessionError(
    'USER_INVALID',
    `As JSON, this user has no usable "id" any more: a document or a class with a toJSON() of its own may drop or ` +
      `change it. ${pickFix}`,
  )
}

function jsonObject(user: unknown): JsonObject {
  // A promise would be kept as `{}`.
  if (isUnwantedPromise(user)) {
    throw new SessionError('USER_INVALID', 'serializeUser returned a promise. It must not be async.')
  }
  let kept
  try {
    kept = asJson(user)
  } catch (cause) {
    throw new SessionError('USER_INVALID', `The user can't be kept as JSON. ${pickFix}`, { cause })
  }
  if (typeof kept === 'object' && kept !== null && !Array.isArray(kept)) {
    warnOfLoss(user, 'user')
    return kept as JsonObject
  }
  throw new SessionError(
    'USER_INVALID',
    `The user becomes ${kindOf(kept)} as JSON, not an object. ${pickFix}`,
  )
}

const pickFix = 'Pick what the session keeps with the option serializeUser: ({ id, name }) => ({ id, name }).'

/** Asks the application. None found makes this request anonymous; only a failure is one. */
async function load(userId: string | number, settings: Settings): Promise<unknown> {
  try {
    // `null`, and the `false` that many know from passport, are nobody as well.
    return (await withDeadline(() => settings.loadUser!(userId), settings.storeTimeout)) || undefined
  } catch (cause) {
    const message = `loadUser failed for user ${JSON.stringify(userId)}. The session lives on.`
    throw new SessionError('USER_LOAD_FAILED', message, { cause })
  }
}
