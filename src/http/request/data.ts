import { SessionError } from '../../errors.js'
import { asJson, copyJson } from '../../lib/json/json.js'
import { warnOfLoss } from '../../lib/json/json-loss.js'
import { isUnwantedPromise } from '../../lib/async/promises.js'
import type { Json, JsonObject } from '../../record.js'

// The application's own values in a session. `__proto__` and its like are keys as any other.

/** A copy of a value, for the application to keep and change. */
export function valueOf<T>(data: JsonObject, key: string): T | undefined {
  return Object.hasOwn(data, key) ? (copyJson(data[key]) as T) : undefined
}

/** The value as the session keeps it. Throws DATA_INVALID for what JSON can't hold. */
export function dataValue(key: string, value: unknown): Json {
  if (typeof key !== 'string') {
    isUnwantedPromise(key)
    throw invalid(`A key must be a string, such as 'cart', and this one is of type ${typeof key}.`)
  }
  if (isUnwantedPromise(value))
    throw invalid(`The value of ${JSON.stringify(key)} is a promise. Await it first.`)
  let kept
  try {
    kept = asJson(value)
  } catch (cause) {
    throw invalid(
      `The value of ${JSON.stringify(key)} can't be kept as JSON. Pick plain data from it, ` +
        `with no BigInt and nothing that holds itself.`,
      cause,
    )
  }
  if (kept !== undefined) {
    warnOfLoss(value, key)
    return kept
  }
  throw invalid(
    `The value of ${JSON.stringify(key)} is ${typeof value}, which JSON has no word for. To remove it, use delete().`,
  )
}

/** The data with a value added or replaced. A computed key is defined, so `__proto__` sets no prototype. */
export function withValue(data: JsonObject, key: string, value: Json): JsonObject {
  return { ...data, [key]: value }
}

/** The data without a key; the very same object where there was none, so that nothing is written. */
export function withoutKey(data: JsonObject, key: string): JsonObject {
  if (!Object.hasOwn(data, key)) return data
  const { [key]: _removed, ...rest } = data
  return rest
}

function invalid(message: string, cause?: unknown): SessionError {
  return new SessionError('DATA_INVALID', message, { cause })
}
