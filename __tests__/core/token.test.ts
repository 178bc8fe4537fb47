import { parseToken } from '../support/core.js'
import * as fc from 'fast-check'
import { createHash } from 'node:crypto'
import { hashMatches, hashOf, mint } from '../../src/core/token.js'

const sha256 = (text: string) => createHash('sha256').update(text).digest('base64url')
const secretOf = (token: string) => token.slice(37)

describe('a new token', () => {
  it('is the session id, a dot, and 65 characters of secret that no cookie needs to quote', () => {
    const { id, token } = mint()
    expect(token).toMatch(/^[0-9a-f-]{36}\.[A-Za-z0-9_-]{65}$/)
    expect(token.startsWith(`${id}.`)).toBe(true)
  })

  it('has a UUIDv7 of now as its id', () => {
    const before = Date.now()
    const { id } = mint()
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const stamp = Number.parseInt(id.slice(0, 13).replace('-', ''), 16)
    expect(stamp).toBeGreaterThanOrEqual(before)
    expect(stamp).toBeLessThanOrEqual(Date.now() + 1)
  })

  it('has 128 random bits that stay and 256 that rotate: each of them is sometimes 0 and sometimes 1', () => {
    const bits = Array.from({ length: 200 }, () => {
      const secret = secretOf(mint().token)
      const series = Buffer.from(secret.slice(0, 22), 'base64url')
      const half = Buffer.from(secret.slice(22), 'base64url')
      expect([series.length, half.length]).toEqual([16, 32])
      return [...series, ...half].map((byte) => byte.toString(2).padStart(8, '0')).join('')
    })
    for (let place = 0; place < 384; place += 1) {
      expect(new Set(bits.map((one) => one[place])).size).toBe(2)
    }
  })

  it('leaves only SHA-256 hashes to be stored: of the whole secret, and of the half that stays', () => {
    const { token, secretHash, seriesHash } = mint()
    expect(secretHash).toBe(sha256(secretOf(token)))
    expect(seriesHash).toBe(sha256(secretOf(token).slice(0, 22)))
  })

  it('is never made twice', () => {
    const all = Array.from({ length: 1_000 }, mint)
    expect(new Set(all.map(({ id }) => id)).size).toBe(1_000)
    expect(new Set(all.map(({ token }) => secretOf(token))).size).toBe(1_000)
  })
})

