import type { CookieChoice, CookieSettings } from './options.js'

/**
 * The one cookie of a request: it reads and writes the same name, so that nothing can hide behind a second one.
 * No object is made: both choices were decided at the start.
 */
export function cookieFor(settings: CookieSettings, secureRequest: boolean): CookieChoice {
  return secureRequest ? settings.onSecureRequest : settings.onPlainRequest
}

const none: readonly never[] = []
const SEMICOLON = 59
const EQUALS = 61

/**
 * The distinct values of the cookies of exactly this name that can be ours, in their order, at most `max`. Values are
 * as they were sent: neither percent-decoded nor unquoted, only without the blanks around them. Others do not count:
 * junk beside the real cookie must not hide it.
 *
 * Every request comes through here, so it looks for the one name and does not parse any other cookie.
 *
 * @param canBeOurs whether a value has the shape of a token.
 * @param header The `Cookie` header. Node joins several with `; `.
 */
export function readCookie<T extends string>(
  header: string | undefined,
  name: string,
  max: number,
  canBeOurs: (value: string) => value is T,
): readonly T[] {
  if (header === undefined) return none
  let values: T[] | undefined
  let at = header.indexOf(name)
  while (at !== -1) {
    const after = at + name.length
    // Browsers put no blank before the equals sign, so a name that is followed by one is not ours.
    if (header.charCodeAt(after) === EQUALS && isPairStart(header, at)) {
      const value = trimBlanks(header, after + 1, pairEnd(header, after))
      if (canBeOurs(value)) {
        if (values === undefined) values = [value]
        else if (!values.includes(value)) values.push(value)
        if (values.length === max) break
      }
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
