import type { Settings } from '../core/settings.js'
import { unknownNames } from '../lib/did-you-mean.js'
import { parseDuration } from '../lib/duration.js'
import { SessionError } from '../errors.js'
import type { SessionStore } from '../store.js'
import { memoryStore } from '../stores/memory/index.js'
import { resolveBinding } from './binding/options.js'
import { resolveCookie } from './cookie/options.js'
import type { Duration, HttpSettings, SessionOptions } from './options.js'
import { parseTrustedOrigins } from './origin/trusted-origins.js'

const names: Record<keyof SessionOptions, true> = {
  store: true,
  idleTimeout: true,
  absoluteTimeout: true,
  guestIdleTimeout: true,
  touchInterval: true,
  rotateEvery: true,
  rotationGrace: true,
  onReuse: true,
  deviceBinding: true,
  storeTimeout: true,
  onStoreError: true,
  onClientChange: true,
  trustedOrigins: true,
  loadUser: true,
  userId: true,
  serializeUser: true,
  cookie: true,
}

/** Checks every option, fills in the defaults, and turns durations into milliseconds. */
export function resolveOptions(options: SessionOptions): HttpSettings {
  if (typeof options !== 'object' || options === null) {
    throw invalid(`The options must be an object or a manager from createSessions(), not ${String(options)}.`)
  }
  unknownNames(options, Object.keys(names), 'sessionMiddleware() and createSessions()')
  const isProduction = process.env.NODE_ENV === 'production'
  const cookie = resolveCookie(options.cookie, isProduction)
  return {
    ...lifetimes(options),
    ...rotation(options),
    cookie,
    deviceBinding: resolveBinding(options.deviceBinding, cookie, options.store),
    trustedOrigins: parseTrustedOrigins(options.trustedOrigins ?? []),
    onStoreError: oneOf('onStoreError', options.onStoreError ?? 'fail', ['fail', 'anonymous']),
    onClientChange: clientChange(options.onClientChange),
    loadUser: optionalFunction('loadUser', options.loadUser, '(id) => users.find(id)'),
    userId: optionalFunction('userId', options.userId, '(user) => user.uuid'),
    serializeUser: optionalFunction(
      'serializeUser',
      options.serializeUser,
      '({ id, name }) => ({ id, name })',
    ),
    isProduction,
    // Last, so that a broken option makes no store.
    store: options.store === undefined ? memoryStore() : checkStore(options.store),
  }
}

const DAY = 86_400_000

function lifetimes(options: SessionOptions) {
  const idleTimeout = duration('idleTimeout', options.idleTimeout ?? '7d', 1)
  const absoluteTimeout = duration('absoluteTimeout', options.absoluteTimeout ?? '30d', 1)
  const guestIdleTimeout = duration('guestIdleTimeout', options.guestIdleTimeout ?? '1h', 1)
  const storeTimeout = duration('storeTimeout', options.storeTimeout ?? '2s', 1)
  const shortest = Math.min(idleTimeout, guestIdleTimeout, absoluteTimeout)
  const touchInterval = duration(
    'touchInterval',
    options.touchInterval ?? Math.min(60_000, Math.ceil(shortest / 10)),
    0,
  )
  if (absoluteTimeout > 400 * DAY) {
    throw invalid(
      `absoluteTimeout is above 400 days, and no browser keeps a cookie longer (RFC 6265bis). Use '400d' or less.`,
    )
  }
  // The default steps aside for a shorter absoluteTimeout; one that was asked for does not.
  if (options.idleTimeout !== undefined && idleTimeout > absoluteTimeout) {
    throw invalid(
      `idleTimeout (${idleTimeout} ms) is longer than absoluteTimeout (${absoluteTimeout} ms) and would never end a ` +
        `session. Make it shorter, or absoluteTimeout longer.`,
    )
  }
  if (touchInterval >= shortest) {
    throw invalid(
      `touchInterval must be shorter than the shortest timeout (${shortest} ms), or sessions in use would end. Leave it out.`,
    )
  }
  return { idleTimeout, absoluteTimeout, guestIdleTimeout, touchInterval, storeTimeout }
}

/** Cookies that a crash takes from Chromium (30 s), late responses and requests in queues must fit into it. */
const MIN_GRACE_MS = 60_000

