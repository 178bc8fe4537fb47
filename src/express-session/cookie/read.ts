import { readCookie } from '../../http/cookie/read.js'
import type { SessionRequest } from '../classes/types.js'
import { unsign, type Secret } from './signature.js'

/** The cookie of a session, as a request has brought it along. */
export interface ReceivedCookie {
  /** The express-session id. */
  readonly sid: string
  /** Its value: the id, and the signature by `secret`. */
  readonly value: string
  readonly secret: Secret
}

/** How many cookies of one name are looked at: more are somebody's attack. */
const MAX_VALUES = 4

/** What is in the value of a cookie: `s:<id>.<signature>`, percent-encoded. */
export function receivedOf(encoded: string, secrets: readonly Secret[]): ReceivedCookie | undefined {
  const value = decoded(encoded)
  const signed = value.startsWith('s:') ? unsign(value.slice(2), secrets) : undefined
  return signed && signed.value !== '' ? { sid: signed.value, value, secret: signed.secret } : undefined
}

/**
 * The cookie that a request has brought along. Where cookie-parser has run, and something has changed the
 * header since, that is the header as the client has sent it: `req.cookies` is what anything may have changed.
 */
export function readSession(
  req: SessionRequest,
  name: string,
  secrets: readonly Secret[],
): ReceivedCookie | undefined {
  const received = fromHeader(req.headers.cookie, name, secrets)
  if (received !== undefined || (req.cookies === undefined && req.signedCookies === undefined))
    return received
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
): ReceivedCookie | undefined {
  let received: ReceivedCookie | undefined
  if (header !== undefined) {
    readCookie(header, name, MAX_VALUES, (value): value is string => {
      received ??= receivedOf(value, secrets)
      return true
    })
  }
  return received
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
