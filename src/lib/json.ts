import type { Json, JsonObject } from '../record.js'

/**
 * A copy of a user or of a data value for the application to keep and change. A store in the process
 * answers the same object again and again, so what one request did to it would reach the next ones.
 */
export function copyJson<T extends Json | undefined>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(copyJson) as unknown as T
  // Spread defines own properties, and what is set below exists by then: a key `__proto__` stays a mere key.
  const copy: Record<string, Json> = { ...(value as JsonObject) }
  for (const key of Object.keys(copy)) {
    const inner = copy[key]
    if (typeof inner === 'object') copy[key] = copyJson(inner)
  }
  return copy as T
}

/** Deeper than any data of good sense, and far from where copying it would exhaust the stack. */
const MAX_LEVELS = 500

/**
 * The value as JSON keeps it, cut off from the original; `undefined` where JSON has no word for it.
 * Throws for what JSON can't hold, and for what is nested so deep that it could be kept but not read again.
 */
export function asJson(value: unknown): Json | undefined {
  const text = JSON.stringify(value) as string | undefined
  if (text === undefined) return undefined
  const json = JSON.parse(text) as Json
  if (isDeeper(json, MAX_LEVELS)) throw new RangeError(`It is nested deeper than ${MAX_LEVELS} levels.`)
  return json
}

function isDeeper(value: Json, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false
  return levels === 0 || Object.values(value).some((inner: Json) => isDeeper(inner, levels - 1))
}
