import { createHmac } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type {
  BoundBinding,
  DeviceKey,
  OfferedBinding,
  RegisteredBinding,
  SessionBinding,
  SessionRecord,
} from '../../record.js'
import { hashMatches } from '../token.js'

/*
 * The binding of a session to its device, by Device Bound Session Credentials. Pure: a record in, a decision or a
 * record out.
 *
 *    login               key sent                     key proven
 *   ───────► offered ───────────────► registered ───────────────► bound ─┐
 *                                                                   ▲    │ key proven again:
 *                                                                   └────┘ a new bound cookie
 *
 * Nothing is enforced before the first proof: only that shows that the browser has received the registration's
 * response, and goes on with it. From then on the session's cookie is good only beside a bound cookie, which lives
 * for `ttl`. The server takes it for `slack` longer, for requests that wait in a queue; and for as long after the
 * binding a request may come without it. So a copy of both cookies dies after `ttl + slack`, and a copy of the
 * session's cookie alone is useless.
 *
 * No honest browser is refused as long as slack >= delay of a response + age of a Cookie header.
 */

/** How long a device's proof is good for. */
export interface BindingSettings {
  /** How long a bound cookie lives in the browser, in milliseconds. */
  readonly ttl: number
}

/** The same, with the time that late requests are given, in milliseconds. */
export interface BindingTimes extends BindingSettings {
  readonly slack: number
}

/** How long after the login a browser may register a key. */
const OFFER_MS = 5 * 60_000
/** A challenge is good for so much longer than the bound cookie that it comes with. */
const CHALLENGE_SLACK_MS = 5 * 60_000
/** So many bound cookies are good at once. Only the device can make new ones, and it makes one in several minutes. */
const MAX_ISSUED = 8

/** A session whose login offers the binding. */
export function offered(offerHash: string, now: number): OfferedBinding {
  return { state: 'offered', offerHash, offerUntil: now + OFFER_MS }
}

/** Whether this is the session's offer, and it is still open. */
export function isOpenOffer(
  binding: SessionBinding | undefined,
  hash: string,
  now: number,
): binding is OfferedBinding {
  return binding?.state === 'offered' && now < binding.offerUntil && hashMatches(hash, binding.offerHash)
}

/** A session whose browser has registered a key, in response to this offer. */
export function registered(
  offerHash: string,
  key: DeviceKey,
  challengeKey: string,
  now: number,
): RegisteredBinding {
  return { state: 'registered', key, challengeKey, offerHash, registeredAt: now }
}

/**
 * Whether this very registration has been made, a moment ago: a browser sends it again where the connection broke
 * before the response. With another key it is not the same.
 */
export function isRegisteredBy(
  binding: SessionBinding | undefined,
  hash: string,
  key: DeviceKey,
  now: number,
): boolean {
  if (binding?.state !== 'registered' || now >= binding.registeredAt + OFFER_MS) return false
  return hashMatches(hash, binding.offerHash) && isDeepStrictEqual(key, binding.key)
}

/** Whether a key is known, so that the device can prove it. */
export function hasKey(binding: SessionBinding | undefined): binding is RegisteredBinding | BoundBinding {
  return binding !== undefined && binding.state !== 'offered'
}

/**
 * A session whose device has just proven its key: it has one more bound cookie. The challenges are made of a new key
 * from now on, so each of the old ones is used up.
 */
export function refreshed(
  binding: RegisteredBinding | BoundBinding,
  fresh: { readonly valueHash: string; readonly challengeKey: string },
  now: number,
  { ttl, slack }: BindingTimes,
): BoundBinding {
  const { key, registeredAt } = binding
  const isBound = binding.state === 'bound'
  const before = isBound ? binding.issued.filter(([, until]) => now < until) : []
  return {
    state: 'bound',
    key,
    challengeKey: fresh.challengeKey,
    registeredAt,
    boundAt: isBound ? binding.boundAt : now,
    issued: [[fresh.valueHash, now + ttl + slack] as const, ...before].slice(0, MAX_ISSUED),
  }
}

/**
 * What the bound cookies of a request say. `fresh`: the request comes from the device, or nothing is enforced yet.
 *
 * @param hashes the hashes of the values that came.
 */
export function freshness(
  binding: SessionBinding | undefined,
  hashes: readonly string[],
  now: number,
  { slack }: Pick<BindingTimes, 'slack'>,
): 'fresh' | 'missing' | 'expired' | 'unknown' {
  if (binding?.state !== 'bound' || now - binding.boundAt <= slack) return 'fresh'
  if (hashes.length === 0) return 'missing'
  const known = binding.issued.filter(([stored]) => hashes.some((hash) => hashMatches(hash, stored)))
  if (known.length === 0) return 'unknown'
  return known.some(([, until]) => now < until) ? 'fresh' : 'expired'
}

/**
 * A question that only the device can respond to, by its signature. It holds its own end and needs no room in the
 * store: the record has the key that it was made of.
 */
export function challengeOf(
  { id }: Pick<SessionRecord, 'id'>,
  { challengeKey }: RegisteredBinding | BoundBinding,
  now: number,
  { ttl }: BindingSettings,
): string {
  const until = now + ttl + CHALLENGE_SLACK_MS
  return `${until}.${mac(challengeKey, id, until)}`
}

/** Whether the text is a challenge of this session that is neither used up nor too old. */
export function isChallengeOf(
  { id }: Pick<SessionRecord, 'id'>,
  { challengeKey }: RegisteredBinding | BoundBinding,
  text: string,
  now: number,
): boolean {
  const dot = text.indexOf('.')
  const until = Number(text.slice(0, dot))
  return now < until && hashMatches(text.slice(dot + 1), mac(challengeKey, id, until))
}

function mac(challengeKey: string, id: string, until: number): string {
  return createHmac('sha256', challengeKey).update(`${id}.${until}`).digest('base64url')
}
