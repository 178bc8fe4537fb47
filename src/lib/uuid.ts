// A session's id as text and as the 16 bytes that it stands for. RFC 9562 §4.

const SHAPE = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/**
 * Whether the value can be a session's id: a UUID in lower case, so that one session has exactly one name.
 *
 * @example isSessionId('019a3c5e-7b1d-7c2f-9a64-0d3f5b7c9e21') // true
 */
export function isSessionId(value: unknown): value is string {
  // A pattern takes anything for text: it would match an array that holds an id.
  return typeof value === 'string' && SHAPE.test(value)
}

/**
 * The 16 bytes of an id, which take less than half the room of its text. `null` for any other text: in SQL, NULL
 * equals no key, so such an id is found nowhere.
 *
 * @example idBytes('019a3c5e-7b1d-7c2f-9a64-0d3f5b7c9e21') // <Buffer 01 9a 3c 5e …>
 */
export function idBytes(id: string): Buffer | null {
  return isSessionId(id) ? Buffer.from(id.replaceAll('-', ''), 'hex') : null
}

/**
 * The id that 32 hexadecimal digits stand for.
 *
 * @example idText('019a3c5e7b1d7c2f9a640d3f5b7c9e21') // '019a3c5e-7b1d-7c2f-9a64-0d3f5b7c9e21'
 */
export function idText(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/**
 * When the id was made, in epoch milliseconds: a UUIDv7 begins with its time (RFC 9562 §5.7).
 *
 * @example idTime(record.id) < Date.now() - 3_600_000 // older than an hour
 */
export function idTime(id: string): number {
  return Number.parseInt(id.slice(0, 13).replace('-', ''), 16)
}

/**
 * The UUIDv8 that stands for 16 bytes or more, such as a hash (RFC 9562 §5.8). It is never a session's, which is a
 * UUIDv7.
 *
 * @example derivedId(hash('sha256', 'ann', 'buffer'))
 */
export function derivedId(bytes: Buffer): string {
  const hex = bytes.toString('hex')
  return idText(`${hex.slice(0, 12)}8${hex.slice(13, 16)}8${hex.slice(17, 32)}`)
}

/**
 * Whether an id was derived, and so is not the id of a session.
 *
 * @example isDerivedId(derivedId(bytes)) // true
 */
export function isDerivedId(id: string): boolean {
  return id[14] === '8'
}
