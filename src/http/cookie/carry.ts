import type { ServerResponse } from 'node:http'
import onHeaders from 'on-headers'

// A registered symbol: the ESM and CommonJS copies of this package may write cookies of one response.
const carried = Symbol.for('express-sid.carried')

type Carrier = ServerResponse & { [carried]?: Map<string, string> }

/**
 * Makes a response carry a cookie, and no cache keep it, whatever the application does to the headers afterwards. What
 * counts is what the headers hold when they leave, so that is when both are put in place (again). Of several cookies of
 * one name the last one counts: of a logout and a login in one request, the login's.
 *
 * Only a response that carries a cookie of ours is touched.
 */
export function carryCookie(res: ServerResponse, name: string, serialized: string): void {
  const carrier = res as Carrier
  let cookies = carrier[carried]
  if (cookies === undefined) {
    cookies = carrier[carried] = new Map()
    onHeaders(res, putInPlace)
  }
  cookies.set(name, serialized)
  putInPlace.call(res)
}

function putInPlace(this: Carrier): void {
  const cookies = this[carried]!
  const present = [this.getHeader('Set-Cookie') ?? []].flat().map(String)
  const others = present.filter((line) => !cookies.has(line.slice(0, line.indexOf('='))))
  this.setHeader('Set-Cookie', [...others, ...cookies.values()])
  forbidCaching(this)
}

/** Headers that overrule Cache-Control in caches between us and the browser: RFC 9213, and what nginx and Fastly read. */
const cacheHeaders = /(?:cdn-cache-control|^surrogate-control|^x-accel-expires|^edge-control)$/i

/** A cache that keeps this response would hand one browser's session to another. */
export function forbidCaching(res: ServerResponse): void {
  res.setHeader('Cache-Control', 'no-store')
  for (const name of res.getHeaderNames()) if (cacheHeaders.test(name)) res.removeHeader(name)
}
