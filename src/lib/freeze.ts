/**
 * Freezes a value and everything inside it, so that one object can be handed to many callers.
 *
 * @example deepFreeze({ user: { name: 'Ann' } })
 */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const inner of Object.values(value)) deepFreeze(inner)
  return Object.freeze(value)
}
