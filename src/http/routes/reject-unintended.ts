import type { Request, Response } from 'express'
import type { Action } from '../origin/refusal.js'
import { isPrefetch } from '../request/fetch-metadata.js'
import { stateOf } from '../request/session-of.js'

/**
 * Keeps a login or a logout from happening by a request that nobody intended. True when the request has been
 * responded to; false when it may go on.
 *
 * @param action what the route does.
 * @param crossSite whether pages of other origins may send it.
 * @throws SessionError CROSS_ORIGIN for a page of another origin.
 */
export function rejectUnintended(req: Request, res: Response, action: Action, crossSite = false): boolean {
  if (req.method === 'HEAD') {
    // Express handles HEAD by GET routes, but HEAD must change nothing (RFC 9110 §9.2.1).
    res.status(405).set({ Allow: 'GET, POST', 'Cache-Control': 'no-store' }).end()
    return true
  }
  if (isPrefetch(req)) {
    // The page was not opened yet. An uncacheable 503 makes the browser ask again when it is.
    res.status(503).set('Cache-Control', 'no-store').type('text').send('Not While Prefetching')
    return true
  }
  const refusal = crossSite ? undefined : stateOf(req).refusalOf(action)
  if (refusal !== undefined) throw refusal
  return false
}
