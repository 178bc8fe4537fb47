/**
 * Whether it is an object whose properties can be read by name: not `null`, not an array, not a function.
 *
 * @example isObject(body) && typeof body.id === 'string'
 */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
