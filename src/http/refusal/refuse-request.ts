import { invalid } from '../../lib/options/invalid.js'
import { isObject } from '../../lib/json/is-object.js'

/**
 * Refuses a request where options belong: then Express called the function that makes a handler, as in
 * `app.use(requireUser)`.
 *
 * @throws SessionError OPTION_INVALID, which says what to write.
 * @example refuseRequest(options, 'requireUser()')
 */
export function refuseRequest(given: unknown, call: string): void {
  if (!isObject(given) || !isObject(given.headers) || given.socket === undefined) return
  const name = call.slice(0, call.indexOf('('))
  throw invalid(
    `${name} was given a request: it stands in a route without being called. Write ${call} in place of ${name}.`,
  )
}
