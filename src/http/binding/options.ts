import type { BindingSettings } from '../../core/binding/binding.js'
import { invalid } from '../../lib/options/invalid.js'
import { duration, group, oneOf, orFalse, text } from '../../lib/options/option-kinds.js'
import { ofGroup, type Option, type Place, type Values } from '../../lib/options/options.js'
import type { Duration } from '../../lib/options/duration.js'
import type { SessionStore } from '../../store.js'
import type { CookieSettings } from '../cookie/options.js'

/**
 * Experimental: binds sessions to devices in browsers that can, by Device Bound Session Credentials (a W3C draft).
 * See docs/device-binding.md.
 */
export interface DeviceBindingOptions {
  /**
   * How long a proof of the device is good for: milliseconds or a text such as `'10m'`. A copy of both cookies dies
   * after this time and `rotationGrace`. At least `'5m'`: browsers renew it two minutes early, and limit how often a
   * device signs. Default `'10m'`.
   */
  readonly ttl?: Duration | undefined
  /**
   * Where browsers register and prove their key: a path below the one that the middleware is mounted at. The
   * middleware serves it. A firewall or a rate limit in front must let it pass. Default `'/_session/binding'`.
   */
  readonly path?: string | undefined
  /**
   * What `requireUser()` does with a session that is not bound two minutes after its login: `'allow'` (default), since
   * most browsers can't bind sessions; or `'refuse'` (UNBOUND), where all browsers are known to be able.
   */
  readonly unbound?: 'allow' | 'refuse' | undefined
  /**
   * Whose links may make the browser renew the proof: hosts, patterns such as `'*.example.com'`, or `'*'`. A link from
   * any other site arrives as logged out while the proof is out of date. Default `['*']`; `[]` with
   * `cookie.sameSite: 'none'`, where any page could make the device sign.
   */
  readonly refreshFrom?: readonly string[] | undefined
}

/** What the HTTP side needs besides the core's settings. */
export interface BindingConfig extends BindingSettings {
  readonly path: string
  readonly unbound: 'allow' | 'refuse'
  readonly refreshFrom: readonly string[]
  /** The name of the session's cookie, where a session can be bound. */
  readonly cookieName: string
  /** That of the session's cookie, and so of the bound one. */
  readonly sameSite: CookieSettings['sameSite']
}

// As a browser sends it: no query, no fragment, nothing that would be encoded.
const pathShape = /^(?:\/[\w.~!$&'()*+,=:@-]+)+$/
const hostShape = /^(?:\*|(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*)$/

/** The options of `deviceBinding`. The table on its page is tested against this one. */
export const bindingOptions = {
  ttl: {
    kind: duration({
      min: 5 * 60_000,
      words: 'five minutes or longer, as browsers renew the proof two minutes early and limit how often',
    }),
    default: '10m',
    doc: "how long a proof is good for; at least `'5m'`",
  },
  path: {
    kind: text((value) => pathShape.test(value), 'a path such as /_session/binding, without a query'),
    default: '/_session/binding',
    doc: 'where browsers register and prove their key',
  },
  unbound: {
    kind: oneOf('allow', 'refuse'),
    default: 'allow',
    doc: 'what `requireUser()` does with a session that is not bound two minutes after its login',
  },
  refreshFrom: {
    kind: hosts,
    defaultText: "`['*']`; `[]` with `sameSite: 'none'`",
    doc: 'whose links may make the browser renew the proof',
  },
} as const satisfies Record<keyof DeviceBindingOptions, Option<unknown>>

const given = group(ofGroup('deviceBinding', "{ ttl: '10m' }"), bindingOptions)

/** The option as it was given, checked: `false`, or its values. */
export const bindingKind = orFalse<Values<typeof bindingOptions>>((value, place) =>
  given(value === true ? {} : value, place),
)

/**
 * What the option means beside the others; `undefined` where it is off.
 *
 * @throws SessionError OPTION_INVALID for what can't be combined with it.
 */
export function resolveBinding(values: {
  readonly deviceBinding: Values<typeof bindingOptions> | false
  readonly cookie: CookieSettings
  readonly store: SessionStore | undefined
}): BindingConfig | undefined {
  const { deviceBinding, cookie, store } = values
  if (deviceBinding === false) return undefined
  const { domain, path, partitioned, onSecureRequest, sameSite } = cookie
  if (domain !== undefined) throw refusal('cookie.domain', 'a binding is for one host')
  if (path !== '/') throw refusal('cookie.path', 'a binding is for a whole host')
  if (partitioned) throw refusal('cookie.partitioned', 'browsers bind no partitioned cookie')
  if (!onSecureRequest.secure) throw refusal('cookie.secure: false', 'browsers bind sessions on https only')
  if (store?.atomicUpdates === false) {
    throw invalid(
      `deviceBinding can't be used with this store: its updates are not atomic across processes, so one proof could ` +
        `count twice. Use a store that comes with express-sid.`,
    )
  }
  const refreshFrom = deviceBinding.refreshFrom ?? (sameSite === 'none' ? [] : ['*'])
  return { ...deviceBinding, refreshFrom, cookieName: onSecureRequest.name, sameSite }
}

function refusal(option: string, why: string): Error {
  return invalid(`deviceBinding can't be used with ${option}: ${why}. Leave one of the two out.`)
}

function hosts(value: unknown, place: Place): readonly string[] {
  const isHost = (one: unknown) => typeof one === 'string' && hostShape.test(one)
  if (Array.isArray(value) && value.every(isHost)) return value as string[]
  return place.mustBe("an array of hosts without scheme and port, such as ['*.example.com'] or ['*']")
}