function rotation(options: SessionOptions) {
  const rotationGrace = duration('rotationGrace', options.rotationGrace ?? '5m', MIN_GRACE_MS)
  const { rotateEvery = '1h' } = options
  const every = rotateEvery === false ? false : duration('rotateEvery', rotateEvery, 1)
  if (every !== false && every < 2 * rotationGrace) {
    throw invalid(
      `rotateEvery (${every} ms) must be at least twice rotationGrace (${rotationGrace} ms), or a browser that gets a ` +
        `response late would be signed out. Make it longer, or false.`,
    )
  }
  return {
    rotateEvery: every,
    rotationGrace,
    onReuse: oneOf('onReuse', options.onReuse ?? 'end', ['end', 'endAll', 'report']),
  } as const
}

function duration(name: string, value: Duration, least: number): number {
  const ms = parseDuration(value, name)
  // The longest that a timer can wait; also far above 400 days' worth of sense for the others.
  if (ms >= least && (name !== 'storeTimeout' || ms < 2 ** 31)) return ms
  throw invalid(`${name} must be ${ms < least ? 'longer than 0' : 'below 24 days'}, for example '1m'.`)
}

function clientChange(value: SessionOptions['onClientChange']): Settings['onClientChange'] {
  if (value !== undefined && (typeof value !== 'object' || value === null)) {
    throw invalid(`onClientChange must be an object such as { engine: 'report', network: 'refuse' }.`)
  }
  unknownNames(value ?? {}, ['engine', 'network'], 'onClientChange')
  const policies = ['refuse', 'report', 'ignore'] as const
  return {
    engine: oneOf('onClientChange.engine', value?.engine ?? 'refuse', policies),
    network: oneOf('onClientChange.network', value?.network ?? 'report', policies),
  }
}

function oneOf<T extends string>(name: string, value: T, allowed: readonly T[]): T {
  if (allowed.includes(value)) return value
  throw invalid(
    `${name} must be one of ${allowed.map((one) => `'${one}'`).join(', ')}, not ${JSON.stringify(value)}.`,
  )
}

function optionalFunction<T>(name: string, value: T, example: string): T {
  if (value === undefined || typeof value === 'function') return value
  throw invalid(`${name} must be a function, such as ${example}, not ${typeof value}.`)
}

const storeMethods = ['insert', 'get', 'update', 'delete', 'listByUser'] as const

function checkStore(store: SessionStore): SessionStore {
  const missing = storeMethods.filter(
    (name) => typeof (store as Partial<SessionStore> | null)?.[name] !== 'function',
  )
  if (missing.length === 0) return store
  throw invalid(
    `store lacks ${missing.join(', ')}. Give a store such as sqliteStore(database) or redisStore(client), not a ` +
      `database client; a store of express-session goes through fromExpressSession(store).`,
  )
}

/** What the options of the route helpers may be. */
const kinds = {
  address: {
    fits: (value: unknown) => typeof value === 'string' && value !== '',
    must: "a path or an address, such as '/some/page'",
  },
  names: {
    fits: (value: unknown) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
    must: "an array of names, such as ['cart']",
  },
  boolean: { fits: (value: unknown) => typeof value === 'boolean', must: 'true or false' },
  app: {
    // What is taken from it; an app is a function, but so is a router.
    fits: (value: unknown) => typeof (value as { request?: unknown } | null)?.request === 'object',
    must: 'the Express app that express() made, not a router or a server',
  },
}

/** Checks the options of a route helper, which `what` names for the message. */
export function checkHelperOptions<Options extends object>(
  options: Options,
  known: Readonly<Record<keyof Options, keyof typeof kinds>>,
  what: string,
): void {
  const own = Object.keys(known) as (keyof Options & string)[]
  if (typeof options !== 'object' || options === null) {
    throw invalid(`The options of ${what} must be an object. They are ${own.join(', ')}.`)
  }
  unknownNames(options, own, what)
  for (const name of own) {
    const { fits, must } = kinds[known[name]]
    if (options[name] !== undefined && !fits(options[name])) {
      throw invalid(`The option ${name} of ${what} must be ${must}. Or leave it out.`)
    }
  }
}

function invalid(message: string): SessionError {
  return new SessionError('OPTION_INVALID', message)
}
