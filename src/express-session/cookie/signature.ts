import { createHmac, KeyObject, timingSafeEqual, type BinaryLike } from 'node:crypto'

/** What signs the cookie: a text, bytes, or a key of Node. */
export type Secret = BinaryLike | KeyObject

/** Whether a value can sign. */
export function isSecret(value: unknown): value is Secret {
  if (typeof value === 'string') return value !== ''
  return ArrayBuffer.isView(value) || value instanceof KeyObject
}

/** The value with its signature, in the format of cookie-signature: `value.HMAC-SHA256`, base64 without padding. */
export function sign(value: string, secret: Secret): string {
  return `${value}.${signatureOf(value, secret)}`
}

/** A value that a secret has signed. */
export interface Signed {
  readonly value: string
  readonly secret: Secret
}

/** The value that one of these secrets has signed; `undefined` for any other text. */
export function unsign(signed: string, secrets: readonly Secret[]): Signed | undefined {
  const at = signed.lastIndexOf('.')
  if (at === -1) return undefined
  const value = signed.slice(0, at)
  const given = Buffer.from(signed.slice(at + 1))
  for (const secret of secrets) {
    const right = Buffer.from(signatureOf(value, secret))
    if (right.length === given.length && timingSafeEqual(right, given)) return { value, secret }
  }
  return undefined
}

function signatureOf(value: string, secret: Secret): string {
  const text = createHmac('sha256', secret).update(value).digest('base64')
  return text.slice(0, text.indexOf('='))
}
