import type { IncomingMessage } from 'node:http'
import type { TLSSocket } from 'node:tls'
import { cleanAddress } from '../../core/client/address.js'
import type { Client } from '../../core/client/client.js'
import { cleanUserAgent } from '../../core/client/user-agent.js'
import { detached } from '../../lib/text/detached.js'

/** What Express adds to a request, as far as it is read here: a WebSocket handshake comes without it. */
type MaybeExpress = IncomingMessage & {
  readonly secure?: boolean
  readonly protocol?: string
  readonly ip?: string | undefined
}

/**
 * The client as recorded and compared, with Express' `req.ip`, which believes proxies as far as `trust proxy` says.
 *
 * @param known The client on record. What was cleaned when it was recorded need not be cleaned again.
 */
export function clientOf(req: IncomingMessage, known?: Client): Client {
  const agent = req.headers['user-agent']
  const address = (req as MaybeExpress).ip ?? req.socket.remoteAddress
  if (known !== undefined && agent === known.userAgent && address === known.ip) return known
  // What Express takes from X-Forwarded-For is a part of that header, and would keep all of it in memory.
  const isFromHeader = address !== undefined && address !== req.socket.remoteAddress
  return { userAgent: cleanUserAgent(agent), ip: cleanAddress(isFromHeader ? detached(address) : address) }
}

/**
 * Reads the address while the client is there: Node forgets that of a socket which has closed, unless it was asked
 * before. Otherwise a client that hangs up during the lookup would have none, and be of no other network.
 */
export function captureRemoteAddress(req: IncomingMessage): void {
  void req.socket.remoteAddress
}

/** Whether the request came over TLS, as Express sees it behind a trusted proxy. */
export function isSecure(req: IncomingMessage): boolean {
  const { secure, protocol } = req as MaybeExpress
  if (secure === undefined) return (req.socket as TLSSocket).encrypted ?? false
  // Some proxies say wss of a WebSocket, which Express does not take for https.
  return secure || protocol === 'wss'
}
