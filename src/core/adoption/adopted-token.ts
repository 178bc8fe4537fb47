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
 * cookie would be good again.
 */
export function canonicalCookie(value: string): string {
  const bare = value.startsWith('"') && value.endsWith('"') && value.length > 1 ? value.slice(1, -1) : value
  return decoded(bare).replaceAll(/[\w+/-]+=*/g, (run) => {
    const text = run.replace(/=+$/, '').replaceAll('+', '-').replaceAll('/', '_')
    // One letter more than a whole number of bytes is no base64.
    return text.length % 4 === 1 ? text : Buffer.from(text, 'base64url').toString('base64url')
  })
}

function decoded(text: string): string {
  try {
    return text.includes('%') ? decodeURIComponent(text) : text
  } catch {
    return text
  }
}
