import { inspect } from 'node:util'
import { Watched } from '../../lib/async/watched.js'
import { queueMicrotask } from '../../lib/async/timers.js'
import { warnOnce } from '../../lib/warn-once.js'

/** Called when a change of the session is done, with the error where it failed. */
export type Done = (error?: unknown) => void

/**
 * Does the work of a method that takes a callback or returns a promise.
 *
 * @returns the session itself where there is a callback, as express-session does.
 */
export function settle<T>(
  session: T,
  method: string,
  work: () => Promise<void>,
  done?: Done,
): T | Promise<void> {
  if (typeof done !== 'function') return new Watched(run(work), (error) => report(method, error))
  // In microtasks of their own: what the application throws there is no rejection of ours.
  run(work).then(
    () => queueMicrotask(() => done()),
    (error: unknown) => queueMicrotask(() => done(error)),
  )
  return session
}

/** The work of something that takes a callback, as a promise. */
export function called(work: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => work((error) => (error ? reject(error) : resolve())))
}

async function run(work: () => Promise<void>): Promise<void> {
  return work()
}

function report(method: string, error: unknown): void {
  warnOnce(
    'SID_UNAWAITED',
    `req.session.${method}() failed, and nobody awaited it. Await it, or give it a callback. It failed with ` +
      (error instanceof Error ? error.message : inspect(error)),
    method,
  )
}
