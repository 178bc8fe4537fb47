import type { Request } from 'express'
import type { Refused, Sessions } from '../index.js'
import { isObject } from '../lib/json/is-object.js'
import { invalid } from '../lib/options/invalid.js'
import { address, callback, text } from '../lib/options/option-kinds.js'
import { ofFunction, readOptions, type Kind } from '../lib/options/options.js'
import { readTexts, type AllTexts, type DeviceTexts } from './texts.js'

/** The options of `deviceRoutes()`. All are optional; all are checked at start. */
export interface DeviceRoutesOptions {
  /**
   * The manager of the app. Then a store that can't list the sessions of a user is refused at start; without it, that shows
   * with the first request, as UNSUPPORTED (501). Default: none.
   */
  readonly sessions?: Sessions | undefined
  /**
   * The login page of the app. A browser without a user is sent there, as by `requireUser({ loginPage })`, and so is one
   * that has just ended its own session. Default: none; a stranger gets a 401, and who has signed out goes to `/`.
   */
  readonly loginPage?: string | undefined
  /** A page of the app that the page of devices links back to. Default: no link. */
  readonly back?: string | undefined
  /**
   * A stylesheet of the app, by a path of this host: the place for the CSS variables that theme the page, such as
   * `--devices-accent`. Default: none. The page loads nothing then.
   */
  readonly stylesheet?: string | undefined
  /** What the page says, or a function that returns it for a request: one language or many. Default: English. */
  readonly texts?: DeviceTexts | ((req: Request) => DeviceTexts) | undefined
  /** Sends a refusal. Default: the option `refused` of `createSessions`. */
  readonly refused?: Refused | undefined
}

const textsKind: Kind<(req: Request) => AllTexts> = (value) => {
  if (typeof value === 'function') return (req) => readTexts((value as (req: Request) => unknown)(req))
  const texts = readTexts(value)
  return () => texts
}

/** The manager, whose store must be able to list the sessions of a user. */
const sessionsKind: Kind<Sessions> = (value, place) => {
  if (!isObject(value) || !isObject(value.can)) return place.mustBe('the manager that createSessions() made')
  if (value.can.listByUser === true) return value as unknown as Sessions
  throw invalid(
    "deviceRoutes() needs a store that can list the sessions of a user, and this one can't: it has no listByUser, as those " +
      'of express-session. Use a store of express-sid such as redisStore(client).',
  )
}

// No other origin: the page's Content-Security-Policy lets it load from its own host alone.
const isLocalPath = (path: string) => /^\/(?!\/)[^\\\s"<>]*$/.test(path)

const table = {
  sessions: { kind: sessionsKind, doc: 'the manager, whose store is checked at start' },
  loginPage: { kind: address('/login'), doc: 'the login page of the app' },
  back: { kind: address('/account'), doc: 'a page that the page of devices links back to' },
  stylesheet: {
    kind: text(isLocalPath, "the path of a stylesheet on this host, such as '/devices.css'"),
    doc: 'a stylesheet of the app',
  },
  texts: { kind: textsKind, default: {}, doc: 'what the page says' },
  refused: {
    kind: callback<Refused>('(req, res, next, error) => res.status(error.status).render("refused")'),
    doc: 'sends a refusal',
  },
} as const

/** The options, checked. `texts` is a function of the request. */
export type DeviceSettings = ReturnType<typeof readDeviceOptions>

/**
 * Checks the options of `deviceRoutes()`.
 *
 * @throws SessionError OPTION_INVALID, naming the option and the fix.
 */
export function readDeviceOptions(options: DeviceRoutesOptions) {
  return readOptions(options, ofFunction('deviceRoutes()', "{ loginPage: '/login' }"), table)
}
