import { hash, randomBytes } from 'node:crypto'
import { isToken, type TokenText } from '../core/token.js'
import { idText } from '../lib/uuid.js'

// The ids of express-session, `req.sessionID`, are secrets of any shape. The stores of this package know a session by a
// public id, and keep only hashes of its secret: both come from a hash of the express-session id. So the public id, which
// is listed and logged, leads to no cookie.

/** A new id, as express-session makes them: 32 characters. It begins with its time, and has 144 random bits. */
export function newSessionId(): string {
  const bytes = randomBytes(24)
  bytes.writeUIntBE(Date.now(), 0, 6)
  return bytes.toString('base64url')
}

/**
 * The token that stands for an express-session id: the same one each time. A token of `sessionMiddleware()` stands for
 * itself.
 */
export function tokenOf(sid: string): TokenText {
  if (isToken(sid)) return sid
  const bytes = Buffer.from(hash('sha512', sid, 'buffer'))
  bytes.writeUIntBE(timeOf(sid), 0, 6)
  // RFC 9562 §5.7: the version is 7, the variant 10.
  bytes[6] = (bytes[6]! & 0x0f) | 0x70
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const id = idText(bytes.toString('hex', 0, 16))
  const secret = bytes.toString('base64url', 16, 32) + bytes.toString('base64url', 32, 64)
  return `${id}.${secret}` as TokenText
}

const SHAPE = /^[\w-]{32}$/
const EARLIEST = Date.UTC(2025, 0)
const LATEST = Date.UTC(2100, 0)
/** For ids that hold no time. Indexes are cleaned by the time in an id, and never touch what is yet to come. */
const NEVER = 0xffff_ffff_ffff

/** When the session began, as the id of this package says. */
function timeOf(sid: string): number {
  if (!SHAPE.test(sid)) return NEVER
  const time = Buffer.from(sid.slice(0, 8), 'base64url').readUIntBE(0, 6)
  return time > EARLIEST && time < LATEST ? time : NEVER
}
