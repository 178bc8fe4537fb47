import { stringifySetCookie } from 'cookie'
import type { ServerResponse } from 'node:http'
import type { CookieChoice, CookieSettings } from './options.js'

export { resolveCookie } from './options.js'
export type { CookieChoice, CookieOptions, CookieSettings } from './options.js'

/**
 * The one cookie of a request: what it reads is what it writes, so that nothing can hide behind a second name.
 * No object is made: both answers were decided at the start.
 */
export function cookieFor(settings: CookieSettings, secureRequest: boolean): CookieChoice {
  return secureRequest ? settings.onSecureRequest : settings.onPlainRequest
}

const none: readonly string[] = []
/** One more than any caller looks up: so many are too many, whatever comes after. */
const MAX_VALUES = 5
const SEMICOLON = 59
const EQUALS = 61

/**
 * The distinct values of the cookies of exactly this name, in their order, at most five. Values are as they were
 * sent: neither percent-decoded nor unquoted, only without the blanks around them.
 *
 * Every request comes through here, so it looks for the one name and takes no other cookie apart.
 *
 * @param header The `Cookie` header. Node joins several with `; `.
 */
export function readCookie(header: string | undefined, name: string): readonly string[] {
  if (header === undefined) return none
  let values: string[] | undefined
  let at = header.indexOf(name)
  while (at !== -1) {
    const after = at + name.length
    // Browsers put no blank before the equals sign, so a name that is followed by one is not ours.
    if (header.charCodeAt(after) === EQUALS && isPairStart(header, at)) {
      const value = trimBlanks(header, after + 1, pairEnd(header, after))
      if (values === undefined) values = [value]
      else if (!values.includes(value)) values.push(value)
      if (values.length === MAX_VALUES) break
    }
    at = header.indexOf(name, after)
  }
  return values ?? none
}

/** Whether a cookie begins here: nothing but blanks since the last semicolon. */
function isPairStart(header: string, at: number): boolean {
  let before = at - 1
  while (isBlank(header.charCodeAt(before))) before--
  return before < 0 || header.charCodeAt(before) === SEMICOLON
}

function pairEnd(header: string, from: number): number {
  const end = header.indexOf(';', from)
  return end === -1 ? header.length : end
}

/** Not `String.trim`, which takes off far more than the two blanks of HTTP: look-alike names have come of that. */
function trimBlanks(header: string, from: number, to: number): string {
  let start = from
  let end = to
  while (start < end && isBlank(header.charCodeAt(start))) start++
  while (end > start && isBlank(header.charCodeAt(end - 1))) end--
  return header.slice(start, end)
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9
}

/**
 * Puts a cookie into the response in place of an earlier one of the same name, so that of a logout and a login in
 * one request only the last one counts. Other cookies stay.
 */
export function setCookie(res: ServerResponse, serialized: string, name: string): void {
  const earlier = [res.getHeader('Set-Cookie') ?? []].flat().map(String)
  const others = earlier.filter((cookie) => !cookie.startsWith(`${name}=`))
  res.setHeader('Set-Cookie', [...others, serialized])
}

/** The `Set-Cookie` value that gives the browser its token. */
export function serializeToken(
  settings: CookieSettings,
  choice: CookieChoice,
  token: string,
  maxAgeMs: number,
): string {
  // Zero or less would delete the cookie.
  const maxAge = settings.persistent ? Math.max(1, Math.floor(maxAgeMs / 1000)) : undefined
  return stringifySetCookie({ ...attributes(settings, choice), value: token, maxAge }, { encode: String })
}

/** The `Set-Cookie` value that makes the browser forget it. Only the same name, domain and path reach it. */
export function serializeCleared(settings: CookieSettings, choice: CookieChoice): string {
  return stringifySetCookie({ ...attributes(settings, choice), value: '', maxAge: 0, expires: new Date(0) })
}

function attributes({ sameSite, domain, path, priority, partitioned }: CookieSettings, choice: CookieChoice) {
  return { ...choice, httpOnly: true, sameSite, domain, path, priority, partitioned }
}
