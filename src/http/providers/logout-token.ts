import { isObject } from '../../lib/json/is-object.js'

/** What a verified logout token says. */
export interface LogoutClaims {
  readonly iss?: string | undefined
  readonly aud?: string | readonly string[] | undefined
  readonly iat?: number | undefined
  readonly exp?: number | undefined
  readonly jti?: string | undefined
  /** Whose sessions end, as the provider knows them. */
  readonly sub?: string | undefined
  /** Which session at the provider has ended. */
  readonly sid?: string | undefined
  readonly [claim: string]: unknown
}

/** The claims of a token that is one. */
export interface LogoutToken extends LogoutClaims {
  readonly iss: string
  readonly iat: number
  readonly jti: string
}

const EVENT = 'http://schemas.openid.net/event/backchannel-logout'
/** Clocks of machines differ. */
const TOLERANCE_S = 300

/**
 * Looks at the claims of a token whose signature was verified: whether it is a logout token at all, and not the ID token of
 * a login that somebody has kept (OpenID Connect Back-Channel Logout 1.0 §2.6).
 *
 * @returns the claims, or what is wrong with them.
 */
export function readLogoutToken(claims: unknown, now: number): LogoutToken | string {
  if (!isObject(claims)) return 'verify returned no claims.'
  const { iss, aud, iat, jti, sub, sid, events } = claims
  if (!isObject(events) || !isObject(events[EVENT])) return `Its events have no ${EVENT}.`
  if ('nonce' in claims) return 'It has a nonce, as ID tokens have.'
  if (!isText(iss)) return 'It names no issuer (iss).'
  if (!isAudience(aud)) return 'It is for nobody (aud).'
  if (typeof iat !== 'number' || !Number.isFinite(iat)) return 'It has no time (iat).'
  if (iat > now / 1_000 + TOLERANCE_S) return 'It was issued in the future (iat).'
  if (!isText(jti)) return 'It has no id (jti).'
  if (!isText(sub) && !isText(sid)) return 'It names neither a user (sub) nor a session (sid).'
  return claims as unknown as LogoutToken
}

function isAudience(aud: unknown): boolean {
  return isText(aud) || (Array.isArray(aud) && aud.length > 0 && aud.every(isText))
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}
