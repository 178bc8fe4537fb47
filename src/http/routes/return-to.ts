import type { IncomingMessage } from 'node:http'
import { parseUrl } from '../../lib/text/parse-url.js'
import { hostOf } from '../origin/host.js'

/** The query parameter that takes a visitor back to the page which asked for a login. */
export const RETURN_TO = 'returnTo'

const LONGEST = 2_048
// Any origin serves: it only shows whether the path leads away from it.
const here = 'http://here.invalid'

/**
 * The path, if it is one of this site: it begins with one slash, holds no backslash (browsers read it as a
 * slash) and no control character (browsers drop some), and resolves to our own origin.
 * An open redirect is CWE-601.
 */
export function localPath(path: unknown): string | undefined {
  if (typeof path !== 'string' || path.length > LONGEST) return undefined
  if (!path.startsWith('/') || path.startsWith('//') || hasBackslashOrControl(path)) return undefined
  return parseUrl(path, here)?.origin === here ? path : undefined
}

// A registered symbol: the copies of this package must find what the other one has remembered.
const remembered = Symbol.for('express-sid.returnTo')

/** Remembers where this request goes back to: the page that asked for a login before the visitor went to a provider. */
export function rememberReturnTo(req: object, path: string): void {
  ;(req as { [remembered]?: unknown })[remembered] = path
}

/** The page to go back to, as was remembered, or as the query of this request says. Two of them are none. */
export function returnToOf(req: IncomingMessage & { originalUrl?: string }): string | undefined {
  const path = localPath((req as { [remembered]?: unknown })[remembered])
  if (path !== undefined) return path
  const { searchParams } = new URL(queryOf(req), here)
  const values = searchParams.getAll(RETURN_TO)
  return values.length === 1 ? localPath(values[0]) : undefined
}

/** The login page, with the way back to the page that was asked for, or else to that of the form that was sent. */
export function loginPageFor(req: IncomingMessage & { originalUrl?: string }, loginPage: string): string {
  return withReturnTo(loginPage, isNavigation(req) ? localPath(req.originalUrl ?? req.url) : formPageOf(req))
}

/** The page whose form was sent, if the browser says it and it is one of this host. A form can't be sent again. */
function formPageOf(req: IncomingMessage): string | undefined {
  const page = parseUrl(req.headers.referer ?? '')
  if (req.method !== 'POST' || page === undefined || page.host !== hostOf(req)?.toLowerCase())
    return undefined
  return localPath(page.pathname + page.search)
}

/** The address of a page with the way back in its query, if there is one. */
export function withReturnTo(page: string, path: string | undefined): string {
  if (path === undefined) return page
  const [, address, fragment] = /^([^#]*)(.*)$/.exec(page)!
  return `${address}${joint(page)}${RETURN_TO}=${encodeURIComponent(path)}${fragment}`
}

/** Whether this request asks for the login page, as `loginPageFor` leads there. */
export function isLoginPage(req: IncomingMessage & { originalUrl?: string }, loginPage: string): boolean {
  const asked = req.originalUrl ?? req.url
  const address = loginPage.replace(/#.*/, '')
  return asked === address || asked?.startsWith(`${address}${joint(address)}${RETURN_TO}=`) === true
}

/** What joins another parameter to an address: a query begins before its fragment. */
function joint(address: string): string {
  return address.replace(/#.*/, '').includes('?') ? '&' : '?'
}

/** Only a page that was navigated to can be gone back to: never a form's target or a script's call. */
function isNavigation(req: IncomingMessage): boolean {
  const mode = req.headers['sec-fetch-mode']
  return req.method === 'GET' && (mode === undefined || mode === 'navigate')
}

function queryOf(req: IncomingMessage & { originalUrl?: string }): string {
  const url = req.originalUrl ?? req.url ?? ''
  const start = url.indexOf('?')
  return start === -1 ? '' : url.slice(start)
}

function hasBackslashOrControl(text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index)
    if (code < 0x20 || code === 0x7f || code === 0x5c) return true
  }
  return false
}
