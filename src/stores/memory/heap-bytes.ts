import type { Json } from '../../lib/json/json.js'

/**
 * About how many bytes a JSON value takes in V8's heap, and for nothing much less than it takes. Its text would
 * mislead: `[[],[],[]]` takes thirteen times as much.
 *
 * @example heapBytes({ cart: ['book'] })
 */
export function heapBytes(value: Json | undefined): number {
  if (typeof value === 'string') return 16 + value.length * (isNarrow(value) ? 1 : 2)
  if (typeof value !== 'object' || value === null) return 8
  // Each value also takes a pointer, and a name that no other object has takes a text and a part of its object's shape.
  if (Array.isArray(value))
    return (value as Json[]).reduce<number>((sum, inner) => sum + 8 + heapBytes(inner), 40)
  return Object.entries(value).reduce((sum, [name, inner]) => sum + 40 + name.length + heapBytes(inner), 56)
}

/**
 * How many bytes the sessions of a store may take where nothing else is asked for.
 *
 * @example defaultMaxBytes(100_000) // 256_000_000
 */
export function defaultMaxBytes(maxSessions: number): number {
  return Math.max(256_000_000, 2_560 * maxSessions)
}

/** V8 keeps a text in one byte a character where each is below 256. */
function isNarrow(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- the first 256 characters begin with the control characters
  return !/[^\0-\xff]/.test(text)
}
