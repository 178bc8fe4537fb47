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

/** The value as JSON keeps it, cut off from the original; `undefined` where JSON has no word for it. */
export function asJson(value: unknown): Json | undefined {
  const text = JSON.stringify(value) as string | undefined
  return text === undefined ? undefined : (JSON.parse(text) as Json)
}
