import type { Request } from 'express'
import { isObject } from '../../lib/json/is-object.js'
import { invalid } from '../../lib/options/invalid.js'
import { boolean, duration } from '../../lib/options/option-kinds.js'
import { ofGroup, readOptions, type Option, type Place } from '../../lib/options/options.js'
import type { Duration } from '../../lib/options/duration.js'
import type { RecordLifetime } from '../../record.js'
import type { MaybePromise } from '../../store.js'

/**
 * How long one login lives. What is left out is as the options `idleTimeout`, `absoluteTimeout` and `cookie.persistent`
 * say.
 *
 * @example
 * const remembered: SessionLifetime = { idle: '30d', absolute: '90d', persistent: true }
 */
export interface SessionLifetime {
  /** The login has ended when it is not used for so long. At most as long as `absolute`. */
  readonly idle?: Duration | undefined
  /** The login has ended at this age, used or not; 400 days at most, as browsers keep no cookie longer. */
  readonly absolute?: Duration | undefined
  /** Whether the login outlives the browser's window. */
  readonly persistent?: boolean | undefined
}

/**
 * Says how long the login of a user lives. May be async. `undefined` leaves all to the options. What it throws makes the
 * login fail.
 *
 * @example
 * createSessions({ lifetime: (user) => (user.isAdmin ? { idle: '15m', absolute: '12h' } : undefined) })
 */
export type LifetimeOf = (
  // oxlint-disable-next-line typescript/no-explicit-any -- the application's own type of user
  user: any,
  req: Request,
) => MaybePromise<SessionLifetime | undefined>

/** The option as it was given, checked: durations in milliseconds. What a function returns is checked at each login. */
export type LifetimeSetting = RecordLifetime | LifetimeOf

const DAY = 86_400_000

/** The longest that browsers keep a cookie (RFC 6265bis), and nothing that has ended at its start. */
export const absoluteKind = duration({
  min: 1,
  max: 400 * DAY,
  words: 'longer than 0 and at most 400 days, as no browser keeps a cookie longer (RFC 6265bis)',
})

export const idleKind = duration({ min: 1, words: 'longer than 0' })

const fields = {
  idle: { kind: idleKind, doc: 'the login has ended when it is not used for so long' },
  absolute: { kind: absoluteKind, doc: 'the login has ended at this age, used or not' },
  persistent: { kind: boolean(), doc: "whether the login outlives the browser's window" },
} as const satisfies Record<keyof SessionLifetime, Option<unknown>>

const owner = {
  ...ofGroup('lifetime', "{ idle: '30d', absolute: '90d', persistent: true }"),
  elsewhere: {
    idleTimeout: 'for one login it is called idle',
    absoluteTimeout: 'for one login it is called absolute',
    maxAge: 'the cookie lives as long as absolute says',
  },
}

/** The option `lifetime` of the manager and of each login. */
export const lifetimeOption = {
  kind: lifetimeKind,
  defaultText: '–',
  doc: 'how long a login lives, by its user and its request',
} as const

function lifetimeKind(value: unknown, place: Place): LifetimeSetting {
  if (typeof value === 'function') return value as LifetimeOf
  if (value === null || typeof value !== 'object') {
    return place.mustBe(`an object such as { idle: '30d', persistent: true }, or a function that returns one`)
  }
  return checked(value)
}

/** The same where there is no request that a function could be asked about. */
export function fixedLifetimeKind(value: unknown, place: Place): RecordLifetime {
  if (typeof value !== 'function') return lifetimeKind(value, place) as RecordLifetime
  return place.mustBe(
    `an object such as { idle: '30d', persistent: true }, as there is no request here to ask about`,
  )
}

/** The lifetime with durations in milliseconds, and only what was given. */
function checked(value: unknown): RecordLifetime {
  const { idle, absolute, persistent } = readOptions(value, owner, fields)
  if (idle !== undefined && absolute !== undefined) assertEnds(idle, absolute, 'lifetime.absolute')
  return {
    ...(idle !== undefined && { idle }),
    ...(absolute !== undefined && { absolute }),
    ...(persistent !== undefined && { persistent }),
  }
}

/**
 * What a login keeps of its lifetime; `undefined` where all is as the options say.
 *
 * @param given the option of this login, else that of the manager.
 * @throws SessionError OPTION_INVALID for what a function may not return.
 */
export async function lifetimeOf(
  given: LifetimeSetting | undefined,
  user: unknown,
  req: Request,
  settings: Longest,
): Promise<RecordLifetime | undefined> {
  // What is no user at all is refused by the login, which says so better than a function that reads its role.
  if (given === undefined || !isObject(user)) return undefined
  return keptLifetime(typeof given === 'function' ? await returned(given, user, req) : given, settings)
}

interface Longest {
  readonly absoluteTimeout: number
}

/**
 * What a login keeps of a lifetime that is known.
 *
 * @throws SessionError OPTION_INVALID where it ends before it can be idle.
 */
export function keptLifetime(
  lifetime: RecordLifetime | undefined,
  { absoluteTimeout }: Longest,
): RecordLifetime | undefined {
  if (lifetime?.idle !== undefined && lifetime.absolute === undefined) {
    assertEnds(lifetime.idle, absoluteTimeout, 'absoluteTimeout')
  }
  return lifetime === undefined || Object.keys(lifetime).length === 0 ? undefined : lifetime
}

async function returned(ask: LifetimeOf, user: unknown, req: Request): Promise<RecordLifetime | undefined> {
  const lifetime = await ask(user, req)
  return lifetime === undefined ? undefined : checked(lifetime)
}

/** A session that is used would end before it could ever be idle for so long: whoever wrote that meant something else. */
export function assertEnds(idle: number, absolute: number, name: string): void {
  if (idle <= absolute) return
  throw invalid(
    `lifetime.idle (${idle} ms) is longer than ${name} (${absolute} ms) and would never end a session. ` +
      `Make it shorter, or give lifetime.absolute as well.`,
  )
}
