import { generateKeyPairSync } from 'node:crypto'
import { isSignedBy, parseProof } from '../../../src/core/binding/proof.js'
import { Device } from '../../support/device.js'

const devices = { ES256: new Device('ES256'), RS256: new Device('RS256') }
const { ES256: device, RS256: rsa } = devices
const keyIn = (text: string) => parseProof(text)?.key

describe.each(['ES256', 'RS256'] as const)('a proof by %s', (algorithm) => {
  const own = devices[algorithm]
  const other = new Device(algorithm)
  const key = keyIn(own.registration('c'))!

  it('is good for the key that signed it, and for no other', () => {
    const proof = parseProof(own.proof('c'))!
    expect(proof).toMatchObject({ algorithm, challenge: 'c', key: undefined })
    expect(isSignedBy(proof, key)).toBe(true)
    expect(isSignedBy(proof, keyIn(other.registration('c'))!)).toBe(false)
  })

  it('brings the public key along at the registration, and no other member of the JWK', () => {
    const secret = { d: 'secret', p: 'secret', kid: 'x', use: 'sig' }
    const jwk = { ...own.jwk, ...secret }
    expect(keyIn(own.registration('c', { header: { jwk } }))).toEqual({ algorithm, jwk: own.jwk })
  })

  it('is not good after any change', () => {
    const text = own.proof('c')
    const [header, payload, signature] = text.split('.') as [string, string, string]
    const changedPayload = Buffer.from(JSON.stringify({ jti: 'd' })).toString('base64url')
    const flipped = (signature[9] === 'A' ? 'B' : 'A') + signature.slice(10)
    for (const changed of [
      `${header}.${changedPayload}.${signature}`,
      `${header}.${payload}.${signature.slice(0, 9)}${flipped}`,
      `${header}.${payload}.${signature.slice(0, -4)}`,
      `${header}.${payload}.AAAA`,
    ]) {
      expect(isSignedBy(parseProof(changed)!, key)).toBe(false)
    }
  })
})

it('a proof can not choose the algorithm that its key is used by', () => {
  const key = keyIn(device.registration('c'))!
  const rsaKey = keyIn(rsa.registration('c'))!
  const pem = device.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  for (const text of [
    device.proof('c', { header: { alg: 'RS256' } }),
    rsa.proof('c', { header: { alg: 'ES256' } }),
    rsa.proof('c'),
  ]) {
    expect(isSignedBy(parseProof(text)!, key)).toBe(false)
  }
  expect(isSignedBy(parseProof(rsa.proof('c', { header: { alg: 'ES256' } }))!, rsaKey)).toBe(false)
  // Not even read: HMAC with the public key as its secret, and no signature at all.
  expect(parseProof(device.proof('c', { header: { alg: 'HS256' }, signer: pem }))).toBeUndefined()
  expect(parseProof(device.proof('c', { header: { alg: 'none' } }))).toBeUndefined()
})

it.each<[string, string]>([
  ['nothing', ''],
  ['a word', 'garbage'],
  ['empty parts', '..'],
  ['no JSON', 'AAAA.AAAA.AAAA'],
  ['JSON that is null', `${Buffer.from('null').toString('base64url')}.bnVsbA.AAAA`],
  ['two parts', device.proof('c').split('.').slice(0, 2).join('.')],
  ['four parts', `${device.proof('c')}.AAAA`],
  ['padding', `${device.proof('c')}=`],
  ['two proofs', `${device.proof('c')}, ${device.proof('c')}`],
  ['another type', device.proof('c', { header: { typ: 'JWT' } })],
  ['a critical extension', device.proof('c', { header: { crit: ['exp'] } })],
  ['no challenge', device.proof('c', { payload: { jti: undefined } })],
  ['a challenge that is a number', device.proof('c', { payload: { jti: 7 } })],
  ['more than any proof needs', device.proof('c', { payload: { more: 'x'.repeat(8_192) } })],
])('%s is no proof', (_what, text) => {
  expect(parseProof(text)).toBeUndefined()
})

it.each<[string, object]>([
  [
    'on another curve',
    generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey.export({ format: 'jwk' }),
  ],
  ['of another kind', rsa.jwk],
  ['that is no point of the curve', { ...device.jwk, x: Buffer.alloc(32, 1).toString('base64url') }],
  ['with a part missing', { ...device.jwk, y: undefined }],
  ['whose part is no text', { ...device.jwk, y: 7 }],
  ['that is a secret', { kty: 'oct', k: 'AAAA' }],
])('an ES256 key %s is not taken', (_what, jwk) => {
  const text = device.registration('c', { header: { jwk } })
  expect(parseProof(text)).toMatchObject({ challenge: 'c', key: undefined })
})

it('an RS256 key of fewer than 2048 bits is not taken', () => {
  const jwk = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' })
  expect(keyIn(rsa.registration('c', { header: { jwk } }))).toBeUndefined()
  expect(keyIn(rsa.registration('c'))).toBeDefined()
})
