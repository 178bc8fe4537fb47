import { randomBytes } from 'node:crypto'
import { decodeRecord, encodeRecord, type SessionRecord } from '../../record.js'

/** Redis forgets a record this long after its deadline: clocks of nodes differ, and the core alone decides. */
export const GRACE_MS = 60_000

/**
 * A record as it is kept: `<version>.<mark>:<JSON>`. The script compares the version in front. The mark, random for
 * each write, tells this write from any other.
 *
 * @example encode(record) // '1.x9Kq2mZ4pT1a:{"id":…}'
 */
export function encode(record: SessionRecord): string {
  return `${record.version}.${randomBytes(9).toString('base64url')}:${encodeRecord(record)}`
}

/**
 * The record in a reply, or `undefined` where Redis holds none.
 *
 * @example decode(id, await redis.send(key, ['get', key]))
 */
export function decode(id: string, reply: unknown): SessionRecord | undefined {
  const held = text(reply)
  return held === undefined ? undefined : decodeRecord(id, held.slice(held.indexOf(':') + 1))
}

/**
 * A reply as text: a client may be set to return buffers.
 *
 * @example text(Buffer.from('OK')) // 'OK'
 */
export function text(reply: unknown): string | undefined {
  return (reply as string | Buffer | null | undefined)?.toString()
}

/**
 * Milliseconds from now until Redis may forget what has this deadline. Relative, since the server's clock may
 * differ from ours.
 *
 * @example ['set', key, value, 'PX', timeToLive(record.expiresAt)]
 */
export function timeToLive(deadline: number): string {
  return String(Math.max(1, deadline + GRACE_MS - Date.now()))
}

/**
 * Any string as a part of a key: without colons, braces and lone surrogates. Different strings stay different.
 *
 * @example keyPart('a:b') // 'a%003ab'
 */
export function keyPart(value: string): string {
  return value.replaceAll(/[^\w-]/g, (unit) => `%${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
