import * as fc from 'fast-check'
import {
  challengeOf,
  freshness,
  isChallengeOf,
  isOpenOffer,
  isRegisteredBy,
  offered,
  refreshed,
  registered,
} from '../../../src/core/binding/binding.js'
import { hashOf } from '../../../src/core/token.js'
import {
  isSessionRecord,
  type BoundBinding,
  type DeviceKey,
  type SessionRecord,
} from '../../../src/record.js'
import { frozenRecord } from '../../../src/stores/memory/frozen-record.js'
import { MINUTE } from '../../support/core.js'

const T = 1_800_000_000_000
const times = { ttl: 10 * MINUTE, slack: 5 * MINUTE }
const key: DeviceKey = { algorithm: 'ES256', jwk: { kty: 'EC', crv: 'P-256', x: 'x', y: 'y' } }
const hash = (value: string) => hashOf(value)
const bind = (value: string, at: number, before?: BoundBinding) =>
  refreshed(
    before ?? registered('offer', key, 'k0', at),
    { valueHash: hash(value), challengeKey: `k-${value}` },
    at,
    times,
  )

describe('an offer', () => {
  it('is open for five minutes, to who has its secret part', () => {
    const offer = offered(hash('nonce'), T)
    expect(isOpenOffer(offer, hash('nonce'), T)).toBe(true)
    expect(isOpenOffer(offer, hash('nonce'), T + 5 * MINUTE - 1)).toBe(true)
    expect(isOpenOffer(offer, hash('nonce'), T + 5 * MINUTE)).toBe(false)
    expect(isOpenOffer(offer, hash('other'), T)).toBe(false)
  })

  it('is used up by the registration', () => {
    expect(isOpenOffer(registered('offer', key, 'k', T), hash('nonce'), T)).toBe(false)
    expect(isOpenOffer(undefined, hash('nonce'), T)).toBe(false)
  })

  it('that was used knows its own registration again, as long as it would have been open', () => {
    const done = registered(hash('nonce'), key, 'k', T)
    expect(isRegisteredBy(done, hash('nonce'), { ...key }, T + 5 * MINUTE - 1)).toBe(true)
    expect(isRegisteredBy(done, hash('nonce'), key, T + 5 * MINUTE)).toBe(false)
    expect(isRegisteredBy(done, hash('other'), key, T)).toBe(false)
    expect(isRegisteredBy(done, hash('nonce'), { ...key, jwk: { ...key.jwk, x: 'z' } }, T)).toBe(false)
    expect(isRegisteredBy(bind('a', T), hash('nonce'), key, T)).toBe(false)
    expect(isRegisteredBy(offered(hash('nonce'), T), hash('nonce'), key, T)).toBe(false)
  })
})

describe('a bound cookie', () => {
  it('is asked for only after the first proof, and after a while', () => {
    for (const binding of [undefined, offered('h', T), registered('offer', key, 'k', T)]) {
      expect(freshness(binding, [], T + 1_000 * MINUTE, times)).toBe('fresh')
    }
    const bound = bind('a', T)
    expect(freshness(bound, [], T + times.slack, times)).toBe('fresh')
    expect(freshness(bound, [], T + times.slack + 1, times)).toBe('missing')
  })

  it('is good for its time and the slack', () => {
    const bound = bind('a', T)
    const end = T + times.ttl + times.slack
    expect(freshness(bound, [hash('a')], end - 1, times)).toBe('fresh')
    expect(freshness(bound, [hash('a')], end, times)).toBe('expired')
    expect(freshness(bound, [hash('b')], end - 1, times)).toBe('unknown')
    // Somebody has planted another one beside it.
    expect(freshness(bound, [hash('b'), hash('a')], end - 1, times)).toBe('fresh')
  })

  it('stays good beside the next ones, and is forgotten when it has expired', () => {
    let bound = bind('v0', T)
    bound = bind('v1', T + times.ttl, bound)
    expect(freshness(bound, [hash('v0')], T + times.ttl, times)).toBe('fresh')
    bound = bind('v2', T + times.ttl + times.slack, bound)
    expect(freshness(bound, [hash('v0')], T + times.ttl + times.slack, times)).toBe('unknown')
    expect(bound.issued.map(([one]) => one)).toEqual([hash('v2'), hash('v1')])
    expect(bound.boundAt).toBe(T)
  })

  it('is one of eight at most', () => {
    let bound = bind('v0', T)
    for (let count = 1; count < 20; count += 1) bound = bind(`v${count}`, T + count, bound)
    expect(bound.issued).toHaveLength(8)
    expect(bound.issued[0]![0]).toBe(hash('v19'))
  })
})

describe('a challenge', () => {
  const session = { id: '019a0000-0000-7000-8000-000000000000' }
  const binding = registered('offer', key, 'k0', T)
  const text = challengeOf(session, binding, T, times)

  it('is good for its own session until its end, as long as no proof was accepted', () => {
    expect(isChallengeOf(session, binding, text, T)).toBe(true)
    expect(isChallengeOf(session, binding, text, T + times.ttl + 5 * MINUTE - 1)).toBe(true)
    expect(isChallengeOf(session, binding, text, T + times.ttl + 5 * MINUTE)).toBe(false)
    expect(isChallengeOf({ id: '019a0000-0000-7000-8000-000000000001' }, binding, text, T)).toBe(false)
    const used = refreshed(binding, { valueHash: 'h', challengeKey: 'k1' }, T, times)
    expect(isChallengeOf(session, used, text, T)).toBe(false)
  })

  it('can not be made, nor prolonged, by anybody else', () => {
    const [, mac] = text.split('.')
    for (const forged of [
      `${T * 2}.${mac}`,
      `1e99.${mac}`,
      `Infinity.${mac}`,
      `.${mac}`,
      `${mac}`,
      '',
      '.',
      text.slice(0, -1),
    ]) {
      expect(isChallengeOf(session, binding, forged, T)).toBe(false)
    }
    fc.assert(fc.property(fc.string(), (any) => !isChallengeOf(session, binding, any, T)))
  })
})

describe('the record', () => {
  const record: SessionRecord = {
    id: 'i',
    version: 1,
    secretHash: 's',
    seriesHash: 's',
    data: {},
    userAgent: '',
    ip: '',
    createdAt: T,
    authenticatedAt: T,
    lastSeenAt: T,
    expiresAt: T,
    absoluteExpiresAt: T,
  }
  const states = [undefined, offered('h', T), registered('offer', key, 'k', T), bind('a', T)]

  it.each(states)('keeps each state through a store: %j', (binding) => {
    const given = { ...record, binding }
    expect(isSessionRecord(JSON.parse(JSON.stringify(given)))).toBe(true)
    const kept = frozenRecord(given)
    expect(kept.binding).toEqual(binding)
    // Nobody can change it from outside.
    if (binding !== undefined)
      expect([kept.binding === binding, Object.isFrozen(kept.binding)]).toEqual([false, true])
    const touched = frozenRecord({ ...kept, version: 2 }, kept)
    expect(touched.binding).toBe(kept.binding)
  })

  it.each([
    null,
    'bound',
    {},
    { state: 'broken' },
    { state: 'offered', offerHash: 7, offerUntil: T },
    { state: 'registered', challengeKey: 'k' },
    { ...registered('offer', key, 'k', T), key: { algorithm: 'ES256' } },
    { ...bind('a', T), issued: undefined },
    { ...bind('a', T), boundAt: 'x' },
  ])('with a broken binding is damaged, and lets nobody in: %j', (binding) => {
    expect(isSessionRecord({ ...record, binding })).toBe(false)
  })
})
