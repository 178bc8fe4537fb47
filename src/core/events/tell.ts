import { inspect } from 'node:util'
import { isPromise } from '../../lib/async/promises.js'

/**
 * Calls a listener of the application. One that throws or rejects harms nobody: the process is warned.
 *
 * @param what what it listens to, for the warning.
 */
export function tell(what: string, listener: () => unknown): void {
  try {
    const returned = listener()
    if (isPromise(returned)) returned.then(undefined, (error: unknown) => report(what, error))
  } catch (error) {
    report(what, error)
  }
}

function report(what: string, error: unknown): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : inspect(error)
  process.emitWarning(`A listener of ${what} threw: ${text}`, {
    type: 'ExpressSidWarning',
    code: 'SID_LISTENER',
  })
}
