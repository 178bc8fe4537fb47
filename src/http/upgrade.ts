import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Application } from 'express'
import { invalid } from '../lib/invalid.js'
import { isObject } from '../lib/is-object.js'
import { that } from '../lib/option-kinds.js'
import { ofFunction, readOptions } from '../lib/options.js'
import type { SessionInfo } from '../record.js'
import { cookieFor, readCookie } from './cookie/cookie.js'
import { identify } from './identify.js'
import { isSessions, type Sessions } from './create-sessions.js'
import { checkOrigin } from './origin/origin.js'
import { isSecure, captureRemoteAddress } from './request/client-of.js'

/** Who opened a WebSocket. */
export interface Upgraded {
  readonly user: Express.User
  readonly session: SessionInfo
}

export interface UpgradeOptions {
  /**
   * The Express app. Needed behind a proxy: its `trust proxy` says whose forwarded headers to believe, and a
   * handshake does not pass through the app. Default: the handshake is taken as it reached this process.
   */
  readonly app?: Application | undefined
}

// An app is a function, but so is a router. Only an app has the object that its requests inherit from.
const isApp = (value: unknown): value is Application & { readonly request: object } =>
  isObject((value as { request?: unknown } | null)?.request)

const upgradeOptions = {
  app: {
    kind: that(isApp, 'the Express app that express() made (no router, no server)'),
    doc: 'the Express app, whose `trust proxy` says which forwarded headers to believe',
  },
} as const

/**
 * Who is asking for a WebSocket, in the `upgrade` event of the http server; `undefined` for a stranger.
 * A socket outlives the request: close it when `sessions` sends `logout` or `revoke` for its session, and ask
 * `sessions.find(session.id)` from time to time for what other nodes end.
 *
 * @throws SessionError CROSS_ORIGIN (403) for a page of another origin: browsers let any page open a
 * WebSocket to us, with our cookie. Status 503 when the store fails. Answer with `error.status`.
 */
export async function authenticateUpgrade(
  sessions: Sessions,
  request: IncomingMessage,
  options: UpgradeOptions = {},
): Promise<Upgraded | undefined> {
  if (!isSessions(sessions)) {
    throw invalid('authenticateUpgrade() needs the manager that createSessions() made.')
  }
  surviveReset(request.socket)
  const { app } = readOptions(options, ofFunction('authenticateUpgrade()'), upgradeOptions)
  captureRemoteAddress(request)
  // As Express does with each of its requests: `ip`, `secure` and the trust in proxies come from there.
  if (app !== undefined) Object.setPrototypeOf(request, app.request)
  const { cookie, trustedOrigins } = sessions.settings
  const refusal = checkOrigin(request, trustedOrigins)
  if (refusal !== undefined) throw refusal
  const { name } = cookieFor(cookie, cookie.byRequest && isSecure(request))
  const { record, user } = await identify(sessions, request, readCookie(request.headers.cookie, name))
  if (record === undefined || user === undefined) return undefined
  return { user: user as Express.User, session: sessions.infoOf(record, record.id) }
}

/** Before `upgrade` Node takes its own listener off the socket. Without any, a client's reset ends the process. */
function surviveReset(socket: Socket): void {
  if (!socket.listeners('error').includes(ignore)) socket.on('error', ignore)
}

/** The socket closes by itself; there is nothing left to answer. */
function ignore(): void {}
