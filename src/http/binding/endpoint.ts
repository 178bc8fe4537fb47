import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Challenge, DeviceBinding, Refreshed } from '../../core/device-binding.js'
import { isSessionError } from '../../errors.js'
import { boundAttributes, giveBoundCookie } from './cookie.js'
import { sendChallenge, sentString } from './headers.js'
import type { BindingConfig } from './options.js'

/*
 * Where browsers register and prove the keys of their devices: one path, inside the middleware, before the origin of
 * the request is looked at. A call is identified by the session's id and a proof, never by cookies: after a link from
 * another site, browsers send none.
 *
 * Statuses mean something to the browser. 403 with a challenge: sign this. 503: try later. 400: the session has ended,
 * forget it.
 */

const ID = 'sec-secure-session-id'
const PROOF = 'secure-session-response'

/** Whether the browser itself calls, to register or to prove a key. No page can send the first of these headers. */
export function isBindingCall({ method, url, headers }: IncomingMessage, { path }: BindingConfig): boolean {
  if (method !== 'POST' || url === undefined || !url.startsWith(path)) return false
  const isPath = url.length === path.length || url[path.length] === '?'
  return isPath && (headers[ID] !== undefined || headers[PROOF] !== undefined)
}

/** Responds to such a call. Never fails: the browser reads no more than the status. */
export function serveBinding(
  req: IncomingMessage,
  res: ServerResponse,
  binding: DeviceBinding,
  config: BindingConfig,
): void {
  const id = sentString(req, ID)
  const proof = sentString(req, PROOF)
  const done = id === undefined ? binding.register(proof ?? '') : binding.refresh(id, proof)
  res.setHeader('Cache-Control', 'no-store')
  done.then(
    (result) => respond(res, config, result, id === undefined),
    (error: unknown) => {
      const isKnown = isSessionError(error) && error.status === 503
      res.statusCode = isKnown ? 503 : 500
      if (isKnown) res.setHeader('Retry-After', '60')
      res.end()
    },
  )
}

function respond(
  res: ServerResponse,
  config: BindingConfig,
  result: Challenge | Refreshed | undefined,
  isRegistration: boolean,
): void {
  if (result === undefined) {
    res.statusCode = 400
    return void res.end()
  }
  sendChallenge(res, result)
  const isRefreshed = 'value' in result
  if (isRefreshed) giveBoundCookie(res, config, result.value)
  if (isRefreshed || isRegistration) {
    res.setHeader('Content-Type', 'application/json')
    return void res.end(JSON.stringify(instructions(config, result)))
  }
  res.statusCode = 403
  res.end()
}

/** What the browser has to know about the session. Without a URL it refreshes where it has registered. */
function instructions(config: BindingConfig, { sessionId }: Challenge) {
  return {
    session_identifier: sessionId,
    scope: { include_site: false },
    credentials: [{ type: 'cookie', name: config.cookieName, attributes: boundAttributes(config) }],
    allowed_refresh_initiators: config.refreshFrom,
  }
}
