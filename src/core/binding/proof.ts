import { createPublicKey, verify, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { DeviceKey, ProofAlgorithm } from '../../record.js'

/*
 * The proofs of Device Bound Session Credentials: a JWT in compact form (RFC 7515 §3.1) whose `jti` is the challenge.
 * At the registration its header brings the public key along. Pure, and nothing in a proof is trusted before its
 * signature was compared with a key.
 */

/** A proof, taken apart. */
export interface Proof {
  readonly algorithm: ProofAlgorithm
  readonly challenge: string
  /** The key that a registration brings along. It proves nothing of a key that is registered already. */
  readonly key: DeviceKey | undefined
  readonly signed: string
  readonly signature: string
}

/** Far above a proof with an RSA key of 4096 bits, the largest that is taken. */
const MAX_LENGTH = 4_096
const SHAPE = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/

/** The parts of a well-formed proof; `undefined` for anything else. */
export function parseProof(text: string): Proof | undefined {
  const [, header = '', payload = '', signature = ''] = (text.length <= MAX_LENGTH && SHAPE.exec(text)) || []
  const { alg, typ, jwk, crit } = decoded(header)
  const { jti } = decoded(payload)
  if (!isAlgorithm(alg) || typ !== 'dbsc+jwt' || typeof jti !== 'string') return undefined
  // RFC 7515 §4.1.11: what is critical and not understood makes a signature invalid.
  if (crit !== undefined) return undefined
  return {
    algorithm: alg,
    challenge: jti,
    key: keyOf(alg, jwk),
    signed: `${header}.${payload}`,
    signature,
  }
}

/** Whether this key has signed the proof. The key says by which algorithm: a proof can't choose another one. */
export function isSignedBy({ algorithm, signed, signature }: Proof, key: DeviceKey): boolean {
  const publicKey = publicKeyOf(key)
  if (publicKey === undefined || algorithm !== key.algorithm) return false
  // JWS has both numbers of an ECDSA signature side by side (RFC 7518 §3.4); for RSA this changes nothing.
  const how = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const
  return verify('sha256', Buffer.from(signed), how, Buffer.from(signature, 'base64url'))
}

/** The key in the header, if it is one for this algorithm, and strong enough. */
function keyOf(algorithm: ProofAlgorithm, jwk: unknown): DeviceKey | undefined {
  const { kty, crv, x, y, n, e } = (jwk ?? {}) as Record<string, string>
  const members: JsonWebKey = algorithm === 'ES256' ? { kty, crv, x, y } : { kty, n, e }
  if (Object.values(members).some((value) => typeof value !== 'string')) return undefined
  const key = { algorithm, jwk: members as DeviceKey['jwk'] }
  return publicKeyOf(key) && key
}

function publicKeyOf({ algorithm, jwk }: DeviceKey): KeyObject | undefined {
  let key: KeyObject
  try {
    key = createPublicKey({ key: jwk as JsonWebKey, format: 'jwk' })
  } catch {
    return undefined
  }
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  const isRight =
    algorithm === 'ES256'
      ? namedCurve === 'prime256v1'
      : key.asymmetricKeyType === 'rsa' && modulusLength >= 2_048 && modulusLength <= 4_096
  return isRight ? key : undefined
}

function isAlgorithm(value: unknown): value is ProofAlgorithm {
  return value === 'ES256' || value === 'RS256'
}

function decoded(part: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(Buffer.from(part, 'base64url').toString())) as Record<string, unknown>
  } catch {
    return {}
  }
}
