import type { IncomingMessage } from 'node:http'
import { isToken, splitToken, type TokenText } from '../../core/token.js'
import { warnOnce } from '../../lib/warn-once.js'
import { readCookie } from '../cookie/read.js'
import { hostOf } from '../origin/host.js'

// What puzzles developers, said once in a process. Nothing here is called in production.

/** A session was there and its client was refused: nothing else tells the developer why there is no user. */
export function warnOfRefusedClient(): void {
  warnOnce(
    'SID_CLIENT_REFUSED',
    `A session was not used, since its cookie came from another browser engine or network than its login ` +
      `(option onClientChange). The session lives on. In development that is mostly the device mode of DevTools, a ` +
      `WebView, a service worker, or the storageState of Playwright in a project with another browser. To let such ` +
      `requests pass here, set onClientChange: { engine: 'report' }.`,
  )
}

/** A new cookie replaces one that another app on another port of this machine has probably issued. */
export function warnOfSharedCookie(req: IncomingMessage, name: string): void {
  const host = hostOf(req)
  if (host === undefined || !loopback.test(host) || !holdsNewerToken(req, name)) return
  warnOnce(
    'SID_SHARED_COOKIE',
    `A new cookie "${name}" on ${host} replaces one that is of no session of this app. Browsers share the cookies of a ` +
      `host among all its ports, so apps on other ports log each other out. Give each a name of its own: ` +
      `cookie: { name: 'shop-sid' }.`,
  )
}

/** Two managers on the way of one request, with one cookie between them. */
export function warnOfSameCookie(name: string): void {
  warnOnce(
    'SID_SAME_COOKIE',
    `A request passed through two sessionMiddleware() with different managers and the same cookie "${name}": a login ` +
      `of one replaces the login of the other. If they should be one, make one manager with createSessions() and ` +
      `mount that everywhere. If not, give one of them a cookie of its own, by cookie: { name } or { path }.`,
  )
}

const loopback = /^(?:(?:[\w-]+\.)*localhost|127(?:\.\d+){3}|\[::1\])(?::\d+)?$/i
const startedAt = Date.now()

/** Whether a token was issued since this process has started: older ones may be of before, when a memory store was new. */
function holdsNewerToken(req: IncomingMessage, name: string): boolean {
  return readCookie(req.headers.cookie, name, 1, isToken).some((value) => issuedAt(value) > startedAt)
}

/** The time in the token's id, which is a UUIDv7 (RFC 9562 §5.7). */
function issuedAt(token: TokenText): number {
  return Number.parseInt(splitToken(token).id.replace('-', '').slice(0, 12), 16)
}
