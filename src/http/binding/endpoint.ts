import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Challenge, DeviceBinding, Refreshed } from '../../core/binding/device-binding.js'
import { isToken } from '../../core/token.js'
import { isSessionError } from '../../errors.js'
import { boundAttributes, boundName, giveBoundCookie } from './cookie.js'
import { readCookie } from '../cookie/read.js'
import { clientOf } from '../request/client-of.js'
import { sendChallenge, sentString } from './headers.js'
import type { BindingConfig } from './options.js'

/*
 * Where browsers register and prove the keys of their devices: one path, inside the middleware, before the origin of
 * the request is looked at. A call is identified by the session's id and a proof, not by cookies: after a link from
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
  const done = id === undefined ? binding.register(proof ?? '') : refresh(req, binding, config, id, proof)
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

/**
 * A browser may still renew the proof for a session whose cookie it has lost, in a crash for example, or when it was
 * closed. When it has a session's cookie again, of another session, it is told to forget the old one: its device would
 * sign for both, and browsers limit how often it does.
 */
async function refresh(
  req: IncomingMessage,
  binding: DeviceBinding,
  config: BindingConfig,
  id: string,
  proof: string | undefined,
): Promise<Refreshed | Challenge | undefined> {
  const [token, another] = readCookie(req.headers.cookie, config.cookieName, 2, isToken)
  const hasMovedOn = token !== undefined && another === undefined && !token.startsWith(`${id}.`)
  return hasMovedOn ? undefined : binding.refresh(id, proof, clientOf(req))
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
  if (isRefreshed) giveBoundCookie(res, config, result.sessionId, result.value)
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
    credentials: [
      { type: 'cookie', name: boundName(config, sessionId), attributes: boundAttributes(config) },
    ],
    allowed_refresh_initiators: config.refreshFrom,
  }
}
