import type { IncomingMessage } from 'node:http'

/** What Express adds to a request that is read here. */
interface WithApp {
  readonly app?: {
    get(name: 'trust proxy fn'): ((address: string | undefined, hop: number) => boolean) | undefined
  }
}

/**
 * Our host and port as the browser addressed them: `X-Forwarded-Host` where the app's `trust proxy` trusts
 * whoever connected to us, else `:authority` (HTTP/2), else `Host`. Of the same host with and without a port, with.
 */
export function hostOf(req: IncomingMessage): string | undefined {
  const forwarded = forwardedHost(req)
  const host = oneText(req.headers[':authority']) ?? req.headers.host
  if (forwarded === undefined || !trustsProxy(req)) return host
  // Many proxies leave out the port. A Host of the same name that has it knows more.
  return host?.replace(/:\d+$/, '').toLowerCase() === forwarded.toLowerCase() ? host : forwarded
}

/** What `X-Forwarded-Host` says, trusted or not: the first host, which is the one nearest to the browser. */
export function forwardedHost(req: IncomingMessage): string | undefined {
  return oneText(req.headers['x-forwarded-host'])?.split(',', 1)[0]?.trim() || undefined
}

/** A header as one text. Node joins repeated headers with a comma; some of its types and servers allow a list. */
export function oneText(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header
}

function trustsProxy(req: IncomingMessage & WithApp): boolean {
  return Boolean(req.app?.get('trust proxy fn')?.(req.socket.remoteAddress, 0))
}
