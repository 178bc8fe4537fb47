/**
 * Freezes a value and everything inside it, so that one object can be handed to many callers.
 *
 * @example deepFreeze({ user: { name: 'Ann' } })
 */
export function deepFreeze<T>(value: T): T {
  // With a list and not by recursion: a damaged record may be nested deeper than the stack is.
  const open: unknown[] = [value]
  for (const one of open) {
    if (typeof one !== 'object' || one === null) continue
    for (const inner of Object.values(one)) if (typeof inner === 'object') open.push(inner)
    Object.freeze(one)
  }
  return value
}
