import { SessionError } from '../../errors.js'

/** The result of a call to a store of express-session, unless it comes too late. */
export function inTime<T>(work: Promise<T>, timeout: number, method: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(tooLate(method, timeout)), timeout)
    work.then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}

function tooLate(method: string, timeout: number): SessionError {
  return new SessionError(
    'STORE_TIMEOUT',
    `The session store did not call back from ${method} within ${timeout} ms. Look at the store, or give it longer with ` +
      `the option storeTimeout.`,
  )
}
