import type { AddressPolicy } from '../core/client/address.js'
import type { ClientChangePolicy, ReusePolicy, Settings, WhenFull } from '../core/settings.js'
import { invalid } from '../lib/options/invalid.js'
import { boolean, callback, duration, group, integer, oneOf, orFalse } from '../lib/options/option-kinds.js'
import { ofFunction, ofGroup, readOptions, type Option, type Values } from '../lib/options/options.js'
import { optionalMethods, type SessionStore } from '../store.js'
import { memoryStore } from '../stores/memory/index.js'
import { absoluteKind, assertEnds, idleKind, lifetimeOption } from './lifetime/options.js'
import { adoptOption, resolveAdopt } from './adopt/options.js'
import { bindingKind, resolveBinding } from './binding/options.js'
import { resolveCookie, type CookieOptions } from './cookie/options.js'
import type { HttpSettings, SessionOptions } from './options.js'
import { parseCrossSitePaths } from './origin/cross-site-paths.js'
import type { IsActivity } from './request/activity.js'
import { parseTrustedOrigins } from './origin/trusted-origins.js'
import { refusedOption } from './refusal/refused-option.js'
import { checkUsers, maxSessions } from './user-options.js'

const longerThanZero = { min: 1, words: 'longer than 0' }
const policy = oneOf<ClientChangePolicy>('refuse', 'report', 'ignore')
const isProduction = (): boolean => process.env.NODE_ENV === 'production'

const clientChangeOptions = {
  engine: { kind: policy, default: 'refuse', doc: 'the cookie comes from another browser engine' },
  network: { kind: policy, default: 'report', doc: 'the cookie comes from another network' },
} as const

