import type { BindingSettings } from '../../core/binding.js'
import { SessionError } from '../../errors.js'
import { unknownNames } from '../../lib/did-you-mean.js'
import { parseDuration } from '../../lib/duration.js'
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
  readonly ttl?: number | string | undefined
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

const MIN_TTL_MS = 5 * 60_000
const names: Record<keyof DeviceBindingOptions, true> = {
  ttl: true,
  path: true,
  unbound: true,
  refreshFrom: true,
}

/**
 * Checks the option; `undefined` where it is off.
 *
 * @throws SessionError OPTION_INVALID, also for what can't be combined with it.
 */
export function resolveBinding(
  option: boolean | DeviceBindingOptions | undefined,
  cookie: CookieSettings,
  store: SessionStore | undefined,
): BindingConfig | undefined {
  if (option === undefined || option === false) return undefined
  const given = option === true ? {} : option
  if (typeof given !== 'object' || given === null) {
    throw invalid(`deviceBinding must be true, false or an object such as { ttl: '10m' }.`)
  }
  unknownNames(given, Object.keys(names), 'deviceBinding')
  refuseCombinations(cookie, store)
  return {
    ttl: ttl(given.ttl ?? '10m'),
    path: path(given.path ?? '/_session/binding'),
    unbound: unbound(given.unbound ?? 'allow'),
    refreshFrom: refreshFrom(given.refreshFrom ?? (cookie.sameSite === 'none' ? [] : ['*'])),
    cookieName: cookie.onSecureRequest.name,
    sameSite: cookie.sameSite,
  }
}

function refuseCombinations(cookie: CookieSettings, store: SessionStore | undefined): void {
  const { domain, path: cookiePath, partitioned, onSecureRequest } = cookie
  const refuse = (what: string, fix: string) => invalid(`deviceBinding can't be used with ${what}. ${fix}`)
  if (domain !== undefined)
    throw refuse('cookie.domain', 'Leave cookie.domain out: a binding is for one host.')
  if (cookiePath !== '/') throw refuse('cookie.path', 'Leave cookie.path out: a binding is for a whole host.')
  if (partitioned) throw refuse('cookie.partitioned', 'Leave it out: browsers bind no partitioned cookie.')
  if (!onSecureRequest.secure)
    throw refuse('cookie.secure: false', 'Leave it out: browsers bind sessions on https only.')
  if (store !== undefined && !updatesAtomically(store)) {
    throw refuse(
      'this store',
      'Its updates are not atomic across processes, so a proof could count twice. Use a store of express-sid.',
    )
  }
}

/** Whether an update of the store is atomic across all processes. A store that says nothing of it is. */
function updatesAtomically(store: SessionStore & { readonly atomicUpdates?: boolean | undefined }): boolean {
  return store.atomicUpdates !== false
}

function ttl(value: number | string): number {
  const ms = parseDuration(value, 'deviceBinding.ttl')
  if (ms >= MIN_TTL_MS) return ms
  throw invalid(
    `deviceBinding.ttl must be at least '5m': browsers renew the proof two minutes early, and limit how often.`,
  )
}

// As a browser sends it: no query, no fragment, nothing that would be encoded.
const pathShape = /^(?:\/[\w.~!$&'()*+,=:@-]+)+$/

function path(value: string): string {
  if (typeof value === 'string' && pathShape.test(value)) return value
  throw invalid(
    `deviceBinding.path must be a path such as '/_session/binding', without a query or a slash at its end.`,
  )
}

function unbound(value: 'allow' | 'refuse'): 'allow' | 'refuse' {
  if (value === 'allow' || value === 'refuse') return value
  throw invalid(`deviceBinding.unbound must be 'allow' or 'refuse', not ${JSON.stringify(value)}.`)
}

const hostShape = /^(?:\*|(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)*)$/

function refreshFrom(value: readonly string[]): readonly string[] {
  if (Array.isArray(value) && value.every((one) => typeof one === 'string' && hostShape.test(one)))
    return value
  throw invalid(
    `deviceBinding.refreshFrom must be an array of hosts without scheme and port, such as ['*.example.com'] or ['*'].`,
  )
}

function invalid(message: string): SessionError {
  return new SessionError('OPTION_INVALID', message)
}
