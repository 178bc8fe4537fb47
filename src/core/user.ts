import { SessionError } from '../errors.js'
import type { JsonObject, SessionRecord } from '../record.js'
import type { MaybePromise } from '../store.js'
import { detached } from '../lib/detached.js'
import { asJson, copyJson } from '../lib/json.js'
import { isUnwantedPromise } from '../lib/promises.js'
import type { Settings } from './settings.js'

/** What a session keeps of its user. */
export interface KeptUser {
  readonly userId: string
  /** Absent where `loadUser` reads the user on each request. */
  readonly user: JsonObject | undefined
}

/** Picks what the session keeps of a user. Throws USER_INVALID for what can't be logged in. */
export function keepUser(user: unknown, settings: Settings): KeptUser {
  // An app may take the id from a form: then it is a part of the whole body.
  const userId = detached(idOf(user, settings.userId))
  if (settings.loadUser !== undefined) return { userId, user: undefined }
  return { userId, user: jsonObject(settings.serializeUser ? settings.serializeUser(user) : user) }
}

/** The user of a session, for the application to keep and change; `undefined` for a guest. */
export function userOf(record: SessionRecord, settings: Settings): MaybePromise<unknown> {
  if (record.userId === undefined) return undefined
  return settings.loadUser === undefined ? copyJson(record.user) : load(record.userId, settings)
}

/** A user id as sessions keep it: text. Throws USER_INVALID for anything but a non-empty string or a safe integer. */
export function userIdText(id: unknown): string {
  if (typeof id === 'string' && id !== '') return id
  if (Number.isSafeInteger(id)) return String(id)
  throw new SessionError(
    'USER_INVALID',
    `A user's id must be a non-empty string or a safe integer, and this one is ${kindOf(id)}. ` +
      `Give users an "id", or name another place with the option userId: (user) => user.uuid.`,
  )
}

function idOf(user: unknown, userId: Settings['userId']): string {
  if (typeof user !== 'object' || user === null || isUnwantedPromise(user)) {
    throw new SessionError(
      'USER_INVALID',
      `A user must be an object with an "id", and this one is ${kindOf(user)}.`,
    )
  }
  return userIdText(userId === undefined ? (user as { id?: unknown }).id : userId(user))
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
  if (typeof kept === 'object' && kept !== null && !Array.isArray(kept)) return kept as JsonObject
  throw new SessionError(
    'USER_INVALID',
    `The user becomes ${kindOf(kept)} as JSON, not an object. ${pickFix}`,
  )
}

const pickFix = 'Pick what the session keeps with the option serializeUser: ({ id, name }) => ({ id, name }).'

/** Asks the application. None found makes this request anonymous; only a failure is one. */
async function load(userId: string, settings: Settings): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    const late = () => reject(new Error(`no answer within ${settings.storeTimeout} ms (storeTimeout)`))
    timer = setTimeout(late, settings.storeTimeout)
  })
  try {
    // `null`, and the `false` that many know from passport, are nobody as well.
    return (await Promise.race([settings.loadUser!(userId), tooLate])) || undefined
  } catch (cause) {
    const message = `loadUser failed for user ${JSON.stringify(userId)}. The cause says how; the session lives on.`
    throw new SessionError('USER_LOAD_FAILED', message, { cause })
  } finally {
    clearTimeout(timer)
  }
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined || value === '') return value === '' ? 'empty' : String(value)
  if (isUnwantedPromise(value)) return 'a promise (await it first)'
  return Array.isArray(value) ? 'an array' : `of type ${typeof value}`
}
