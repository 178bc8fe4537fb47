import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { damagedRecord, isSessionRecord, type JsonObject, type SessionRecord } from '../../record.js'
import type { KeyRing, RingKey } from './keys.js'

const FORMAT = '1'
const NONCE_BYTES = 12
const TAG_BYTES = 16

/**
 * What stays readable of a record: what stores need to find, compare and expire it. Everything else is encrypted, also
 * fields that a later version of this package adds.
 */
const readable = [
  'id',
  'version',
  'createdAt',
  'authenticatedAt',
  'lastSeenAt',
  'expiresAt',
  'absoluteExpiresAt',
] as const satisfies readonly (keyof SessionRecord)[]

type Readable = Pick<SessionRecord, (typeof readable)[number]>

/** What every record must have, where nothing of it is to be seen. No secret has an empty hash. */
const blank = { secretHash: '', seriesHash: '', userAgent: '', ip: '' } as const

/**
 * The record as the inner store keeps it. It is a whole record for every store: the encrypted part is its data.
 *
 * @param user what stands for the user's id there; `undefined` for a guest.
 * @example store.insert(seal(record, ring.first, userId && ring.first.ofUser(userId)))
 */
export function seal(record: SessionRecord, key: RingKey, user: string | undefined): SessionRecord {
  const shown = readableOf(record)
  const hidden = Object.entries(record).filter(([name]) => !isReadable(name))
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key.ofSession(record.id), nonce)
  cipher.setAAD(bound(shown, key.id, user))
  const text = [cipher.update(JSON.stringify(Object.fromEntries(hidden)), 'utf8'), cipher.final()]
  const sealed = Buffer.concat([nonce, ...text, cipher.getAuthTag()]).toString('base64url')
  return {
    ...shown,
    ...blank,
    ...(user === undefined ? {} : { userId: user }),
    // So that the store can tell of the end (`hearEnds`). What counts is the one in the encrypted part.
    ...(record.endedBy === undefined ? {} : { endedBy: record.endedBy }),
    data: { sealed: `${FORMAT}.${key.id}.${sealed}` },
  }
}

/**
 * The record that `seal` was given. Never throws: what can't be opened is a damaged record, which says why. So it fails
 * its own request and no other one, and can still be revoked.
 *
 * @example open(await store.get(id), ring)
 */
export function open(inner: SessionRecord, ring: KeyRing): SessionRecord {
  if (!isSessionRecord(inner)) return inner
  const { id, userId: user } = inner
  const [format, keyId, body] = partsOf(inner)
  if (format !== FORMAT || keyId === undefined || body === undefined) {
    return damagedRecord(id, 'It is not encrypted, or by a newer version of this package.')
  }
  const missing = [keyId, user?.split('.')[0]].find((one) => one !== undefined && !ring.find(one))
  if (missing !== undefined) return damagedRecord(id, keyIsMissing(missing, ring))
  const shown = readableOf(inner)
  try {
    const hidden = decrypt(body, ring.find(keyId)!.ofSession(id), bound(shown, keyId, user))
    return { ...hidden, ...shown } as SessionRecord
  } catch {
    return damagedRecord(id, 'Its parts do not belong together: something else has changed them.')
  }
}

/** The format, the id of the key and the encrypted part. */
export function partsOf({ data }: SessionRecord): readonly (string | undefined)[] {
  return typeof data?.sealed === 'string' ? data.sealed.split('.') : []
}

/** What a message says of a record whose key is not in the ring. */
export function keyIsMissing(keyId: string, ring: KeyRing): string {
  return (
    `It needs the key ${keyId}, which encrypted() was not given: it has ${ring.ids}. ` +
    `Put that key back at the end of "keys", and leave it there as long as a session lives.`
  )
}

function decrypt(body: string, key: Buffer, aad: Buffer): JsonObject {
  const bytes = Buffer.from(body, 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES), {
    authTagLength: TAG_BYTES,
  })
  decipher.setAAD(aad).setAuthTag(bytes.subarray(-TAG_BYTES))
  const text = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES))
  return JSON.parse(Buffer.concat([text, decipher.final()]).toString()) as JsonObject
}

/**
 * What is authenticated with the encrypted part: all that stays readable. So a part of another record does not open
 * here, nor an older part of this one beside a newer version or deadline.
 */
function bound(shown: Readable, keyId: string, user: string | undefined): Buffer {
  return Buffer.from(JSON.stringify([FORMAT, keyId, user ?? null, ...readable.map((name) => shown[name])]))
}

function readableOf(record: SessionRecord): Readable {
  return Object.fromEntries(readable.map((name) => [name, record[name]])) as unknown as Readable
}

function isReadable(name: string): boolean {
  return (readable as readonly string[]).includes(name)
}
