import { randomBytes } from 'node:crypto'
import { decodeRecord, encodeRecord, type SessionRecord } from '../../record.js'

/** Redis forgets a record this long after its deadline: clocks of nodes differ, and the core alone decides. */
const GRACE_MS = 60_000

/**
 * A mark that tells one write from any other, also from one with the same content. A record is kept as
 * `<version>.<marks>:<JSON>`, with the marks of its latest writes: see `REPLACE`.
 *
 * @example newMark() // 'x9Kq2mZ4pT1a'
 */
export function newMark(): string {
  return randomBytes(9).toString('base64url')
}

/**
 * A new record as it is kept.
 *
 * @example encode(record, newMark()) // '1.x9Kq2mZ4pT1a:{"id":…}'
 */
export function encode(record: SessionRecord, mark: string): string {
  return `${record.version}.${mark}:${encodeRecord(record)}`
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
