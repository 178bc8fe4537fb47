import { stringifySetCookie } from 'cookie'
import type { ServerResponse } from 'node:http'
import type { CookieChoice, CookieSettings } from './options.js'

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
