import { stringifySetCookie } from 'cookie'
import type { CookieChoice, CookieSettings } from './options.js'

/**
 * The `Set-Cookie` value that gives the browser its token.
 *
 * @param persistent whether this cookie outlives the browser's window.
 */
export function serializeToken(
  settings: CookieSettings,
  choice: CookieChoice,
  token: string,
  maxAgeMs: number,
  persistent = settings.persistent,
): string {
  // Zero or less would delete the cookie.
  const maxAge = persistent ? Math.max(1, Math.floor(maxAgeMs / 1000)) : undefined
  const value = settings.form === undefined ? token : settings.form.valueOf(token)
  return stringifySetCookie({ ...attributes(settings, choice), value, maxAge }, { encode: String })
}

/** The `Set-Cookie` value that makes the browser forget it. Only the same name, domain and path reach it. */
export function serializeCleared(settings: CookieSettings, choice: CookieChoice): string {
  return stringifySetCookie({ ...attributes(settings, choice), value: '', maxAge: 0, expires: new Date(0) })
}

function attributes({ sameSite, domain, path, priority, partitioned }: CookieSettings, choice: CookieChoice) {
  return { ...choice, httpOnly: true, sameSite, domain, path, priority, partitioned }
}
