/** What may emit `error` events: a client or a pool. */
export interface ErrorEmitter {
  on?(event: 'error', listener: (error: Error) => void): unknown
  listenerCount?(event: 'error'): number
}

/**
 * Adds an empty listener for `error` events where there is none. Without any listener, Node ends the process at
 * the first such event. Nothing is lost: a failed command is reported to its caller.
 *
 * @example listenForErrors(pool)
 */
export function listenForErrors(emitter: ErrorEmitter): void {
  if (emitter.listenerCount?.('error') === 0) emitter.on?.('error', () => undefined)
}
