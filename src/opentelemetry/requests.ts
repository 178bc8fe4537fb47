import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Meter } from '@opentelemetry/api'
import { attachedState } from '../http/request/session-of.js'

/** Express middleware, without Express' types. */
export type RequestsMiddleware = (req: IncomingMessage, res: ServerResponse, next: () => void) => void

/**
 * Counts requests by whether they had a user, and those without one by the reason. It looks when the response has
 * ended, so it stands above the middleware that finds the user.
 */
export function requestMetrics(meter: Meter): RequestsMiddleware {
  const requests = meter.createCounter('express_sid.requests', {
    description: 'Requests, by whether they had a user; those without one by the reason.',
  })
  return (req, res, next) => {
    res.once('close', () => {
      const state = attachedState(req)
      if (state === undefined) return
      const reason = state.reason ?? 'none'
      requests.add(1, { user: reason === 'none', reason })
    })
    next()
  }
}
