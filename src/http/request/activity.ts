import type { IncomingMessage } from 'node:http'
import type { Request } from 'express'
import { isUnwantedPromise } from '../../lib/async/promises.js'
import { invalid, show } from '../../lib/options/invalid.js'

/** Says whether a request is an activity of its user. */
export type IsActivity = (req: Request) => boolean

/**
 * What the option `touch` says of a request. It is asked once, before any route: in a router `req.path` is another one.
 *
 * @throws SessionError OPTION_INVALID for what is neither true nor false: a promise would count as true.
 */
export function isActivity(touch: IsActivity, req: IncomingMessage): boolean {
  const returned: unknown = touch(req as Request)
  if (typeof returned === 'boolean') return returned
  isUnwantedPromise(returned)
  throw invalid(`The option touch must return true or false, not ${show(returned)}.`)
}
