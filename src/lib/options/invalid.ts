import { SessionError } from '../../errors.js'
import { isPromise } from '../async/promises.js'

/**
 * The error for an option that can't be used. The message must name the option and say the fix.
 *
 * @example throw invalid('idleTimeout is longer than absoluteTimeout. Make it shorter.')
 */
export function invalid(message: string): SessionError {
  return new SessionError('OPTION_INVALID', message)
}

/**
 * A value that was given, for an error message: short, on one line, and never the inside of an object.
 *
 * @example show('soon') // '"soon"'
 * @example show(['a', 'b']) // 'an array'
 */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40))
  if (Array.isArray(value)) return 'an array'
  if (isPromise(value)) return 'a promise (await it first)'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'function' || typeof value === 'symbol' ? `a ${typeof value}` : String(value)
}