/** The options of `createSessions` and `sessionMiddleware`. The table in the README is tested against this one. */
export const sessionOptions = {
  store: { kind: checkStore, defaultText: '`memoryStore()`', doc: 'where sessions live' },
  idleTimeout: {
    kind: idleKind,
    default: '7d',
    doc: 'a login that is not used for this time has ended',
  },
  absoluteTimeout: {
    kind: absoluteKind,
    default: '30d',
    doc: 'a session of this age has ended, used or not; at most 400 days',
  },
  guestIdleTimeout: {
    kind: idleKind,
    default: '1h',
    doc: 'the idle timeout of sessions without a user',
  },
  lifetime: lifetimeOption,
  touchInterval: {
    kind: duration(),
    defaultText: "`'5m'`, or a tenth of a shorter timeout",
    doc: 'the idle deadline is written at most once in this time',
  },
  touch: {
    kind: callback<IsActivity>("(req) => !req.path.startsWith('/poll/')"),
    defaultText: 'every request',
    doc: 'whether a request is an activity of its user, which moves the idle deadline',
  },
  rotateEvery: {
    kind: orFalse(duration(longerThanZero)),
    default: '1h',
    defaultText: "`'1h'`; off without atomic updates",
    doc: 'how often a login gets a new secret; false: never',
  },
  rotationGrace: {
    // Cookies that a crash takes from Chromium (30 s), late responses and requests in queues must fit into it.
    kind: duration({ min: 60_000, words: 'a minute or longer' }),
    default: '5m',
    doc: 'how long an outdated secret stays good; at most half of rotateEvery',
  },
  onReuse: {
    kind: oneOf<ReusePolicy>('end', 'endAll', 'report'),
    default: 'end',
    doc: 'what happens when an outdated secret is used, which shows a copied cookie',
  },
  maxSessions: {
    kind: maxSessions,
    defaultText: '–',
    doc: 'how many sessions a user may have, exactly; a number or a function of the user',
  },
  whenFull: {
    kind: oneOf<WhenFull>('endOldest', 'refuse'),
    default: 'endOldest',
    doc: 'what a login does when its user has that many: ends the oldest, or is refused',
  },
  deviceBinding: {
    kind: bindingKind,
    default: false,
    doc: 'experimental: binds a login to its device',
  },
  bearer: {
    kind: boolean('true or false'),
    default: false,
    doc: 'sessions in `Authorization: Bearer` too, for apps and command lines',
  },
  storeTimeout: {
    // The longest time that a timer of Node can wait.
    kind: duration({ min: 1, max: 2 ** 31 - 1, words: 'longer than 0 and below 24 days' }),
    default: '2s',
    doc: 'how long one call to the store, or to loadUser, may take',
  },
  heardWithin: {
    kind: duration({ min: 1_000, max: 2 ** 31 - 1, words: 'a second or longer, and below 24 days' }),
    default: '30s',
    doc: 'how soon onEnd hears what another process has ended',
  },
  maxDataBytes: {
    kind: integer(1),
    default: 65_536,
    defaultText: '`65536` (64 KB)',
    doc: "how many bytes a session's data may take as JSON",
  },
  onStoreError: {
    kind: oneOf('fail', 'anonymous'),
    default: 'fail',
    doc: "what a request gets when its lookup fails: 'fail' is a 503, 'anonymous' is no user",
  },
  onClientChange: {
    kind: group(ofGroup('onClientChange', "{ engine: 'report', network: 'refuse' }"), clientChangeOptions),
    default: {},
    defaultText: "`{ engine: 'refuse', network: 'report' }`",
    doc: 'what happens when the cookie comes from another browser engine or network',
  },
  recordAddress: {
    kind: oneOf<AddressPolicy>('whole', 'network', 'none'),
    default: 'whole',
    doc: 'how much of an address a session keeps',
  },
  describeAddress: {
    kind: callback<Settings['describeAddress']>('(ip) => geo.lookup(ip)?.city'),
    defaultText: '–',
    doc: 'names the place of a login',
  },
  trustedOrigins: {
    kind: parseTrustedOrigins,
    default: [],
    doc: 'other origins whose pages may change state here',
  },
  crossSitePaths: {
    kind: parseCrossSitePaths,
    default: [],
    doc: "exact paths that an identity provider's page posts to",
  },
  refused: refusedOption,
  loadUser: {
    kind: callback<Settings['loadUser']>('(id) => users.find(id)'),
    defaultText: '–',
    doc: 'reads the user on each request; the session keeps the id alone',
  },
  mayActAs: {
    kind: callback<Settings['mayActAs']>("(actor, user) => actor.role === 'support'"),
    defaultText: 'nobody may',
    doc: 'whether a user may act as another one, by actAs()',
  },
  actingTimeout: {
    kind: duration(longerThanZero),
    default: '1h',
    doc: 'how long a user may act as another one',
  },
  authVersion: {
    kind: callback<Settings['authVersion']>('(user) => user.passwordVersion'),
    defaultText: '–',
    doc: "what changes when a user's older sessions have to end; needs loadUser",
  },
  userId: {
    kind: callback<Settings['userId']>('(user) => user.uuid'),
    defaultText: '`(user) => user.id`',
    doc: "where a user's id is",
  },
  serializeUser: {
    kind: callback<Settings['serializeUser']>('({ id, name }) => ({ id, name })'),
    defaultText: 'the whole user',
    doc: 'picks what the session keeps of a user',
  },
  adopt: adoptOption,
  cookie: {
    kind: (value: unknown) => resolveCookie(value as CookieOptions, isProduction()),
    default: {},
    doc: 'the session cookie',
  },
} as const satisfies Record<keyof SessionOptions, Option<unknown>>

const owner = ofFunction(
  'sessionMiddleware() and createSessions()',
  "{ idleTimeout: '30m' }, or the manager that createSessions() made",
)

/**
 * Checks every option, fills in the defaults, and turns durations into milliseconds.
 *
 * @throws SessionError OPTION_INVALID naming the option, with the fix.
 * @example resolveOptions({ idleTimeout: '30m' }).idleTimeout // 1_800_000
 */
export function resolveOptions(options: SessionOptions): HttpSettings {
  const values = readOptions(options, { ...owner, label: (name) => name }, sessionOptions)
  const touchInterval = checkedTouchInterval(values)
  const rotateEvery = checkedRotation(options, values)
  checkIdleTimeout(options, values)
  checkLifetime(values)
  checkAddresses(values)
  checkUsers(options, values)
  const deviceBinding = resolveBinding(values)
  const adopt = resolveAdopt(values.adopt, values.cookie, values.store)
  // The store comes last, so that a broken option makes none.
  const store = values.store ?? memoryStore()
  const made = { touchInterval, rotateEvery, deviceBinding, adopt, adoptUntil: adopt?.until }
  return { ...values, ...made, isProduction: isProduction(), store }
}

