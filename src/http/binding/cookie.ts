import type { ServerResponse } from 'node:http'
import { stringifySetCookie } from 'cookie'
import { carryCookie } from '../cookie/carry.js'
import type { BindingConfig } from './options.js'

/** Gives the browser a bound cookie. It lives for the time of one proof. */
export function giveBoundCookie(res: ServerResponse, config: BindingConfig, value: string): void {
  carry(res, config, { value, maxAge: Math.floor(config.ttl / 1000) })
}

/** Makes the browser forget the bound cookie. */
export function clearBoundCookie(res: ServerResponse, config: BindingConfig): void {
  carry(res, config, { value: '', maxAge: 0, expires: new Date(0) })
}

/**
 * The attributes of the bound cookie, as the browser is told to expect them. They must be those of `giveBoundCookie`:
 * a cookie with others does not count as the bound one, and each request would wait for a renewal.
 */
export function boundAttributes({ sameSite }: BindingConfig): string {
  const names = { lax: 'Lax', strict: 'Strict', none: 'None' } as const
  return `Path=/; Secure; HttpOnly; SameSite=${names[sameSite]}`
}

function carry(
  res: ServerResponse,
  { cookieName: name, sameSite }: BindingConfig,
  given: { readonly value: string; readonly maxAge: number; readonly expires?: Date },
): void {
  const attributes = { path: '/', secure: true, httpOnly: true, sameSite } as const
  carryCookie(res, name, stringifySetCookie({ name, ...attributes, ...given }))
}
