import { stringifySetCookie } from 'cookie'
import type { ServerResponse } from 'node:http'
import { carryCookie } from '../cookie/carry.js'
import { readCookie } from '../cookie/read.js'
import type { AdoptSettings } from './options.js'

/** As long as browsers keep a cookie, and what comes with its name. */
const LONGEST = 8_192

const canBeOld = (value: string): value is string => value !== '' && value.length <= LONGEST

/**
 * The value of the old cookie that says who it is. Of two with one name nobody knows which one is read as the user's: then
 * there is none. Every spelling counts that some parser reads as this name, or a copy of a used cookie could hide behind
 * another one.
 */
export function oldCookieOf(header: string | undefined, { cookies }: AdoptSettings): string | undefined {
  const { name } = cookies[0]!
  if (header?.includes(name) !== true) return undefined
  const pairs = header.split(';').filter((pair) => pair.split('=', 1)[0]!.trim() === name)
  const values = new Set(pairs.map((pair) => pair.slice(pair.indexOf('=') + 1).trim()))
  values.delete('')
  const [value] = values
  return values.size === 1 && canBeOld(value!) ? value : undefined
}

/** Makes the browser forget the old cookies: their part is done. */
export function clearOldCookies(
  res: ServerResponse,
  header: string | undefined,
  { cookies }: AdoptSettings,
): void {
  for (const { name, path, domain } of cookies) {
    if (readCookie(header, name, 1, canBeOld).length === 0) continue
    // Browsers take such a name only with Secure, also for clearing it.
    const secure = /^__(?:host|secure|http)-/i.test(name)
    const gone = { name, value: '', path, domain, secure, httpOnly: true, maxAge: 0, expires: new Date(0) }
    carryCookie(res, name, stringifySetCookie(gone))
  }
}
