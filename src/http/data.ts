import { asJson } from '../core/copy.js'
import { isPromise } from '../core/maybe.js'
import { SessionError } from '../errors.js'
import type { Json, JsonObject } from '../record.js'

/** The value as the session keeps it. Throws DATA_INVALID for what JSON can't hold. */
export function dataValue(key: string, value: unknown): Json {
  if (typeof key !== 'string') throw invalid(`A key must be a string, and this one is of type ${typeof key}.`)
  if (isPromise(value)) throw invalid(`The value of ${JSON.stringify(key)} is a promise. Await it first.`)
  let kept
  try {
    kept = asJson(value)
  } catch (cause) {
    throw invalid(`The value of ${JSON.stringify(key)} can't be kept as JSON.`, cause)
  }
  if (kept !== undefined) return kept
  throw invalid(
    `The value of ${JSON.stringify(key)} is ${typeof value}, which JSON has no word for. To remove it, use delete().`,
  )
}

/** The data with one value more or another. A computed key is defined, so that `__proto__` is a key as any other. */
export function withValue(data: JsonObject, key: string, value: Json): JsonObject {
  return { ...data, [key]: value }
}

/** The data without that key; the very same object where there was none, so that nothing is written. */
export function withoutKey(data: JsonObject, key: string): JsonObject {
  if (!Object.hasOwn(data, key)) return data
  const { [key]: _removed, ...rest } = data
  return rest
}

function invalid(message: string, cause?: unknown): SessionError {
  return new SessionError('DATA_INVALID', message, { cause })
}
