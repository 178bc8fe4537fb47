import {
  freshness,
  hasKey,
  isOpenOffer,
  isRegisteredBy,
  offered,
  refreshed,
  registered,
} from '../../../src/core/binding/binding.js'
import type { BoundBinding, DeviceKey, RegisteredBinding, SessionBinding } from '../../../src/record.js'

/** Times of the model, in ticks. */
export interface Times {
  readonly ttl: number
  readonly slack: number
}

/** What the server does. A bound cookie is the number of its issue, and so is the key that challenges are made of. */
export interface Rules {
  readonly login: (now: number) => SessionBinding
  /** The binding after a registration, and the cookie that its response carries; `undefined` where it is refused. */
  readonly register: (
    binding: SessionBinding,
    fresh: number,
    now: number,
    times: Times,
  ) => Registered | undefined
  /** After a good proof. */
  readonly refresh: (binding: Keyed, fresh: number, now: number, times: Times) => SessionBinding
  /** Whether a request with this bound cookie is let in. */
  readonly admits: (binding: SessionBinding, value: number | undefined, now: number, times: Times) => boolean
  /** What a request with this bound cookie changes. */
  readonly arrived?: (binding: SessionBinding, value: number | undefined, now: number) => SessionBinding
  /** What a proof by another key changes; `'ended'`: the session is over. */
  readonly badProof?: (binding: SessionBinding, fresh: number) => SessionBinding | 'ended'
  /** Whether an old challenge is refused without a new one, so that the browser gives up. */
  readonly endsOnOldChallenge?: true
}

export type Keyed = RegisteredBinding | BoundBinding
export interface Registered {
  readonly binding: SessionBinding
  readonly cookie: number | undefined
}

const key: DeviceKey = { algorithm: 'ES256', jwk: {} }
/** As long as a real hash is. */
const hash = (value: number) => String(value).padStart(43, '0')
const offer = hash(0)

/** The rules of the package: its own functions. */
export const rules: Rules = {
  login: (now) => offered(offer, now),
  register(binding, fresh, now) {
    if (isOpenOffer(binding, offer, now)) {
      return { binding: registered(offer, key, hash(fresh), now), cookie: undefined }
    }
    return isRegisteredBy(binding, offer, key, now) ? { binding, cookie: undefined } : undefined
  },
  refresh: (binding, fresh, now, times) =>
    refreshed(binding, { valueHash: hash(fresh), challengeKey: hash(fresh) }, now, times),
  admits: (binding, value, now, times) =>
    freshness(binding, value === undefined ? [] : [hash(value)], now, times) === 'fresh',
}

/** The key that challenges are made of now; `undefined` while there is none. */
export function challengeKeyOf(binding: SessionBinding): number | undefined {
  return hasKey(binding) ? Number(binding.challengeKey) : undefined
}

/** Registers with a cookie, and is bound at once. */
const boundAtRegistration: Rules['register'] = (binding, fresh, now, times) => {
  const done = rules.register(binding, fresh, now, times)
  if (done === undefined || !hasKey(done.binding)) return done
  return { binding: rules.refresh(done.binding, fresh, now, times), cookie: fresh }
}

/** Keeps fewer bound cookies. */
const keeping =
  (count: number): Rules['refresh'] =>
  (...args) => {
    const next = rules.refresh(...args)
    return next.state === 'bound' ? { ...next, issued: next.issued.slice(0, count) } : next
  }

/** What others do, or what looks simpler. Each is wrong. */
export const naive = {
  /** Bound from the registration on. */
  enforceAtRegistration: { ...rules, register: boundAtRegistration },
  /** The registration gives a cookie; bound from the first request with it on. */
  enforceAtFirstCookie: {
    ...rules,
    register(binding, fresh, now, times) {
      const done = boundAtRegistration(binding, fresh, now, times)
      // Not enforced yet: as if the binding were still in its grace.
      if (done?.binding.state !== 'bound') return done
      return { ...done, binding: { ...done.binding, boundAt: Number.MAX_SAFE_INTEGER } }
    },
    arrived: (binding, value, now) =>
      binding.state === 'bound' && binding.boundAt > now && value !== undefined
        ? { ...binding, boundAt: now }
        : binding,
  },
  threeCookies: { ...rules, refresh: keeping(3) },
  oneCookie: { ...rules, refresh: keeping(1) },
  /** Enforced from the very moment of the binding. */
  noGrace: {
    ...rules,
    admits: (binding, value, now, times) => rules.admits(binding, value, now, { ...times, slack: -1 }),
  },
  /** The server's bound cookie ends when the browser's does. */
  noSlack: {
    ...rules,
    refresh: (binding, fresh, now, times) => rules.refresh(binding, fresh, now, { ...times, slack: 0 }),
  },
  /** Only the browser's Max-Age ends a bound cookie. */
  endedByBrowserAlone: {
    ...rules,
    admits: (binding, value, now, times) =>
      rules.admits(binding, value, now, times) ||
      (binding.state === 'bound' && binding.issued.some(([one]) => Number(one) === value)),
    refresh(binding, ...rest) {
      const next = rules.refresh(binding, ...rest) as BoundBinding
      return { ...next, issued: [next.issued[0]!, ...(binding.state === 'bound' ? binding.issued : [])] }
    },
  },
  /** A bad signature takes the session away. */
  endOnBadProof: { ...rules, badProof: () => 'ended' },
  /** A bad signature uses the challenge up, and an old challenge is refused. */
  burnOnBadProof: {
    ...rules,
    badProof: (binding, fresh) => (hasKey(binding) ? { ...binding, challengeKey: hash(fresh) } : binding),
    endsOnOldChallenge: true,
  },
} as const satisfies Record<string, Rules>
