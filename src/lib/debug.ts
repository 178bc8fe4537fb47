import { debuglog } from 'node:util'
import { cleanText } from './text/clean-text.js'

const log = debuglog('express-sid')

/**
 * Whether the process was started with `NODE_DEBUG=express-sid`. Look here before a line is put together: then there is
 * no work for lines that nobody reads.
 */
export const isDebugging = log.enabled

/**
 * Prints one line about one decision, to the standard error. It may hold ids, and never a secret, a token or an address.
 *
 * @example if (isDebugging) debug(`cookie ${name} set for session ${id}`)
 */
export function debug(line: string): void {
  // A user's id or a path comes from outside: it must not look like a line of its own.
  log('%s', cleanText(line, 1_000))
}
