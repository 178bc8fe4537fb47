import type { RecordLifetime, SessionRecord } from '../record.js'
import type { AddressPolicy } from './client/address.js'
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

/**
 * The times of a session that starts now.
 *
 * @param own what its login said, in place of the options.
 */
export function timesAtStart(
  now: number,
  isGuest: boolean,
  lifetimes: Lifetimes,
  own: RecordLifetime = {},
): Times {
  const absoluteExpiresAt = now + (own.absolute ?? lifetimes.absoluteTimeout)
  const idle = own.idle ?? (isGuest ? lifetimes.guestIdleTimeout : lifetimes.idleTimeout)
  const expiresAt = Math.min(now + idle, absoluteExpiresAt)
  return { createdAt: now, authenticatedAt: now, lastSeenAt: now, expiresAt, absoluteExpiresAt }
}

/** Whether a deadline has passed, or the session was marked as ended. Stores may lag behind; this decides. */
export function isExpired(record: SessionRecord, now: number): boolean {
  return record.endedBy !== undefined || now >= record.expiresAt || now >= record.absoluteExpiresAt
}

/** Whole seconds until a session ends: unused, and in any case. Rounded down, so that nobody is warned too late. */
export function timeLeft({ expiresAt, absoluteExpiresAt }: SessionRecord, now: number) {
  const seconds = (until: number) => Math.max(0, Math.floor((until - now) / 1_000))
  return { idleSeconds: seconds(expiresAt), absoluteSeconds: seconds(absoluteExpiresAt) }
}

/** Whether the idle deadline may be moved again. */
export function isTouchDue(record: SessionRecord, now: number, lifetimes: Lifetimes): boolean {
  return now - record.lastSeenAt >= touchIntervalOf(record, lifetimes)
}

/** A session that ends after a few minutes must be touched more often, or it would end while it is used. */
function touchIntervalOf({ lifetime }: SessionRecord, { touchInterval }: Lifetimes): number {
  return lifetime?.idle === undefined ? touchInterval : Math.min(touchInterval, Math.ceil(lifetime.idle / 10))
}

/** How long a session may go unused. */
function idleTimeoutOf({ lifetime, userId }: SessionRecord, lifetimes: Lifetimes): number {
  return lifetime?.idle ?? (userId === undefined ? lifetimes.guestIdleTimeout : lifetimes.idleTimeout)
}

/** The record as of this use: the idle deadline moved, the client that used it remembered. */
export function touched(
  record: SessionRecord,
  now: number,
  client: Client,
  lifetimes: Lifetimes & { readonly recordAddress?: AddressPolicy | undefined },
): SessionRecord {
  // Another node's clock may be ahead, or ours was set back: what was seen is not taken back.
  const lastSeenAt = Math.max(now, record.lastSeenAt)
  const { userAgent, ip } = rememberedClient(record, client, lifetimes.recordAddress)
  return {
    ...record,
    userAgent,
    ip,
    lastSeenAt,
    expiresAt: Math.min(lastSeenAt + idleTimeoutOf(record, lifetimes), record.absoluteExpiresAt),
  }
}
