import { newSessionId } from './token.js'
import { boolean, callback, duration, integer, orFalse } from '../lib/options/option-kinds.js'
import { didYouMean } from '../lib/options/did-you-mean.js'
import { invalid, show } from '../lib/options/invalid.js'
import { ofFunction, readOptions, type Option } from '../lib/options/options.js'
import { isObject } from '../lib/json/is-object.js'
import { warnOnce } from '../lib/warn-once.js'
import type { CookieInput } from './classes/cookie.js'
import type { SessionRequest } from './classes/types.js'
import { secretsOf } from './cookie/legacy-cookie.js'
import type { Setup } from './setup.js'
import type { ExpressSessionOptions } from './types.js'
import { passportUser, userFinder, type UserIdOf } from './user.js'

const longerThanZero = { min: 1, words: 'longer than 0' }

/** The options that express-session does not have. */
export const newOptions = {
  userId: {
    kind: callback<UserIdOf>('(session) => session.userId'),
    defaultText: "passport's",
    doc: 'whose session it is, by its values',
  },
  idleTimeout: {
    kind: duration(longerThanZero),
    defaultText: "`'7d'`; the store's own in stores of express-session",
    doc: 'a session that is not used for this time has ended',
  },
  absoluteTimeout: {
    kind: duration(longerThanZero),
    defaultText: '400 days; never in stores of express-session',
    doc: 'a session of this age has ended, used or not',
  },
  touchInterval: {
    kind: duration(),
    defaultText: "`'5m'`, or a tenth of a shorter timeout",
    doc: 'the deadline is moved at most once in this time',
  },
  storeTimeout: {
    kind: duration({ min: 1, max: 2 ** 31 - 1, words: 'longer than 0 and below 24 days' }),
    default: '5s',
    doc: 'how long one call to the store may take',
  },
  rotateEvery: {
    kind: orFalse(duration(longerThanZero)),
    default: false,
    doc: 'how often a session gets a new secret; stores of this package only',
  },
  maxDataBytes: {
    kind: integer(1),
    defaultText: 'no limit',
    doc: "how many bytes a session's data may take as JSON; stores of this package only",
  },
  shared: {
    kind: boolean(),
    default: false,
    doc: 'tells other processes which sessions have ended; stores of express-session only',
  },
  migrateFrom: {
    kind: (value: unknown) => connectStore(value, 'migrateFrom'),
    defaultText: '–',
    doc: 'a store of express-session whose sessions are taken over when they are used',
  },
  legacyErrors: {
    kind: boolean(),
    default: false,
    doc: 'sends a response although its session could not be saved',
  },
} as const satisfies Record<string, Option<unknown>>

type NewName = keyof typeof newOptions

/** The options of express-session. */
const itsOptions = [
  'cookie',
  'genid',
  'key',
  'name',
  'proxy',
  'resave',
  'rolling',
  'saveUninitialized',
  'secret',
  'store',
  'unset',
] as const

/** What is known of the options before the store is looked at. */
export type Checked = Omit<Setup, 'keeping' | 'touchInterval'> & {
  readonly own: ReturnType<typeof readNew>
}

/** Checks the options, once, at the start. */
export function checkOptions(options: ExpressSessionOptions): Checked {
  const { genid = newSessionId, unset, cookie = {}, proxy } = options
  if (typeof genid !== 'function') throw invalid('genid option must be a function')
  if (unset !== undefined && unset !== 'destroy' && unset !== 'keep') {
    throw invalid('unset option must be "destroy" or "keep"')
  }
  if (typeof cookie !== 'function' && !isObject(cookie))
    throw invalid('cookie option must be an object or a function')
  warnOfUnknown(options)
  warnOfDefaults(options)
  const own = readNew(options)
  return {
    name: options.name || options.key || 'connect.sid',
    secrets: options.secret ? secretsOf(options.secret) : undefined,
    cookie: cookie as CookieInput | ((req: SessionRequest) => CookieInput),
    genid: genid as unknown as Setup['genid'],
    proxy,
    resave: options.resave ?? false,
    rolling: Boolean(options.rolling),
    saveUninitialized: options.saveUninitialized ?? false,
    unsetDestroys: unset === 'destroy',
    legacyErrors: own.legacyErrors,
    userOf: userFinder(own.userId ?? passportUser),
    own,
  }
}

function readNew(options: ExpressSessionOptions) {
  const names = Object.keys(newOptions) as NewName[]
  const given = Object.fromEntries(names.map((name) => [name, options[name]]))
  return readOptions(given, ofFunction('session()'), newOptions)
}

/** The store that was made for express-session, checked to be one. */
export function connectStore(value: unknown, name: string) {
  if (isObject(value) && ['get', 'set', 'destroy'].every((method) => typeof value[method] === 'function'))
    return value
  throw invalid(
    `The option ${name} of session() must be a store: one of express-sid such as redisStore(client), the manager that ` +
      `createSessions() made, or an instance of a store of express-session, with get, set and destroy; not ${show(value)}.`,
  )
}

/** express-session takes any option. An app that moves in must start, and its developer should know. */
function warnOfUnknown(options: object): void {
  const known: readonly string[] = [...itsOptions, ...Object.keys(newOptions)]
  for (const name of Object.keys(options).filter((one) => !known.includes(one))) {
    const meant = didYouMean(name, known)
    warnOnce(
      'SID_UNKNOWN_OPTION',
      `session() has no option ${show(name)}, so it does nothing.` + (meant ? ` Did you mean ${meant}?` : ''),
      name,
    )
  }
}

function warnOfDefaults({ resave, saveUninitialized }: ExpressSessionOptions): void {
  if (resave !== undefined && saveUninitialized !== undefined) return
  warnOnce(
    'SID_LEGACY_DEFAULTS',
    'session() was called without resave or saveUninitialized. In express-session 1 both are true by default; here, and ' +
      'in its version 2, they are false: what was not changed is not written, and an empty session gets no cookie. Set ' +
      'both, and this warning goes away. Where a visitor needs a cookie before anything is kept, set saveUninitialized: true.',
  )
}
