import { readCookie } from '../../http/cookie/read.js'
import type { SessionRequest } from '../classes/types.js'
import { unsign, type Secret } from './signature.js'

/** How many cookies of one name are looked at: more are somebody's attack. */
const MAX_VALUES = 4

/** The express-session id in the value of a cookie: `s:<id>.<signature>`, percent-encoded. */
export function sidOf(value: string, secrets: readonly Secret[]): string | undefined {
  const text = decoded(value)
  return text.startsWith('s:') ? unsign(text.slice(2), secrets) || undefined : undefined
}

/**
 * The express-session id that a request has brought along. Where cookie-parser has run, and something has changed the
 * header since, that is the header as the client has sent it: `req.cookies` is what anything may have changed.
 */
export function readSid(req: SessionRequest, name: string, secrets: readonly Secret[]): string | undefined {
  const sid = fromHeader(req.headers.cookie, name, secrets)
  if (sid !== undefined || (req.cookies === undefined && req.signedCookies === undefined)) return sid
  return fromHeader(rawCookies(req.rawHeaders ?? []), name, secrets)
}

/** Whether the browser holds a cookie of this name, good or not. */
export function holdsCookie(req: SessionRequest, name: string): boolean {
  return readCookie(req.headers.cookie, name, 1, (value): value is string => value !== '').length > 0
}

function fromHeader(
  header: string | undefined,
  name: string,
  secrets: readonly Secret[],
): string | undefined {
  let sid: string | undefined
  if (header !== undefined) {
    readCookie(header, name, MAX_VALUES, (value): value is string => {
      sid ??= sidOf(value, secrets)
      return true
    })
  }
  return sid
}

function rawCookies(headers: readonly string[]): string {
  return headers.filter((_, at) => at % 2 === 1 && headers[at - 1]!.toLowerCase() === 'cookie').join('; ')
}

function decoded(value: string): string {
  const text = value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
  try {
    return text.includes('%') ? decodeURIComponent(text) : text
  } catch {
    return text
  }
}
