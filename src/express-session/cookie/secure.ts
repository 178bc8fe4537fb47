import type { TLSSocket } from 'node:tls'
import type { SessionRequest } from '../classes/types.js'

/**
 * Whether a request came over TLS.
 *
 * @param proxy the option: true believes `X-Forwarded-Proto`, false does not; otherwise Express decides.
 */
export function isSecure(req: SessionRequest, proxy: boolean | undefined): boolean {
  if ((req.socket as TLSSocket | undefined)?.encrypted) return true
  if (proxy === false) return false
  if (proxy !== true) return req.secure === true
  const [first = ''] = String(req.headers['x-forwarded-proto'] ?? '').split(',')
  return first.trim().toLowerCase() === 'https'
}
