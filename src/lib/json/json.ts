import { SessionError } from '../../errors.js'

/** A value that survives `JSON.stringify` and `JSON.parse` unchanged. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** A JSON object: what a user and a session's data are kept as. */
export type JsonObject = { readonly [key: string]: Json }

/**
 * A copy of a user or of a data value, for the application to keep and change. A store in the process returns
 * the same object every time: without a copy, a change by one request would reach the next ones.
 *
 * @throws SessionError RECORD_DAMAGED for what is nested too deep to be copied. This package never stores such a value.
 * @example const user = copyJson(record.user)
 */
export function copyJson<T extends Json | undefined>(value: T): T {
  try {
    return copyOf(value)
  } catch (cause) {
    throw nestedTooDeep(cause)
  }
}

/** The error for a record that is nested deeper than the stack is: something else has written to the store. */
export function nestedTooDeep(cause: unknown): SessionError {
  const message =
    'A session record is nested too deep to be read. Revoke that session, and see what else writes to the store.'
  return new SessionError('RECORD_DAMAGED', message, { cause })
}

function copyOf<T extends Json | undefined>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copyOf) as unknown as T
  // Spread defines own properties, and the assignments below find them there. So a key `__proto__` stays a key.
  const copy: Record<string, Json> = { ...(value as JsonObject) }
  for (const key of Object.keys(copy)) {
    const inner = copy[key]
    if (typeof inner === 'object') copy[key] = copyOf(inner)
  }
  return copy as T
}

/**
 * The value as JSON keeps it, sharing nothing with the original; `undefined` where JSON has no word for it.
 *
 * @throws what `JSON.stringify` throws: for a circle, for a bigint.
 * @example throughJson({ at: new Date(0), skip: undefined }) // { at: '1970-01-01T00:00:00.000Z' }
 */
export function throughJson(value: unknown): Json | undefined {
  const text = JSON.stringify(value) as string | undefined
  return text === undefined ? undefined : (JSON.parse(text) as Json)
}

/** Deeper than any sensible data, and far from the depth at which copying it would overflow the stack. */
const MAX_LEVELS = 500

/**
 * The same for a value that a session keeps.
 *
 * @throws RangeError for a value that is nested so deep that it could be written but not copied later; and what
 * `throughJson` throws.
 * @example asJson(user)
 */
export function asJson(value: unknown): Json | undefined {
  const json = throughJson(value)
  if (json !== undefined && isDeeper(json, MAX_LEVELS)) {
    throw new RangeError(`It is nested deeper than ${MAX_LEVELS} levels.`)
  }
  return json
}

/**
 * Whether a value is nested too deep to be one that a session has kept.
 *
 * @example records.filter(({ user }) => !isTooDeep(user))
 */
export function isTooDeep(value: Json | undefined): boolean {
  return value !== undefined && isDeeper(value, MAX_LEVELS)
}

function isDeeper(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner: Json) => isDeeper(inner, levels - 1))
}
