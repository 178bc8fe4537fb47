import { createSessions } from '../../http/create-sessions.js'
import type { CookieSettings } from '../../http/cookie/options.js'
import { wiringOf, type Wiring } from '../../http/wiring.js'
import { invalid } from '../../lib/options/invalid.js'
import { isObject } from '../../lib/json/is-object.js'
import type { SessionStore } from '../../store.js'
import type { ExpressSessionStore } from '../../stores/adapted/calls.js'
import { connectStore, type Checked } from '../check-options.js'
import type { CookieInput } from '../classes/cookie.js'
import { createSession } from '../classes/store.js'
import type { StoreObject } from '../classes/types.js'
import { legacyForm } from '../cookie/legacy-cookie.js'
import { cookieOptionsOf } from '../cookie/send.js'
import type { Secret } from '../cookie/signature.js'
import { ManagedKeeping } from '../managed/managed-keeping.js'
import { ManagedStore } from '../managed/managed-store.js'
import { TakeOver } from '../managed/take-over.js'
import { ConnectKeeping } from './connect-keeping.js'
import type { Keeping } from './keeping.js'

/** Chooses how sessions are kept, by what was given as the option `store`. */
export function keepingFor(store: unknown, checked: Checked): Keeping {
  const given = store instanceof ManagedStore ? store : undefined
  const wiring = given?.wiring ?? wiringOf(store) ?? wiringOfStore(store, checked)
  if (wiring === undefined) return connectKeeping(connectStore(store, 'store'), checked)
  if (checked.own.shared) {
    throw invalid(
      'The option shared of session() is for stores of express-session. This store needs no marks: leave it out.',
    )
  }
  if (wiring.settings.deviceBinding !== undefined) {
    throw invalid(
      'session() can not serve a manager with deviceBinding: the cookie of express-session is no bound one. Use ' +
        'sessionMiddleware(), or leave deviceBinding out.',
    )
  }
  return managedKeeping(wiring, checked, given)
}

function connectKeeping(given: object, { own }: Checked): Keeping {
  const needOurs = (['rotateEvery', 'maxDataBytes', 'migrateFrom'] as const).find((name) => own[name])
  if (needOurs !== undefined) {
    throw invalid(
      `The option ${needOurs} of session() needs a store of express-sid, such as redisStore(client).`,
    )
  }
  const store = given as StoreObject
  // Plain objects are stores, too.
  store.createSession ??= createSession
  return new ConnectKeeping(store, own)
}

/** A manager for a store that was given alone, or for none. */
function wiringOfStore(store: unknown, { own }: Checked): Wiring | undefined {
  const isOurs = isObject(store) && typeof store.insert === 'function' && typeof store.update === 'function'
  if (store !== undefined && !isOurs) return undefined
  const idleTimeout = own.idleTimeout ?? '7d'
  const { absoluteTimeout = '400d', touchInterval, storeTimeout, rotateEvery } = own
  const sessions = createSessions({
    store: store as SessionStore | undefined,
    idleTimeout,
    guestIdleTimeout: idleTimeout,
    absoluteTimeout,
    touchInterval,
    storeTimeout,
    rotateEvery,
    maxDataBytes: own.maxDataBytes ?? Number.MAX_SAFE_INTEGER,
    // As in express-session, which does not look at the client. A manager of one's own can.
    onClientChange: { engine: 'report', network: 'report' },
  })
  return wiringOf(sessions)
}

function managedKeeping(wiring: Wiring, checked: Checked, given: ManagedStore | undefined): Keeping {
  const settings = { ...wiring.settings, cookie: cookieSettings(checked) }
  const { migrateFrom } = checked.own
  const defaults = (req?: object): CookieInput =>
    req === undefined && typeof checked.cookie === 'function' ? {} : cookieOptionsOf(checked, req as never)
  const options = { userOf: checked.userOf, cookieFor: defaults }
  const taking =
    migrateFrom && new TakeOver(wiring.engine, migrateFrom as unknown as ExpressSessionStore, checked.userOf)
  const store = given ?? new ManagedStore(wiring)
  store.configure({ ...options, taking })
  return new ManagedKeeping({ ...wiring, settings }, store, options.cookieFor)
}

/** The cookie as `sessionOf(req).login()` writes it, in a route that has moved. */
function cookieSettings({ name, cookie, secrets }: Checked): CookieSettings {
  const fixed = (typeof cookie === 'function' ? {} : cookie) as Omit<CookieInput, 'secure'> & {
    secure?: unknown
  }
  const { secure, sameSite, domain, path = '/', priority, partitioned = false, maxAge } = fixed
  const isAuto = secure === 'auto'
  return {
    byRequest: isAuto,
    onSecureRequest: { name, secure: isAuto || secure === true },
    onPlainRequest: { name, secure: secure === true },
    sameSite: sameSite === 'strict' || sameSite === 'none' ? sameSite : sameSite === true ? 'strict' : 'lax',
    domain,
    path,
    priority,
    partitioned,
    persistent: typeof maxAge === 'number',
    form: legacyForm(secrets ?? ([] as Secret[])),
  }
}
