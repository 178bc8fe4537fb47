import { createHmac, generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import type { ProofAlgorithm } from 'express-sid'

/** What a proof holds besides what an honest one does. */
export interface Twist {
  readonly header?: object
  readonly payload?: object
  /** Signs instead of the device's own key; a text makes an HMAC. */
  readonly signer?: KeyObject | string
}

/** A device with a key of its own, as Chromium uses it. Nothing here is the package's own code. */
export class Device {
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject

  constructor(readonly algorithm: ProofAlgorithm = 'ES256') {
    const pair =
      algorithm === 'ES256'
        ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
        : generateKeyPairSync('rsa', { modulusLength: 2048 })
    this.privateKey = pair.privateKey
    this.publicKey = pair.publicKey
  }

  get jwk(): object {
    return this.publicKey.export({ format: 'jwk' })
  }

  /** What Chromium sends to register its key. */
  registration(challenge: string, twist: Twist = {}): string {
    return this.proof(challenge, { ...twist, header: { jwk: this.jwk, ...twist.header } })
  }

  /** What Chromium sends to renew the bound cookie. */
  proof(challenge: string, { header, payload, signer = this.privateKey }: Twist = {}): string {
    const parts = [
      { alg: this.algorithm, typ: 'dbsc+jwt', ...header },
      { jti: challenge, ...payload },
    ]
    const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    return `${signed}.${signature(signed, signer).toString('base64url')}`
  }
}

function signature(text: string, signer: KeyObject | string): Buffer {
  if (typeof signer === 'string') return createHmac('sha256', signer).update(text).digest()
  return sign('sha256', Buffer.from(text), { key: signer, dsaEncoding: 'ieee-p1363' })
}
