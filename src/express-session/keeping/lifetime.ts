import type { CookieInput, Times } from '../classes/cookie.js'

/** The timeouts that a store of express-session does not know: milliseconds. */
export interface LifetimeLimits {
  readonly idleTimeout: number | undefined
  readonly absoluteTimeout: number | undefined
}

/** Keeps the timeouts of this package for sessions in a store of express-session, by times in their cookie. */
export class Lifetime {
  /** Whether there is a limit. Without one nothing is written into the cookie. */
  readonly isLimited: boolean

  constructor(private readonly limits: LifetimeLimits) {
    this.isLimited = limits.idleTimeout !== undefined || limits.absoluteTimeout !== undefined
  }

  get idle(): number | undefined {
    return this.limits.idleTimeout
  }

  /** Whether a deadline of the session has passed. One from before the limits begins at its next write. */
  hasPassed(cookie: CookieInput | undefined): boolean {
    const times = cookie?.times
    if (!this.isLimited || times === undefined) return false
    const now = Date.now()
    const { idleTimeout = Infinity, absoluteTimeout = Infinity } = this.limits
    return now - times.seenAt >= idleTimeout || now - times.createdAt >= absoluteTimeout
  }

  /** Notes a use. @param isStored a session that was just made begins now. */
  mark(cookie: { times?: Times }, isStored: boolean): void {
    if (!this.isLimited) return
    const now = Date.now()
    cookie.times = { createdAt: (isStored ? cookie.times?.createdAt : undefined) ?? now, seenAt: now }
  }
}
