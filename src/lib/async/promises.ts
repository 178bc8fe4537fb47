/** A value, or a promise of it. A store in the process returns values, one on the network returns promises. */
export type MaybePromise<T> = T | Promise<T>

/**
 * Whether the value is still to come. Stores may bring promises of their own kind, so only `then` counts.
 *
 * @example const found = store.get(id); if (isPromise(found)) return found.then(use)
 */
export function isPromise<T>(value: MaybePromise<T>): value is Promise<T> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

/**
 * Calls `next` with the value: at once where the value is there, so that a store in the process costs no promise.
 *
 * @example chain(store.get(id), (record) => record?.user)
 */
export function chain<T, U>(value: MaybePromise<T>, next: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return isPromise(value) ? value.then(next) : next(value)
}

/**
 * Whether the value is a promise, where none is taken. Then nobody will await it, so its rejection is heard here: the
 * caller gets an error that says to await it, and the process goes on.
 *
 * @example if (isUnwantedPromise(value)) throw invalid('The value is a promise. Await it first.')
 */
export function isUnwantedPromise(value: unknown): value is Promise<unknown> {
  if (!isPromise(value)) return false
  Promise.resolve(value).then(undefined, () => undefined)
  return true
}
