import { asJson, copyJson } from '../../lib/json.js'
import { isPromise } from '../../lib/promises.js'
import { SessionError } from '../../errors.js'
import type { Json, JsonObject } from '../../record.js'

/** The application's own values in a session, over two things: the data at hand, and one atomic write. */
export abstract class SessionData {
  /** The data as this request knows it; `undefined` where there is no session. */
  protected abstract get data(): JsonObject | undefined
  /** Edits the stored data atomically; may run `edit` again on newer data. The very same object writes nothing. */
  protected abstract write(edit: (data: JsonObject) => JsonObject): Promise<void>

  get<T = Json>(key: string): T | undefined {
    return this.data && valueOf(this.data, key)
  }

  async set(key: string, value: unknown): Promise<void> {
    const kept = dataValue(key, value)
    await this.write((data) => withValue(data, key, kept))
  }

  async update<T = Json>(key: string, fn: (value: T | undefined) => T | undefined): Promise<T | undefined> {
    let result: T | undefined
    await this.write((data) => {
      result = fn(valueOf(data, key))
      return result === undefined ? withoutKey(data, key) : withValue(data, key, dataValue(key, result))
    })
    return result
  }

  async delete(key: string): Promise<void> {
    await this.write((data) => withoutKey(data, key))
  }

  async take<T = Json>(key: string): Promise<T | undefined> {
    // Pages ask for a flash message at every turn, and there hardly ever is one: that costs no call to the store.
    if (this.data !== undefined && !Object.hasOwn(this.data, key)) return undefined
    let taken: T | undefined
    await this.write((data) => {
      taken = valueOf(data, key)
      return withoutKey(data, key)
    })
    return taken
  }
}

/** A copy of an own value: `__proto__` and its like are keys as any other. */
function valueOf<T>(data: JsonObject, key: string): T | undefined {
  return Object.hasOwn(data, key) ? (copyJson(data[key]) as T) : undefined
}

/** The value as the session keeps it. Throws DATA_INVALID for what JSON can't hold. */
function dataValue(key: string, value: unknown): Json {
  if (typeof key !== 'string') {
    throw invalid(`A key must be a string, such as 'cart', and this one is of type ${typeof key}.`)
  }
  if (isPromise(value)) throw invalid(`The value of ${JSON.stringify(key)} is a promise. Await it first.`)
  let kept
  try {
    kept = asJson(value)
  } catch (cause) {
    throw invalid(
      `The value of ${JSON.stringify(key)} can't be kept as JSON. The cause says how; ` +
        `pick plain data from it, with no BigInt and nothing that holds itself.`,
      cause,
    )
  }
  if (kept !== undefined) return kept
  throw invalid(
    `The value of ${JSON.stringify(key)} is ${typeof value}, which JSON has no word for. To remove it, use delete().`,
  )
}

/** The data with one value more or another. A computed key is defined, so that `__proto__` is a key as any other. */
function withValue(data: JsonObject, key: string, value: Json): JsonObject {
  return { ...data, [key]: value }
}

/** The data without that key; the very same object where there was none, so that nothing is written. */
function withoutKey(data: JsonObject, key: string): JsonObject {
  if (!Object.hasOwn(data, key)) return data
  const { [key]: _removed, ...rest } = data
  return rest
}

function invalid(message: string, cause?: unknown): SessionError {
  return new SessionError('DATA_INVALID', message, { cause })
}
