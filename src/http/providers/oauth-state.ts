import { randomBytes } from 'node:crypto'
import type { Request } from 'express'
import { duration, integer } from '../../lib/options/option-kinds.js'
import { ofFunction, readOptions } from '../../lib/options/options.js'
import { isSessionError } from '../../errors.js'
import { asJson } from '../../lib/json/json.js'
import { isObject } from '../../lib/json/is-object.js'
import type { Duration } from '../options.js'
import { dataValue, valueOf, withoutKey, withValue } from '../request/data.js'
import { stateOf } from '../request/session-of.js'
import { rememberReturnTo, returnToOf } from '../routes/return-to.js'
import type { Json, JsonObject } from '../../record.js'

/** The options of `oauthState()`. All are optional. */
export interface OAuthStateOptions {
  /** How long a visitor may stay at the provider. Default `'10m'`. */
  readonly timeout?: Duration | undefined
  /** How many logins one browser may have begun at a time, as in several tabs. The oldest give way. Default 8. */
  readonly maxPending?: number | undefined
}

/**
 * Keeps what a login needs on its way to a provider and back. `store` and `verify` are what strategies of passport call;
 * `begin` and `finish` are the same for your own code.
 */
export interface OAuthState {
  /**
   * Keeps a value, and `?returnTo=` of this request, in the browser's session. Without one it starts a guest's.
   *
   * @returns the state: a new random value, for the parameter `state` of the request to the provider.
   * @example const state = await pending.begin(req, { nonce, verifier })
   */
  begin(req: Request, kept?: unknown): Promise<string>

  /**
   * The value that was kept under this state; `undefined` where this browser has begun no such login, where it was
   * finished before, or where it took longer than `timeout`. From now on `login()` goes back to the `?returnTo=` of then.
   *
   * @example const kept = await pending.finish(req, req.query.state)
   */
  finish<T = Json>(req: Request, state: unknown): Promise<T | undefined>

  /** Called by strategies, on the way to the provider. Each has types of its own for what it gives. */
  // oxlint-disable-next-line typescript/no-explicit-any -- see above
  store(req: Request, ...given: any[]): void

  /** Called by strategies, on the way back. */
  // oxlint-disable-next-line typescript/no-explicit-any -- see above
  verify(req: Request, ...given: any[]): void
}

type Done = (error: unknown, ...results: unknown[]) => void

const oauthStateOptions = {
  timeout: {
    kind: duration({ min: 1, words: 'longer than 0' }),
    default: '10m',
    doc: 'how long a visitor may stay at the provider',
  },
  maxPending: {
    kind: integer(1, 100),
    default: 8,
    doc: 'how many logins a browser may have begun at a time',
  },
} as const

/** The key of a session's data under which all of them are. */
const KEY = 'oauthState'

/** A login that has begun: see `begin`. Dates are kept as text. */
interface Pending {
  readonly state: string
  readonly until: number
  readonly kept: Json
  readonly returnTo?: string | undefined
}

/**
 * A state store for the strategies of passport that visit a provider (passport-oauth2 and what is built on it,
 * passport-openidconnect), and for your own code with openid-client. It needs no `req.session`: what it keeps is in the
 * data of the browser's session, a guest's or a login's. So another browser's state is of no use: nobody can be logged in
 * as somebody else by a link (RFC 9700 §4.7).
 *
 * Each state is good once, for ten minutes, and a browser has at most eight of them.
 *
 * @throws SessionError OPTION_INVALID for a misspelt option.
 * @example
 * new OAuth2Strategy({ …, store: oauthState(), pkce: true }, verify)
 */
export function oauthState(options: OAuthStateOptions = {}): OAuthState {
  const settings = readOptions(options, ofFunction('oauthState()', "{ timeout: '5m' }"), oauthStateOptions)

  async function begin(req: Request, kept?: unknown): Promise<string> {
    const state = randomBytes(24).toString('base64url')
    const entry: Pending = {
      state,
      until: Date.now() + settings.timeout,
      kept: kept === undefined ? true : dataValue(KEY, kept),
      returnTo: returnToOf(req),
    }
    await stateOf(req).write((data) => {
      const all = [...alive(pendingIn(data)), entry].slice(-settings.maxPending)
      return withValue(data, KEY, dataValue(KEY, all))
    })
    return state
  }

  async function finish<T>(req: Request, state: unknown): Promise<T | undefined> {
    if (typeof state !== 'string') return undefined
    let found: Pending | undefined
    const take = (data: JsonObject): JsonObject => {
      const pending = pendingIn(data)
      found = alive(pending).find((one) => one.state === state)
      if (!pending.some((one) => one.state === state)) return data
      const rest = pending.filter((one) => one.state !== state)
      return rest.length === 0 ? withoutKey(data, KEY) : withValue(data, KEY, dataValue(KEY, rest))
    }
    try {
      await stateOf(req).writeHeld(take)
    } catch (error) {
      // Another request has just finished a login of this browser, and so has ended the guest.
      if (isSessionError(error) && error.code === 'SESSION_ENDED') return undefined
      throw error
    }
    if (found?.returnTo !== undefined) rememberReturnTo(req, found.returnTo)
    return found?.kept as T | undefined
  }

  return { begin, finish, ...forStrategies(begin, finish) }
}

/** Told to the visitor by nobody: it is the `reason` of the event `loginRefused`. */
const unknownState = {
  message: 'This browser has begun no login with this state, or has finished it before.',
}

/** The two methods that strategies call. They count the parameters of both, so these are as many as they are. */
function forStrategies(
  begin: OAuthState['begin'],
  finish: OAuthState['finish'],
): Pick<OAuthState, 'store' | 'verify'> {
  return {
    store(req, kept: unknown, appState: unknown, meta: unknown, done: Done) {
      // A state of one provider is no good at another's callback (RFC 9700 §4.4).
      const work = begin(
        req,
        asJson({ kept: kept ?? true, appState: appState ?? null, of: providerOf(meta) }),
      )
      work.then(
        (state) => done(null, state),
        (error: unknown) => done(error),
      )
    },
    verify(req, state: unknown, meta: unknown, done?: Done) {
      const tell = done ?? (meta as Done)
      const provider = done === undefined ? undefined : providerOf(meta)
      const work = finish<{ kept: Json; appState: Json; of: string }>(req, state)
      work.then(
        (found) => {
          const isOurs = found !== undefined && (provider === undefined || found.of === provider)
          if (isOurs) tell(null, withDate(found.kept), found.appState ?? undefined)
          else tell(null, false, unknownState)
        },
        (error: unknown) => tell(error),
      )
    },
  }
}

/** Which client of which provider a strategy speaks of. */
function providerOf(meta: unknown): string {
  const { clientID, tokenURL } = isObject(meta) ? meta : {}
  return `${String(clientID)} ${String(tokenURL)}`
}

/** passport-openidconnect keeps the time of the request, and takes it back as a Date. */
function withDate(kept: Json): unknown {
  if (!isObject(kept) || typeof kept.issued !== 'string') return kept
  return { ...kept, issued: new Date(kept.issued) }
}

function pendingIn(data: JsonObject): readonly Pending[] {
  const all = valueOf<Pending[]>(data, KEY)
  return Array.isArray(all) ? all : []
}

function alive(pending: readonly Pending[]): readonly Pending[] {
  return pending.filter(({ until }) => Date.now() < until)
}
