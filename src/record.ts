import { isObject } from './lib/is-object.js'
import type { JsonObject } from './lib/json.js'

export type { Json, JsonObject } from './lib/json.js'

/**
 * What the store keeps of one session. Immutable: a change is a new record with the next version.
 * All times are epoch milliseconds, set by the core's clock.
 */
export interface SessionRecord {
  /** UUIDv7, lower case. Public: holding it grants nothing. The store's key. */
  readonly id: string
  /** Counts the changes, from 1. What `update` compares. */
  readonly version: number
  /** SHA-256 of the whole secret, base64url. The secret itself is known to the browser only. */
  readonly secretHash: string
  /** SHA-256 of the series half alone, base64url: the half that stays when the other one rotates. */
  readonly seriesHash: string
  /** When the secret was last issued; absent: at `createdAt`. */
  readonly rotatedAt?: number | undefined
  /** The hash of the successor that was issued, and has not taken the place of `secretHash` yet. */
  readonly nextHash?: string | undefined
  /** The hash of the secret before this one, which is good until `priorUntil`. */
  readonly priorHash?: string | undefined
  readonly priorUntil?: number | undefined
  /** How many successors in a row nobody has used. */
  readonly unusedRotations?: number | undefined
  /** Why the session has ended, in the moment before its record is deleted. */
  readonly endedBy?: 'reuse' | 'login' | undefined
  /** Whose session it is, as text; absent for a guest. Never changes during a session's life. */
  readonly userId?: string | undefined
  /** `'number'` where the application's own id is a number: `userId` is its text. */
  readonly userIdType?: 'number' | undefined
  /** What `serializeUser` kept of the user; absent for a guest, and where `loadUser` reads it anew. */
  readonly user?: JsonObject | undefined
  /** The application's own values. */
  readonly data: JsonObject
  /** The `User-Agent` last recorded, without control characters, at most 512 characters. */
  readonly userAgent: string
  /** The address last recorded. */
  readonly ip: string
  readonly createdAt: number
  /** When the user last proved who they are; equals `createdAt`, since each login makes a new session. */
  readonly authenticatedAt: number
  readonly lastSeenAt: number
  /** The next deadline: the idle one, which moves, or `absoluteExpiresAt`, whichever comes first. */
  readonly expiresAt: number
  /** The deadline that never moves. */
  readonly absoluteExpiresAt: number
}

/** What may be shown of a session to its owner or to an administrator: everything but credentials and data. */
export interface SessionInfo {
  readonly id: string
  /** Whose session it is: text, or a number where the application's own id is one. `undefined` for a guest. */
  readonly userId: string | number | undefined
  readonly user: JsonObject | undefined
  /** "Chrome on macOS", from the user agent. */
  readonly label: string
  readonly userAgent: string
  readonly ip: string
  readonly createdAt: number
  readonly authenticatedAt: number
  readonly lastSeenAt: number
  readonly expiresAt: number
  readonly absoluteExpiresAt: number
  /** Whether it is the session of the request that asked. Always false outside a request. */
  readonly current: boolean
}

/**
 * Whether a value has every field of a record. The core checks what a store returns before it uses it.
 *
 * @example isSessionRecord(await store.get(id))
 */
export function isSessionRecord(value: unknown): value is SessionRecord {
  // Spelt out, since every request comes through here: a loop over names would cost ten times as much.
  return (
    isObject(value) &&
    typeof value.id === 'string' &&
    typeof value.secretHash === 'string' &&
    typeof value.seriesHash === 'string' &&
    typeof value.userAgent === 'string' &&
    typeof value.ip === 'string' &&
    Number.isFinite(value.version) &&
    Number.isFinite(value.createdAt) &&
    Number.isFinite(value.authenticatedAt) &&
    Number.isFinite(value.lastSeenAt) &&
    Number.isFinite(value.expiresAt) &&
    Number.isFinite(value.absoluteExpiresAt) &&
    isOptional(value.rotatedAt, 'number') &&
    isOptional(value.nextHash, 'string') &&
    isOptional(value.priorHash, 'string') &&
    isOptional(value.priorUntil, 'number') &&
    isOptional(value.unusedRotations, 'number') &&
    isOptional(value.userId, 'string') &&
    (value.user === undefined || isObject(value.user)) &&
    isObject(value.data)
  )
}

function isOptional(value: unknown, type: 'number' | 'string'): boolean {
  return value === undefined || typeof value === type
}

/**
 * A record as the text that stores keep.
 *
 * @example client.set(record.id, encodeRecord(record))
 */
export function encodeRecord(record: SessionRecord): string {
  return JSON.stringify(record)
}

/**
 * The record that a text holds. Never throws: for any other text it returns an object with the id alone, which
 * `isSessionRecord` refuses. So one damaged record fails its own request and no other one of a batch, and it can
 * still be revoked.
 *
 * @example decodeRecord(id, await client.get(id))
 */
export function decodeRecord(id: string, text: string): SessionRecord {
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value) && value.id === id) return value as unknown as SessionRecord
  } catch {
    // Not JSON: damaged, see below.
  }
  return { id } as SessionRecord
}
