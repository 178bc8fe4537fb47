import type { Request } from 'express'
import { invalid, show } from '../../lib/options/invalid.js'
import { callback, group } from '../../lib/options/option-kinds.js'
import { ofGroup, readOptions, type Option, type Place } from '../../lib/options/options.js'
import type { MaybePromise, SessionStore } from '../../store.js'
import { cookieOptions, type CookieSettings } from '../cookie/options.js'

/** A cookie of the system that an application comes from, as that system has set it. */
export interface OldCookie {
  /** Its name, as it is. */
  readonly name: string
  /** The path that it was set with; another one can't be cleared. Default `/`. */
  readonly path?: string | undefined
  /** The domain that it was set with. Default: our host alone. */
  readonly domain?: string | undefined
}

/** Says who holds an old cookie: a user as `login()` takes them, or nothing. May be async. */
export type UserOfOldCookie = (req: Request) => MaybePromise<object | null | undefined | false>

/**
 * Takes visitors over who are logged in by a cookie of another system: cookie-session, iron-session, Lucia, a JWT. Nobody
 * has to log in again, and nobody is asked who has a session here.
 */
export interface AdoptOptions {
  /**
   * The cookies of the other system. The first one says who it is: without it nobody is asked. The others, such as its
   * signature, are cleared together with it.
   */
  readonly cookies: readonly OldCookie[]
  /**
   * Until when old cookies count. Choose the time at which the last of them has expired. What is remembered of used
   * cookies is kept until then. Once it has passed, the option does nothing.
   */
  readonly until: Date
  /**
   * Verifies the old cookie, and returns its user as `login()` takes them; nothing for a cookie that is not good. What it
   * throws is a 503.
   *
   * @example
   * user: (req) => users.find(readOldSession(req.headers.cookie)?.userId)
   */
  readonly user: UserOfOldCookie
}

/** The option, checked. */
export interface AdoptSettings {
  readonly cookies: readonly {
    readonly name: string
    readonly path: string
    readonly domain: string | undefined
  }[]
  readonly until: number
  readonly user: UserOfOldCookie
}

const cookieTable = {
  name: { ...cookieOptions.name, required: true },
  path: cookieOptions.path,
  domain: cookieOptions.domain,
} as const
const oldCookie = group(ofGroup('adopt.cookies', "[{ name: 'session' }]"), cookieTable)

const fields = {
  cookies: { kind: cookiesKind, required: true, doc: 'the cookies of the other system' },
  until: { kind: untilKind, required: true, doc: 'until when they count' },
  user: {
    kind: callback<UserOfOldCookie>('(req) => users.find(readOldSession(req)?.userId)'),
    required: true,
    doc: 'says whose cookie it is',
  },
} as const satisfies Record<keyof AdoptOptions, Option<unknown>>

/** The option `adopt` of the manager. */
export const adoptOption = {
  kind: (value: unknown): AdoptSettings => readOptions(value, ofGroup('adopt', example), fields),
  defaultText: '–',
  doc: 'takes over who is logged in by a cookie of another system',
} as const

const example = "{ cookies: [{ name: 'session' }], until: new Date('2027-01-01'), user: (req) => … }"

function cookiesKind(value: unknown, place: Place): AdoptSettings['cookies'] {
  if (!Array.isArray(value) || value.length === 0 || value.length > 8)
    return place.mustBe("an array of 1 to 8 cookies, such as [{ name: 'session' }]")
  const cookies = value.map((one) => oldCookie(one, place))
  const names = new Set(cookies.map(({ name }) => name))
  return names.size === cookies.length
    ? cookies
    : place.mustBe('an array of cookies that differ in their names')
}

function untilKind(value: unknown, place: Place): number {
  const time = value instanceof Date ? value.getTime() : Number.NaN
  return Number.isFinite(time) ? time : place.mustBe("a Date, such as new Date('2027-01-01')", show(value))
}

/**
 * What the rest of the options must be for `adopt`; the settings themselves, and nothing once their time has passed.
 *
 * @throws SessionError OPTION_INVALID with the reason.
 */
export function resolveAdopt(
  adopt: AdoptSettings | undefined,
  { onSecureRequest, onPlainRequest }: CookieSettings,
  store: SessionStore | undefined,
): AdoptSettings | undefined {
  if (adopt === undefined) return undefined
  const own = adopt.cookies.find(({ name }) => name === onSecureRequest.name || name === onPlainRequest.name)
  if (own !== undefined) {
    throw invalid(
      `adopt.cookies has ${own.name}, which is the name of our own cookie. Give that another one, by cookie: { name }.`,
    )
  }
  if (store?.atomicUpdates === false) {
    throw invalid(
      'adopt needs a store with atomic updates, which this one has not: its atomicUpdates is false. An old cookie could ' +
        'start several sessions there, and a logout would not close it for good. Use a store of express-sid such as redisStore(client).',
    )
  }
  return Date.now() < adopt.until ? adopt : undefined
}
