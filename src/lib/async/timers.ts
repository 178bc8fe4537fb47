import * as timers from 'node:timers'
import * as promises from 'node:timers/promises'

// Taken when the package is loaded. Tests of applications fake the clock by replacing the timers of the process, and
// a faked one would never run by itself: each request would hang. The deadlines of calls are ordinary timers, so that
// such tests can move them.

/** Node's own `setImmediate`. */
export const setImmediate = timers.setImmediate

/** Node's own `queueMicrotask`. */
export const queueMicrotask = globalThis.queueMicrotask

/**
 * Waits so many milliseconds by Node's own timers.
 *
 * @example await pause(20)
 */
export const pause: (ms: number) => Promise<void> = promises.setTimeout
