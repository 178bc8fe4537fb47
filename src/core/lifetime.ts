import type { SessionRecord } from '../record.js'
import { rememberedClient, type Client } from './client/client.js'

/** How long sessions live, in milliseconds. */
export interface Lifetimes {
  /** A login that is not used for so long has ended. */
  readonly idleTimeout: number
  /** The same for a session without a user. */
  readonly guestIdleTimeout: number
  /** A session so old has ended, used or not. */
  readonly absoluteTimeout: number
  /** The idle deadline is moved at most once in this time. */
  readonly touchInterval: number
}

type Times = Pick<
  SessionRecord,
  'createdAt' | 'authenticatedAt' | 'lastSeenAt' | 'expiresAt' | 'absoluteExpiresAt'
>

/** The times of a session that starts now. */
export function timesAtStart(now: number, isGuest: boolean, lifetimes: Lifetimes): Times {
  const absoluteExpiresAt = now + lifetimes.absoluteTimeout
  const idle = isGuest ? lifetimes.guestIdleTimeout : lifetimes.idleTimeout
  const expiresAt = Math.min(now + idle, absoluteExpiresAt)
  return { createdAt: now, authenticatedAt: now, lastSeenAt: now, expiresAt, absoluteExpiresAt }
}

/** Whether a deadline has passed, or the session was marked as ended. Stores may lag behind; this decides. */
export function isExpired(record: SessionRecord, now: number): boolean {
  return record.endedBy !== undefined || now >= record.expiresAt || now >= record.absoluteExpiresAt
}

/** Whether the idle deadline may be moved again. */
export function isTouchDue(record: SessionRecord, now: number, lifetimes: Lifetimes): boolean {
  return now - record.lastSeenAt >= lifetimes.touchInterval
}

/** The record as of this use: the idle deadline moved, the client that used it remembered. */
export function touched(
  record: SessionRecord,
  now: number,
  client: Client,
  lifetimes: Lifetimes,
): SessionRecord {
  const idle = record.userId === undefined ? lifetimes.guestIdleTimeout : lifetimes.idleTimeout
  // Another node's clock may be ahead, or ours was set back: what was seen is not taken back.
  const lastSeenAt = Math.max(now, record.lastSeenAt)
  const { userAgent, ip } = rememberedClient(record, client)
  return {
    ...record,
    userAgent,
    ip,
    lastSeenAt,
    expiresAt: Math.min(lastSeenAt + idle, record.absoluteExpiresAt),
  }
}
