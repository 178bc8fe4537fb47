import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Application } from 'express'
import type { Verdict } from '../core/verdict.js'
import type { Client } from '../core/client/client.js'
import type { Sessions } from '../core/sessions.js'
import { invalid } from '../lib/options/invalid.js'
import { isObject } from '../lib/json/is-object.js'
import { boolean, that } from '../lib/options/option-kinds.js'
import { ofFunction, readOptions } from '../lib/options/options.js'
import type { SessionInfo } from '../record.js'
import { bearerSource } from './bearer/carrier.js'
import { bearerToken } from './bearer/token.js'
import { unboundRefusal } from './binding/guard.js'
import { deviceSigns } from './binding/headers.js'
import { cookieFor } from './cookie/read.js'
import { readTokens } from './cookie/read-tokens.js'
import { refusalOf } from './origin/refusal.js'
import { captureRemoteAddress, clientOf, isSecure } from './request/client-of.js'
import { wiringOf, type Wiring } from './wiring.js'

/** Who opened a WebSocket. */
export interface Upgraded {
  readonly user: Express.User
  readonly session: SessionInfo
}

/** The options of `authenticateUpgrade()`, checked at each call. */
export interface UpgradeOptions {
  /**
   * The Express app. Needed behind a proxy: its `trust proxy` says whose forwarded headers to believe, and a
   * handshake does not pass through the app. Default: the handshake is taken as it reached this process.
   */
  readonly app?: Application | undefined
  /**
   * Whether to open this socket is an activity of the user, which moves the idle deadline. Say `false` where a page
   * opens it again by itself. Default true.
   */
  readonly touch?: boolean | undefined
}

// An app is a function, but so is a router. Only an app has the object that its requests inherit from.
const isApp = (value: unknown): value is Application & { readonly request: object } =>
  isObject((value as { request?: unknown } | null)?.request)

const upgradeOptions = {
  app: {
    kind: that(isApp, 'the Express app that express() made (no router, no server)'),
    doc: 'the Express app, whose `trust proxy` says which forwarded headers to believe',
  },
  touch: { kind: boolean('true or false'), default: true, doc: 'whether this is an activity of the user' },
} as const

/**
 * Who is asking for a WebSocket, in the `upgrade` event of the http server; `undefined` for a stranger.
 * A socket outlives the request: close it with its session, by `sessions.onEnd(session.id, () => ws.close())`.
 *
 * @throws SessionError CROSS_ORIGIN (403) for a page of another origin: browsers let any page open a
 * WebSocket to us, with our cookie. UNBOUND (403) where `deviceBinding.unbound` refuses the session. Status 503 when the store fails. Respond with `error.status`.
 * @example
 * server.on('upgrade', async (request, socket, head) => {
 *   const found = await authenticateUpgrade(sessions, request, { app })
 *   if (!found) return socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n')
 *   wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, found.user))
 * })
 */
export function authenticateUpgrade(
  sessions: Sessions,
  request: IncomingMessage,
  options: UpgradeOptions = {},
): Promise<Upgraded | undefined> {
  const wiring = wiringOf(sessions)
  if (wiring === undefined) {
    return Promise.reject(invalid('authenticateUpgrade() needs the manager that createSessions() made.'))
  }
  const work = authenticate(wiring, request, options)
  return wiring.engine.unawaited.watch('authenticateUpgrade()', authenticateUpgrade, work)
}

async function authenticate(
  { engine, settings }: Wiring,
  request: IncomingMessage,
  options: UpgradeOptions,
): Promise<Upgraded | undefined> {
  surviveReset(request.socket)
  const { app, touch } = readOptions(options, ofFunction('authenticateUpgrade()'), upgradeOptions)
  captureRemoteAddress(request)
  // As Express does with each of its requests: `ip`, `secure` and the trust in proxies come from there.
  if (app !== undefined) Object.setPrototypeOf(request, app.request)
  const { name } = cookieFor(settings.cookie, settings.cookie.byRequest && isSecure(request))
  const cookies = readTokens(request.headers.cookie, name, settings.cookie.form)
  const token = settings.bearer ? bearerToken(request) : undefined
  // No page can make a browser send a bearer token of ours.
  const isForgeable = token === undefined || cookies.length > 0
  const refusal = isForgeable ? refusalOf(request, settings.trustedOrigins, 'handshake') : undefined
  if (refusal !== undefined) throw refusal
  const source = {
    client: (known: Client) => clientOf(request, known),
    // Nothing can be sent to the browser before the socket is open.
    takesToken: () => false,
    ...(!touch && { touchLater: () => undefined }),
    deviceSigns: (sessionId: string) => deviceSigns(request, settings.deviceBinding!, sessionId),
  }
  const { record, user, failure } = await new Promise<Verdict>((resolve) =>
    engine.identify(
      token === undefined ? cookies : [token],
      token === undefined ? source : bearerSource(source),
      resolve,
    ),
  )
  if (failure !== undefined) throw failure
  if (record === undefined || user === undefined) return undefined
  if (settings.deviceBinding !== undefined) {
    const unbound = unboundRefusal(record, settings.deviceBinding, false)
    if (unbound !== undefined) throw unbound
  }
  return { user: user as Express.User, session: engine.infoOf(record) }
}

/** Node removes its own listener from the socket before `upgrade`. Without any, a client's reset ends the process. */
function surviveReset(socket: Socket): void {
  if (!socket.listeners('error').includes(ignore)) socket.on('error', ignore)
}

/** The socket closes by itself; there is nothing left to send. */
function ignore(): void {}
