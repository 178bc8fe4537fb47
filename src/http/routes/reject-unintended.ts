import type { Request, Response } from 'express'
import { isPrefetch } from '../request/fetch-metadata.js'
import { checkOrigin } from '../origin/origin.js'
import { boundSession } from '../request/session-of.js'

/**
 * Keeps a login or logout from happening by a request that nobody meant: true when it may go on, false when it
 * has been answered. Throws CROSS_ORIGIN for a page of another origin.
 */
export function isMeant(req: Request, res: Response, crossSite: boolean): boolean {
  if (req.method === 'HEAD') {
    // Express answers HEAD by GET routes, but HEAD must change nothing (RFC 9110 §9.2.1).
    res.status(405).set({ Allow: 'GET, POST', 'Cache-Control': 'no-store' }).end()
    return false
  }
  if (isPrefetch(req)) {
    // The page was not opened yet. An uncacheable 503 makes the browser ask again when it is.
    res.status(503).set('Cache-Control', 'no-store').type('text').send('Not While Prefetching')
    return false
  }
  const refusal = crossSite ? undefined : checkOrigin(req, boundSession(req).sessions.settings.trustedOrigins)
  if (refusal !== undefined) throw refusal
  return true
}
