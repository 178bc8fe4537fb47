import { isObject } from './lib/json/is-object.js'
import type { JsonObject } from './lib/json/json.js'

export type { Json, JsonObject } from './lib/json/json.js'

/** A proof of this kind was made by a key of the device: an algorithm of JWS (RFC 7518 §3.1). */
export type ProofAlgorithm = 'ES256' | 'RS256'

/** The public key of a device. */
export interface DeviceKey {
  readonly algorithm: ProofAlgorithm
  /** The members of a JWK (RFC 7517) that make up the key, and no other. */
  readonly jwk: JsonObject
}

/**
 * How far the binding of a session to its device has come (`deviceBinding`):
 * `offered` by the login, `registered` once the browser has sent a key, `bound` from the first proof of that key on.
 */
export type SessionBinding = OfferedBinding | RegisteredBinding | BoundBinding

/** The login has offered the binding. Browsers that can't bind a session ignore the offer. */
export interface OfferedBinding {
  readonly state: 'offered'
  /** SHA-256 of the random part of the offer, base64url. */
  readonly offerHash: string
  /** When the offer ends. */
  readonly offerUntil: number
}

/** The browser has registered a key. Nothing is enforced yet: it may not have received the response. */
export interface RegisteredBinding {
  readonly state: 'registered'
  readonly key: DeviceKey
  /** Makes the challenges. It opens nothing: a proof is a signature by the device's key. */
  readonly challengeKey: string
  /** The offer that it responded to: a browser that has not received the response sends the same again. */
  readonly offerHash: string
  readonly registeredAt: number
}

/** The device has proven its key. From now on the session's cookie is good only beside a fresh bound cookie. */
export interface BoundBinding extends Omit<RegisteredBinding, 'state' | 'offerHash'> {
  readonly state: 'bound'
  readonly boundAt: number
  /** The bound cookies that are good: SHA-256 of the value in base64url, and until when. The newest is the first. */
  readonly issued: readonly (readonly [hash: string, until: number])[]
}

/** How long one session lives, as its login said. What is absent is as the options of the manager say. */
export interface RecordLifetime {
  /** Milliseconds without use after which it has ended. */
  readonly idle?: number | undefined
  /** Milliseconds after its start at which it has ended, used or not. */
  readonly absolute?: number | undefined
  /** Whether its cookie outlives the browser's window. */
  readonly persistent?: boolean | undefined
}

/** Who acts as the user of a session (`actAs`). */
export interface RecordActor {
  /** The actor's own session. */
  readonly sessionId: string
  readonly userId: string
  /** As `userIdType` of a record. */
  readonly userIdType?: 'number' | undefined
}

