import { createHmac } from 'node:crypto'
import { mintedOf, type Minted } from '../token.js'

/**
 * The token of the session that an old cookie starts. It is made of the cookie and of random bits in the mark, so that each
 * node can make it again for a while, and neither the store nor a copy of the cookie alone is enough.
 */
export function adoptedToken(sessionId: string, salt: string, cookie: string): Minted {
  const part = (name: string) =>
    createHmac('sha256', salt)
      .update(JSON.stringify([name, sessionId, cookie]))
      .digest()
  return mintedOf(sessionId, part('series').subarray(0, 16), part('secret'))
}

/**
 * A cookie's value in one form. The same cookie can be written in several ways that other packages read alike: with
 * percent signs, in quotes, in base64 with other bits at its end. Each of them must find the same mark, or a copy of a used
 * cookie would be good again. Two cookies of one user that differ in nothing else are not made by chance.
 */
export function canonicalCookie(value: string): string {
  const bare = value.startsWith('"') && value.endsWith('"') && value.length > 1 ? value.slice(1, -1) : value
  // Readers of base64 skip blanks. Databases compare without case, accents and what can't be seen.
  const text = decoded(bare)
    .normalize('NFKD')
    .replaceAll(/[^\x21-\x7e]/g, '')
  return identifying(text)
    .replaceAll(/[\w+/-]+=*/g, canonicalBase64)
    .toLowerCase()
}

function canonicalBase64(run: string): string {
  const text = run.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_')
  const beyond = text.length % 4
  // Of the last letter only some bits count, and which ones depends on its case, which databases ignore.
  if (beyond > 1 && text.length > 16) return text.slice(0, -1)
  // One letter more than a whole number of bytes is no base64.
  return beyond === 1 ? text : Buffer.from(text, 'base64url').toString('base64url')
}

/** What of a cookie says which one it is, in forms that are known. The rest can be changed, and is still good. */
function identifying(text: string): string {
  // The seal of iron-session: what follows is a version, and is read as a number, whatever comes after that.
  if (text.startsWith('Fe26.2*')) return text.split('~', 1)[0]!
  // A signed JWT: of the same content there are several good signatures, as with ES256.
  const [header, content, signature, ...more] = text.split('.')
  const isJwt = signature !== undefined && more.length === 0 && /^eyJ[\w-]+$/.test(header!)
  return isJwt ? `${header}.${content}` : text
}

function decoded(text: string): string {
  try {
    return text.includes('%') ? decodeURIComponent(text) : text
  } catch {
    return text
  }
}
