import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { v7 as uuidv7 } from 'uuid'

/** The value of the cookie, taken apart. Nothing in it is trusted before `hashMatches`. */
export interface Token {
  readonly id: string
  readonly secret: string
}

/** What a new session is made of: the token goes to the browser, the hashes to the store. */
export interface Minted {
  readonly id: string
  readonly token: TokenText
  readonly secretHash: string
  readonly seriesHash: string
}

const ID_LENGTH = 36
/** 128 random bits in base64url: stays for the session's life. */
const SERIES_LENGTH = 22
/** 256 random bits in base64url: the half that a rotation replaces. */
const HALF_LENGTH = 43
/** SHA-256 in base64url. */
const HASH_LENGTH = 43
const TOKEN_LENGTH = ID_LENGTH + 1 + SERIES_LENGTH + HALF_LENGTH

// Lower case only, so that one session has exactly one name. RFC 9562 §4: the version is 7, the variant 8 to b.
const SHAPE = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.[A-Za-z0-9_-]{65}$/

/** Makes the id and both halves of the secret of a new session. */
export function mint(): Minted {
  return mintedOf(uuidv7(), randomBytes(16), randomBytes(32))
}

/** The same of an id, 128 bits and 256 bits that nobody can guess. */
export function mintedOf(id: string, seriesBits: Buffer, halfBits: Buffer): Minted {
  const series = seriesBits.toString('base64url')
  const secret = series + halfBits.toString('base64url')
  return { id, token: `${id}.${secret}` as TokenText, secretHash: hashOf(secret), seriesHash: hashOf(series) }
}

/** Makes the token that succeeds another one of the same session: same id, same series, a new second half. */
export function successorOf({ id, secret }: Token): { readonly token: string; readonly secretHash: string } {
  const next = secret.slice(0, SERIES_LENGTH) + randomBytes(32).toString('base64url')
  return { token: `${id}.${next}`, secretHash: hashOf(next) }
}

/** Whether a secret has the series half of a session: then it was once issued for that session. */
export function provesSeries(secret: string, seriesHash: string): boolean {
  return hashMatches(hashOf(secret.slice(0, SERIES_LENGTH)), seriesHash)
}

/** A text that has the shape of a token: only such a one is looked up. */
export type TokenText = string & { readonly [shape]: true }
declare const shape: unique symbol

/** Whether a text has the shape of a token. Whether it opens anything is another question. */
export function isToken(text: string): text is TokenText {
  return text.length === TOKEN_LENGTH && SHAPE.test(text)
}

/** The parts of a token. */
export function splitToken(text: TokenText): Token {
  return { id: text.slice(0, ID_LENGTH), secret: text.slice(ID_LENGTH + 1) }
}

/** The same for a token that is there already. */
export function mintedAs(token: TokenText): Minted {
  const { id, secret } = splitToken(token)
  return { id, token, secretHash: hashOf(secret), seriesHash: hashOf(secret.slice(0, SERIES_LENGTH)) }
}

// Reused by each comparison: two new buffers for each request would cost more than the comparison.
const given = Buffer.alloc(HASH_LENGTH)
const stored = Buffer.alloc(HASH_LENGTH)

/** Whether a secret's hash is the stored one. Takes the same time wherever they differ. */
export function hashMatches(givenHash: string, storedHash: string): boolean {
  if (storedHash.length !== HASH_LENGTH || givenHash.length !== HASH_LENGTH) return false
  given.write(givenHash, 'latin1')
  stored.write(storedHash, 'latin1')
  return timingSafeEqual(given, stored)
}

/** The SHA-256 of a secret. A fast hash is right here: the secret has 384 random bits, so nothing can be guessed. */
export function hashOf(secret: string): string {
  return hash('sha256', secret, 'base64url')
}
