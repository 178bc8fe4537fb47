import { SessionError } from '../../errors.js'
import { isUnwantedPromise } from '../../lib/async/promises.js'
import type { SessionRecord } from '../../record.js'

/**
 * The id of a user, as methods take it. Sessions keep it as text, so `7`, `7n` and `'7'` are one user.
 *
 * @example await sessions.revokeAll(user._id) // an ObjectId of MongoDB
 */
export type UserId = string | number | bigint | { toHexString(): string }

/**
 * A user id as sessions keep it: text. Besides strings and safe integers it takes a bigint, and objects that stand for
 * an id, such as an ObjectId of MongoDB or the UUID of a driver: by `toHexString()`, else by a `toString()` of their own.
 *
 * @throws SessionError USER_INVALID for anything else.
 * @example userIdText(7) // '7'
 */
export function userIdText(id: unknown): string {
  const text = textOf(id)
  if (text !== undefined && text !== '') return text
  throw new SessionError(
    'USER_INVALID',
    `A user's id must be a non-empty string or a safe integer, and this one is ${kindOf(id)}. ` +
      `Give users an "id", or name another place with the option userId: (user) => user.uuid.`,
  )
}

/** The same, where '' is the id of nobody and anything that can't be an id at all is `undefined`. */
export function textOf(id: unknown): string | undefined {
  if (typeof id === 'string') return id
  if (Number.isSafeInteger(id) || typeof id === 'bigint') return String(id)
  return typeof id === 'object' && id !== null ? textOfObject(id) : undefined
}

/** What the text of an id looks like. The text of a whole document does not, and would be the id of nobody. */
const likeAnId = /^[\w-]{1,128}$/

function textOfObject(id: { toHexString?: unknown; toString?: unknown }): string | undefined {
  // Dates, maps, promises and arrays are built in. Each of them has a text, and none of them is an id.
  if (Object.prototype.toString.call(id) !== '[object Object]') return undefined
  const method = typeof id.toHexString === 'function' ? id.toHexString : id.toString
  if (typeof method !== 'function' || method === Object.prototype.toString) return undefined
  const text: unknown = method.call(id)
  return typeof text === 'string' && likeAnId.test(text) ? text : undefined
}

/** The id of a session's user as the application has it: a number is a number again. `undefined` for a guest. */
export function userIdOf({
  userId,
  userIdType,
}: Pick<SessionRecord, 'userId' | 'userIdType'>): string | number | undefined {
  return userIdType === 'number' && userId !== undefined ? Number(userId) : userId
}

/** What a value is, for the message that says why it is no user and no id. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined || value === '') return value === '' ? 'empty' : String(value)
  if (isUnwantedPromise(value)) return 'a promise (await it first)'
  return Array.isArray(value) ? 'an array' : `of type ${typeof value}`
}