/** A way in which the user of a session has proven who they are, in the application's own words. */
export interface ProvenMethod {
  /** Such as `'password'` or `'passkey'`. */
  readonly method: string
  /** When that was, the last time. */
  readonly at: number
}

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
  /** The session at the identity provider that has begun this one, as the login has said (`providerSession`). */
  readonly providerSession?: string | undefined
  /** How far the session is bound to its device; absent where that was never offered (`deviceBinding`). */
  readonly binding?: SessionBinding | undefined
  /** Where its token travels, and the only place where it opens the session; absent: in the cookie. */
  readonly via?: 'cookie' | 'bearer' | undefined
  /** Whose session it is, as text; absent for a guest. Never changes during a session's life. */
  readonly userId?: string | undefined
  /** `'number'` where the application's own id is a number: `userId` is its text. */
  readonly userIdType?: 'number' | undefined
  /** What `serializeUser` kept of the user; absent for a guest, and where `loadUser` reads it anew. */
  readonly user?: JsonObject | undefined
  /** How the user has proven who they are, newest first; absent where no login has said. */
  readonly methods?: readonly ProvenMethod[] | undefined
  /** How long this session lives; absent where its login said nothing of its own. */
  readonly lifetime?: RecordLifetime | undefined
  /** What `authVersion` said of the user at the login; absent where there was no such option. */
  readonly authVersion?: string | undefined
  /** Who acts as the user of this session; absent where the user themselves logged in. */
  readonly actor?: RecordActor | undefined
  /** The session in which the user of this one acts as another user. */
  readonly acting?: string | undefined
  /** The application's own values. */
  readonly data: JsonObject
  /** `req.session.cookie`, where `express-sid/express-session` keeps the session. */
  readonly cookie?: JsonObject | undefined
  /** The `User-Agent` last recorded, without control characters, at most 512 characters. */
  readonly userAgent: string
  /** The address last recorded, or its network (`recordAddress`); `''` where none is kept. */
  readonly ip: string
  /** Where the login came from, as `describeAddress` named it. */
  readonly place?: string | undefined
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
  /** The address that it was last used from, or its network (`recordAddress`); `''`: none is known or kept. */
  readonly ip: string
  /** Where the login came from, as `describeAddress` named it; `undefined` without that, and for a guest. */
  readonly place: string | undefined
  /** How the user has proven who they are, newest first, as the option `method` of the login said. */
  readonly methods: readonly ProvenMethod[]
  readonly createdAt: number
  readonly authenticatedAt: number
  readonly lastSeenAt: number
  readonly expiresAt: number
  readonly absoluteExpiresAt: number
  /** Where its token travels: in the cookie, or in `Authorization` (`bearer`). */
  readonly via: 'cookie' | 'bearer'
  /** Whether the session is bound to its device: a copy of its cookie opens nothing (`deviceBinding`). */
  readonly isBound: boolean
  /**
   * Who acts as the user in this session (`actAs`): support staff, most often. `undefined` where the user themselves
   * logged in.
   */
  readonly actor: { readonly userId: string | number; readonly sessionId: string } | undefined
  /** The session in which the user of this one acts as another user; `undefined` where they do not. */
  readonly acting: string | undefined
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
    isOptional(value.providerSession, 'string') &&
    (value.binding === undefined || isBinding(value.binding)) &&
    isOptional(value.via, 'string') &&
    isOptional(value.userId, 'string') &&
    isOptional(value.place, 'string') &&
    (value.user === undefined || isObject(value.user)) &&
    isOptional(value.authVersion, 'string') &&
    isOptional(value.acting, 'string') &&
    (value.actor === undefined || isActor(value.actor)) &&
    (value.methods === undefined || isMethods(value.methods)) &&
    (value.lifetime === undefined || isLifetime(value.lifetime)) &&
    isObject(value.data) &&
    (value.cookie === undefined || isObject(value.cookie))
  )
}

function isBinding(value: unknown): boolean {
  if (!isObject(value)) return false
  if (value.state === 'offered') {
    return typeof value.offerHash === 'string' && Number.isFinite(value.offerUntil)
  }
  const isRegistered =
    isObject(value.key) && isObject(value.key.jwk) && typeof value.challengeKey === 'string'
  if (value.state === 'registered') return isRegistered
  return (
    value.state === 'bound' && isRegistered && Number.isFinite(value.boundAt) && Array.isArray(value.issued)
  )
}

function isMethods(value: unknown): boolean {
  const isMethod = (one: unknown) =>
    isObject(one) && typeof one.method === 'string' && Number.isFinite(one.at)
  return Array.isArray(value) && value.every(isMethod)
}

function isLifetime(value: unknown): boolean {
  return (
    isObject(value) &&
    isOptional(value.idle, 'number') &&
    isOptional(value.absolute, 'number') &&
    isOptional(value.persistent, 'boolean')
  )
}

function isActor(value: unknown): boolean {
  return isObject(value) && typeof value.sessionId === 'string' && typeof value.userId === 'string'
}

function isOptional(value: unknown, type: 'number' | 'string' | 'boolean'): boolean {
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
  return damagedRecord(id)
}

/**
 * What a store returns for a record that it can't read: an object that `isSessionRecord` refuses.
 *
 * @param why a sentence for the message of the error RECORD_DAMAGED.
 * @example return damagedRecord(id, 'It is not encrypted.')
 */
export function damagedRecord(id: string, why?: string): SessionRecord {
  return { id, ...(why !== undefined && { damage: why }) } as unknown as SessionRecord
}

/** Why a store could not read what it returned, where it says so. */
export function damageOf(value: unknown): string | undefined {
  return isObject(value) && typeof value.damage === 'string' ? value.damage : undefined
}
