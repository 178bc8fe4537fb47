import type { SessionBinding } from '../../../src/record.js'
import type { Times } from './rules.js'

/** How large the searched world is. Times are in ticks. */
export interface Bounds extends Times {
  /** How late a response of the endpoint may arrive. */
  readonly responseDelay: number
  /** How old the cookies of a request may be when it arrives. */
  readonly headerAge: number
  readonly horizon: number
  /** How many requests are under way at most. */
  readonly requests: number
  /** How many messages get lost at most. */
  readonly losses: number
  /** `binds`; `none`: knows nothing of it; `rejects`: keeps the cookie of a registration, but not the session. */
  readonly browser: 'binds' | 'none' | 'rejects'
  /** Whether somebody copies the cookies once, and sends a proof by a key of their own. */
  readonly thief: boolean
}

/** The smallest world in which everything can happen. The slack is what the timing condition asks for. */
export const small: Bounds = {
  ttl: 4,
  slack: 3,
  responseDelay: 1,
  headerAge: 2,
  horizon: 9,
  requests: 1,
  losses: 1,
  browser: 'binds',
  thief: false,
}

export type Value = number | undefined

/** A moment of the world: a server, a browser, and what is between them. */
export interface World {
  now: number
  binding: SessionBinding | 'ended'
  /** The next number for a cookie, or a key of challenges. */
  fresh: number
  browser: {
    isBinding: boolean
    cookie: { value: number; left: number } | undefined
    /** The key that its challenge was made of. */
    challenge: Value
  }
  registration:
    { stage: 'todo' | 'sent' | 'over' } | { stage: 'answered'; age: number; cookie: Value; challenge: Value }
  refresh:
    | { stage: 'proof' | 'challenge'; challenge: Value }
    | { stage: 'answer'; age: number; cookie: number; challenge: Value }
    | undefined
  requests: { value: Value; age: number }[]
  copied: { value: Value; age: number } | undefined
  lost: number
  badProofs: number
}

export const LOCKED_OUT = 'a browser at rest is locked out'
export const REFUSED = 'a request under way is refused'
export const LIVES_ON = 'a copied cookie lives on'

/** A copy to change. `structuredClone` would take most of the search's time. */
export function copyOf(world: World): World {
  const { browser, registration, refresh, requests, copied } = world
  return {
    ...world,
    browser: { ...browser, cookie: browser.cookie && { ...browser.cookie } },
    registration: { ...registration },
    refresh: refresh && { ...refresh },
    requests: requests.map(({ value, age }) => ({ value, age })),
    copied: copied && { ...copied },
  }
}

/** Two moments with the same text go on alike: cookies and keys count by what they are equal to, times by their age. */
export function canonical(world: World): string {
  const names = new Map<number, number>()
  const name = (value: Value) => {
    if (value === undefined) return undefined
    if (!names.has(value)) names.set(value, names.size)
    return names.get(value)
  }
  const { binding, browser, registration, refresh, requests, copied } = world
  const age = (time: number) => Math.min(world.now - time, 9)
  const state =
    binding === 'ended' || binding.state === 'offered'
      ? binding === 'ended'
      : [
          name(Number(binding.challengeKey)),
          binding.state === 'bound' && [
            age(binding.boundAt),
            binding.issued.map(([one, until]) => [name(Number(one)), Math.max(0, until - world.now)]),
          ],
        ]
  const named = (part: object | undefined) =>
    part &&
    Object.entries(part).map(([at, value]) => (at === 'cookie' || at === 'challenge' ? name(value) : value))
  return JSON.stringify([
    world.now,
    state,
    [
      browser.isBinding,
      browser.cookie && [name(browser.cookie.value), browser.cookie.left],
      name(browser.challenge),
    ],
    named(registration),
    named(refresh),
    requests.map((one) => `${name(one.value)} ${one.age}`).toSorted(),
    copied && [name(copied.value), copied.age],
    world.lost,
    world.badProofs,
  ])
}
