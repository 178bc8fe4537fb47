import type { IncomingMessage } from 'node:http'

/** Whether a method promises to change nothing (RFC 9110 §9.2.1): GET, HEAD and OPTIONS. */
export function isSafeMethod(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

/**
 * The method that decides whether a request may change something. Middleware such as method-override replaces the method
 * and keeps the one that was sent in `originalMethod`: a form of a foreign page that becomes a GET is a POST still, and a
 * link that becomes a DELETE is one.
 */
export function methodOf(req: IncomingMessage & { readonly originalMethod?: string }): string | undefined {
  return isSafeMethod(req.method) ? (req.originalMethod ?? req.method) : req.method
}

/** Whether a client asks for a WebSocket (RFC 6455 §4.1): the request of a page, whoever's, that carries our cookie. */
export function isHandshake(req: IncomingMessage & { readonly upgrade?: boolean | null }): boolean {
  // Node says false of nearly every request. Then there is no header to look for.
  return req.upgrade !== false && req.headers.upgrade?.toLowerCase() === 'websocket'
}

/**
 * Whether the browser loads a page that the user may never open. `Sec-Purpose` says `prefetch`, alone or with
 * parameters such as `;prerender` (Fetch §2.2.5); `Purpose` is what older browsers send.
 */
export function isPrefetch(req: IncomingMessage): boolean {
  const purpose = req.headers['sec-purpose'] ?? req.headers.purpose
  return typeof purpose === 'string' && /^prefetch(?![\w*.:/-])/.test(purpose)
}

/** What a browser opens or fetches for a page, in contrast to what a page embeds: images, styles, scripts. */
const pages = new Set<unknown>(['document', 'iframe', 'frame', 'empty', undefined])

/** Whether a page, a frame or a `fetch` asks, and the user has opened it. Clients that are no browser count as such. */
export function isPageOrFetch(req: IncomingMessage): boolean {
  return pages.has(req.headers['sec-fetch-dest']) && !isPrefetch(req)
}