describe('parsing a token', () => {
  it('takes apart what was issued', () => {
    const { id, token } = mint()
    expect(parseToken(token)).toEqual({ id, secret: secretOf(token) })
  })

  it('refuses any text that was not made for it', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: 'binary', minLength: 102, maxLength: 102 })),
        (text) => {
          expect(parseToken(text)).toBeUndefined()
        },
      ),
    )
  })

  it('refuses a foreign character in every one of its places', () => {
    const { token } = mint()
    const foreign = [' ', '%', '+', '/', '=', '"', ',', ';', '\n', '\0', 'é', 'ſ', '\u212A', '０', '\uD800']
    for (let place = 0; place < token.length; place += 1) {
      for (const character of foreign) {
        expect(parseToken(token.slice(0, place) + character + token.slice(place + 1))).toBeUndefined()
      }
    }
  })

  it('refuses a character more or less in every one of its places', () => {
    const { token } = mint()
    for (let place = 0; place <= token.length; place += 1) {
      expect(parseToken(`${token.slice(0, place)}a${token.slice(place)}`)).toBeUndefined()
      if (place < token.length)
        expect(parseToken(token.slice(0, place) + token.slice(place + 1))).toBeUndefined()
    }
  })

  it('never reads a changed text as the same token: it returns undefined, or another id or secret', () => {
    const { id, token } = mint()
    const place = fc.nat({ max: token.length - 1 })
    fc.assert(
      fc.property(place, fc.string({ minLength: 1, maxLength: 1 }), (at, character) => {
        fc.pre(token[at] !== character)
        expect(parseToken(token.slice(0, at) + character + token.slice(at + 1))).not.toEqual({
          id,
          secret: secretOf(token),
        })
      }),
      { numRuns: 1_000 },
    )
  })

  it('gives one session one name: an upper-case id is no token', () => {
    const id = '0198f0a0-abcd-7def-8abc-0123456789ab'
    const secret = 'x'.repeat(65)
    expect(parseToken(`${id}.${secret}`)).toEqual({ id, secret })
    expect(parseToken(`${id.toUpperCase()}.${secret}`)).toBeUndefined()
    for (let at = 0; at < id.length; at += 1) {
      const upper = id.slice(0, at) + id[at]!.toUpperCase() + id.slice(at + 1)
      if (upper !== id) expect(parseToken(`${upper}.${secret}`)).toBeUndefined()
    }
  })

  it.each([
    ['an empty text', () => ''],
    ['a percent-encoded dot', (token: string) => token.replace('.', '%2E')],
    ['a percent-encoded character in its right length', (token: string) => `%61${token.slice(3)}`],
    ['a trailing space', (token: string) => `${token} `],
    ['a trailing newline', (token: string) => `${token}\n`],
    ['a newline in place of the last character', (token: string) => `${token.slice(0, -1)}\n`],
    ['a leading newline and a second line', (token: string) => `x\n${token}`],
    ['quotes around it', (token: string) => `"${token}"`],
    ['the token twice', (token: string) => token + token],
    ['another separator', (token: string) => token.replace('.', ':')],
    ['base64 instead of base64url', (token: string) => `${token.slice(0, -2)}+/`],
    [
      'an id without hyphens, filled up',
      (token: string) => `${token.slice(0, 36).replaceAll('-', '0')}${token.slice(36)}`,
    ],
    ['a megabyte', () => 'a'.repeat(1_048_576)],
  ])('refuses %s', (_, spoil) => {
    expect(parseToken(spoil(mint().token))).toBeUndefined()
  })

  it.each(['0', '1', '2', '3', '4', '5', '6', '8', '9', 'a', 'f'])(
    'refuses a UUID of version %s',
    (version) => {
      const { token } = mint()
      expect(parseToken(`${token.slice(0, 14)}${version}${token.slice(15)}`)).toBeUndefined()
    },
  )

  it.each(['0', '7', 'c', 'f'])('refuses a UUID of another variant (%s)', (variant) => {
    const { token } = mint()
    expect(parseToken(`${token.slice(0, 19)}${variant}${token.slice(20)}`)).toBeUndefined()
  })
})

describe('comparing a secret with the stored hash', () => {
  it('says yes to the secret', () => {
    const { token, secretHash } = mint()
    expect(hashMatches(hashOf(secretOf(token)), secretHash)).toBe(true)
  })

  it('says no when any one character differs', () => {
    const { token, secretHash } = mint()
    const secret = secretOf(token)
    for (let at = 0; at < secret.length; at += 1) {
      const other = secret[at] === 'a' ? 'b' : 'a'
      expect(hashMatches(hashOf(secret.slice(0, at) + other + secret.slice(at + 1)), secretHash)).toBe(false)
    }
  })

  it('says no to the hash itself: what leaks from a store opens nothing', () => {
    const { secretHash } = mint()
    expect(hashMatches(hashOf(secretHash), secretHash)).toBe(false)
  })

  it('says no to the half that stays, on its own', () => {
    const { token, secretHash, seriesHash } = mint()
    const series = secretOf(token).slice(0, 22)
    expect(hashMatches(hashOf(series), secretHash)).toBe(false)
    expect(hashMatches(hashOf(secretOf(token)), seriesHash)).toBe(false)
  })

  it('says no, and does not throw, when the stored hash has another length', () => {
    const { token, secretHash } = mint()
    for (const stored of [
      '',
      secretHash.slice(1),
      `${secretHash}A`,
      `${secretHash}\0`,
      'é'.repeat(43),
      'A'.repeat(10_000),
    ]) {
      expect(hashMatches(hashOf(secretOf(token)), stored)).toBe(false)
    }
  })

  it('says no to the next one after a yes: nothing is left over from one comparison to another', () => {
    const [one, other] = [mint(), mint()]
    expect(hashMatches(hashOf(secretOf(one.token)), one.secretHash)).toBe(true)
    expect(hashMatches(hashOf(secretOf(other.token)), one.secretHash)).toBe(false)
    expect(hashMatches(hashOf(secretOf(other.token)), '')).toBe(false)
    expect(hashMatches(hashOf(secretOf(one.token)), one.secretHash)).toBe(true)
  })
})
