import type { ServerResponse } from 'node:http'
import { stringifySetCookie } from 'cookie'
import { carryCookie } from '../cookie/carry.js'
import type { BindingConfig } from './options.js'

/**
 * The name of the bound cookie of a session. Each session has its own: a browser may still renew the one of a session
 * before, whose other cookie it has lost. With one name for both, each would replace the other's value.
 */
export function boundName({ cookieName }: BindingConfig, sessionId: string): string {
  return `${cookieName}-bound-${sessionId.slice(-12)}`
}

/** Whether a value has the shape of a bound cookie's: 256 random bits in base64url. */
export function isBoundValue(value: string): value is string {
  return value.length === 43 && /^[\w-]+$/.test(value)
}

/** Gives the browser a bound cookie. It lives for the time of one proof. */
export function giveBoundCookie(
  res: ServerResponse,
  config: BindingConfig,
  sessionId: string,
  value: string,
): void {
  const maxAge = Math.floor(config.ttl / 1000)
  const name = boundName(config, sessionId)
  carryCookie(res, name, stringifySetCookie({ ...attributes(config), name, value, maxAge }))
}

/** Makes the browser forget the bound cookie of a session that has ended. */
export function clearBoundCookie(res: ServerResponse, config: BindingConfig, sessionId: string): void {
  const name = boundName(config, sessionId)
  const gone = { value: '', maxAge: 0, expires: new Date(0) }
  carryCookie(res, name, stringifySetCookie({ ...attributes(config), name, ...gone }))
}

/**
 * The attributes of the bound cookie, as the browser is told to expect them. They must be those of `giveBoundCookie`:
 * a cookie with others does not count as the bound one, and each request would wait for a renewal.
 */
export function boundAttributes({ sameSite }: BindingConfig): string {
  const names = { lax: 'Lax', strict: 'Strict', none: 'None' } as const
  return `Path=/; Secure; HttpOnly; SameSite=${names[sameSite]}`
}

function attributes({ sameSite }: BindingConfig) {
  return { path: '/', secure: true, httpOnly: true, sameSite } as const
}