/** The default of `idleTimeout` gives way to a shorter `absoluteTimeout`; a value that was asked for does not. */
function checkIdleTimeout(options: SessionOptions, values: Values<typeof sessionOptions>): void {
  const { idleTimeout, absoluteTimeout } = values
  if (options.idleTimeout === undefined || idleTimeout <= absoluteTimeout) return
  throw invalid(
    `idleTimeout (${idleTimeout} ms) is longer than absoluteTimeout (${absoluteTimeout} ms) and would never end a ` +
      `session. Make it shorter, or absoluteTimeout longer.`,
  )
}

/** A session without an address is of no network, so any request would pass. */
function checkAddresses({ recordAddress, onClientChange }: Values<typeof sessionOptions>): void {
  if (recordAddress !== 'none' || onClientChange.network !== 'refuse') return
  throw invalid(
    "recordAddress is 'none', and onClientChange.network is 'refuse': without an address there is no network to " +
      "compare. Use recordAddress: 'network', or another onClientChange.",
  )
}

/** Of a function it shows only at a login. */
function checkLifetime({ lifetime, absoluteTimeout }: Values<typeof sessionOptions>): void {
  if (lifetime === undefined || typeof lifetime === 'function' || lifetime.idle === undefined) return
  if (lifetime.absolute === undefined) assertEnds(lifetime.idle, absoluteTimeout, 'absoluteTimeout')
}

function checkedTouchInterval(values: Values<typeof sessionOptions>): number {
  const shortest = Math.min(values.idleTimeout, values.guestIdleTimeout, values.absoluteTimeout)
  const touchInterval = values.touchInterval ?? Math.min(300_000, Math.ceil(shortest / 10))
  if (touchInterval < shortest) return touchInterval
  throw invalid(
    `touchInterval must be shorter than the shortest timeout (${shortest} ms), or sessions in use would end. Leave it out.`,
  )
}

/** Where two processes can both replace a secret, one of two honest requests would be left with an outdated one. */
function checkedRotation(options: SessionOptions, values: Values<typeof sessionOptions>): number | false {
  const { rotationGrace, store } = values
  const isAtomic = store?.atomicUpdates !== false
  const rotateEvery = isAtomic || options.rotateEvery !== undefined ? values.rotateEvery : false
  if (rotateEvery !== false && !isAtomic) {
    throw invalid(
      'rotateEvery needs a store with atomic updates, which this one has not: its atomicUpdates is false. ' +
        'Leave rotateEvery out, or use a store of express-sid such as redisStore(client).',
    )
  }
  if (values.onReuse === 'endAll' && store !== undefined && store.listByUser === undefined) {
    throw invalid(
      "onReuse is 'endAll', and this store can't list the sessions of a user: it has no listByUser. Use 'end'.",
    )
  }
  if (rotateEvery === false || rotateEvery >= 2 * rotationGrace) return rotateEvery
  throw invalid(
    `rotateEvery (${rotateEvery} ms) must be at least twice rotationGrace (${rotationGrace} ms), or a browser that gets a ` +
      `response late would be signed out. Make it longer, or false.`,
  )
}

const required = ['insert', 'get', 'update', 'delete'] as const

function checkStore(given: unknown): SessionStore {
  const store = given as Partial<SessionStore> | null
  const missing = required.filter((name) => typeof store?.[name] !== 'function')
  const broken = optionalMethods.filter((name) => !['function', 'undefined'].includes(typeof store?.[name]))
  if (missing.length + broken.length === 0) return store as SessionStore
  if (missing.length === 0) throw invalid(`store.${broken[0]} must be a method. Or leave it out.`)
  throw invalid(
    `store lacks ${missing.join(', ')}. Give a store such as sqliteStore(database) or redisStore(client), not a ` +
      `database client; a store of express-session goes through fromExpressSession(store).`,
  )
}
