import { createHash, randomBytes } from 'node:crypto'
import type { SessionRecord } from 'express-sid'
import { USER_AGENT } from '../load/request.js'

export const HOUR = 3_600_000

const sha256 = () => createHash('sha256').update(randomBytes(8)).digest('base64url')

/** An id as the package makes it (RFC 9562, version 7). */
export function uuidv7(): string {
  const time = Date.now().toString(16).padStart(12, '0')
  const random = randomBytes(10).toString('hex')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6, 18)}`
}

/** What may differ from an ordinary record. */
export interface FakeRecord {
  readonly userId?: string
  readonly userAgent?: string
  readonly ip?: string
  readonly lastSeenAt?: number
  readonly expiresAt?: number
}

/** A record as a login makes it, to fill a store without logins. The secret behind its hashes is known to nobody. */
export function fakeRecord(
  n: number,
  {
    userId = `user-${n}`,
    userAgent = USER_AGENT,
    ip = '203.0.113.7',
    lastSeenAt = Date.now(),
    expiresAt = lastSeenAt + 168 * HOUR,
  }: FakeRecord = {},
): SessionRecord {
  // One literal: V8 would keep a spread in more memory, and the plain Map must show the least.
  return {
    id: uuidv7(),
    version: 1,
    secretHash: sha256(),
    seriesHash: sha256(),
    userId,
    user: { id: userId, name: `User ${n}` },
    data: {},
    userAgent,
    ip,
    createdAt: lastSeenAt,
    authenticatedAt: lastSeenAt,
    lastSeenAt,
    expiresAt,
    absoluteExpiresAt: lastSeenAt + 720 * HOUR,
  }
}

/** The id as it comes from a cookie: a new string, which V8 has not hashed yet. */
export const fresh = (id: string): string => Buffer.from(id).toString('latin1')
