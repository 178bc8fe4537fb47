import { randomUUID } from 'node:crypto'
import type { Request, RequestHandler, Response } from 'express'
import type { Engine } from '../../core/engine.js'
import type { End } from '../../core/ending.js'
import type { Sessions } from '../../core/sessions.js'
import type { UserId } from '../../core/user/user-id.js'
import { SessionError } from '../../errors.js'
import { invalid } from '../../lib/options/invalid.js'
import { callback } from '../../lib/options/option-kinds.js'
import { ofFunction, readOptions, type Place } from '../../lib/options/options.js'
import { isObject } from '../../lib/json/is-object.js'
import type { MaybePromise } from '../../store.js'
import type { Refused } from '../options.js'
import { refuseRequest } from '../refusal/refuse-request.js'
import { refusedOption } from '../refusal/refused-option.js'
import { stop } from '../refusal/stop.js'
import { stateOf } from '../request/session-of.js'
import { wiringOf } from '../wiring.js'
import { readLogoutToken, type LogoutClaims, type LogoutToken } from './logout-token.js'

export type { LogoutClaims } from './logout-token.js'

/** The options of `backchannelLogout()`. */
export interface BackchannelLogoutOptions {
  /**
   * Verifies a logout token, and returns its claims; rejects where the signature, the issuer, the audience or the time is
   * wrong. Use a library, such as jose.
   *
   * @example
   * verify: async (token) => (await jwtVerify(token, keys, { issuer, audience: clientId })).payload
   */
  readonly verify: (token: string) => MaybePromise<LogoutClaims>
  /**
   * Which user here the claims mean: the id that `login()` has got, or nothing for one who has none. Asked for tokens with
   * a `sub`. May be async.
   *
   * @example userId: ({ sub }) => sub
   */
  readonly userId: (claims: LogoutClaims) => MaybePromise<UserId | undefined>
  /**
   * Which session at the provider the claims mean, in the words of the login option `providerSession`. Default: the `sid`.
   *
   * @example providerSession: ({ iss, sid }) => sid && `${iss} ${sid}` // for several providers
   */
  readonly providerSession?: ((claims: LogoutClaims) => string | undefined) | undefined
  /**
   * The manager of the app. Then a store that can't list the sessions of a user is refused at start; without it, that shows
   * with the first token that names a user alone, as UNSUPPORTED (501). Default: none.
   */
  readonly sessions?: Sessions | undefined
  /** Sends what is refused: a token that is not good. Default: a 400 with JSON, as the standard says. */
  readonly refused?: Refused | undefined
}

const backchannelOptions = {
  verify: {
    kind: callback<BackchannelLogoutOptions['verify']>('(token) => jwtVerify(token, keys, checks)'),
    required: true,
    doc: 'verifies a logout token and returns its claims',
  },
  userId: {
    kind: callback<BackchannelLogoutOptions['userId']>('({ sub }) => sub'),
    required: true,
    doc: 'which user here the claims mean',
  },
  providerSession: {
    kind: callback<NonNullable<BackchannelLogoutOptions['providerSession']>>('({ sid }) => sid'),
    defaultText: '`({ sid }) => sid`',
    doc: 'which session at the provider the claims mean',
  },
  sessions: { kind: sessionsKind, doc: 'the manager, whose store is checked at start' },
  refused: refusedOption,
} as const

/** The manager, whose store must be able to list the sessions of a user. */
function sessionsKind(value: unknown, place: Place): Sessions {
  const wiring = wiringOf(value)
  if (wiring === undefined) return place.mustBe('the manager that createSessions() made')
  if (wiring.engine.records.canList) return wiring.sessions
  throw invalid(
    "backchannelLogout() needs a store that can list the sessions of a user, and this one can't: it has no listByUser, as " +
      'those of express-session. Use a store of express-sid such as redisStore(client). Where each token of your provider ' +
      'has the sid of a login that gave it as providerSession, nothing is listed: then leave sessions out.',
  )
}

type Settings = Pick<BackchannelLogoutOptions, 'verify' | 'userId' | 'providerSession'>

/** What a token is remembered for after it has expired: clocks differ. */
const MARGIN_MS = 600_000
/** The same for a token that does not expire. */
const KEPT_MS = 86_400_000

/**
 * A route handler for logouts that an OpenID provider tells of by itself (OpenID Connect Back-Channel Logout 1.0): it ends
 * the sessions that the logout token means. Mount it below `sessionMiddleware()` and a parser of forms, by POST.
 *
 * Only sessions whose login is older than the token end. With a `sid` those end that it has begun, as the login option
 * `providerSession` has said; without one, or where no login has said it, all of the user.
 *
 * Responds with 200; 400 for a token that is not good, has a `nonce`, lacks `events` or `aud`, or was seen before, on
 * whatever node; 405 for another method; 503 when the store fails: then the same token can be sent again. Needs a store
 * that lists sessions (501 UNSUPPORTED) for tokens that name a user alone.
 *
 * @throws SessionError OPTION_INVALID for an option that is missing or misspelt; also for a store that can't list the sessions
 * of a user, where `sessions` is given.
 * @example
 * const keys = createRemoteJWKSet(new URL('https://idp.example/jwks'))
 * const verify = async (token) => (await jwtVerify(token, keys, { issuer, audience })).payload
 * app.post('/auth/backchannel-logout', form, backchannelLogout({ sessions, verify, userId: ({ sub }) => sub }))
 */
export function backchannelLogout(options: BackchannelLogoutOptions): RequestHandler {
  refuseRequest(options, 'backchannelLogout({ verify, userId })')
  const example = '{ verify, userId: ({ sub }) => sub }'
  const settings = readOptions(options, ofFunction('backchannelLogout()', example), backchannelOptions)
  return function backchannelLogoutRoute(req, res, next) {
    perform(req, res, settings).catch((error: unknown) =>
      stop(req, res, next, error, settings.refused ?? sendOAuthError),
    )
  }
}

async function perform(req: Request, res: Response, settings: Settings): Promise<void> {
  res.setHeader('Cache-Control', 'no-store')
  if (req.method !== 'POST') return void res.status(405).set('Allow', 'POST').end()
  const token = await verified(logoutTokenOf(req), settings)
  const state = stateOf(req)
  const { engine } = state.wiring
  const { iss, jti, exp } = token
  const until = Math.max(Date.now(), exp === undefined ? Date.now() + KEPT_MS : exp * 1_000) + MARGIN_MS
  const mark = await engine.marks.put('logoutToken', [iss, jti], { seen: randomUUID() }, until)
  if (mark === undefined) throw notGood('It was sent before.')
  try {
    await endSessions(engine, token, settings, { cause: 'backchannelLogout', client: state.client() })
  } catch (error) {
    // The provider may send it again.
    await engine.marks.drop(mark).catch(() => undefined)
    throw error
  }
  res.status(200).end()
}

/** The token in the form that the provider has sent. */
function logoutTokenOf({ body }: Request): string {
  if (body === undefined) {
    throw invalid(
      'backchannelLogout() found no parsed body. Put express.urlencoded({ extended: false }) before it.',
    )
  }
  const token: unknown = isObject(body) ? body.logout_token : undefined
  if (typeof token === 'string' && token !== '') return token
  throw notGood('The request has no logout_token.')
}

async function verified(text: string, { verify }: Settings): Promise<LogoutToken> {
  let claims: unknown
  try {
    claims = await verify(text)
  } catch (cause) {
    throw notGood('It could not be verified.', cause)
  }
  const token = readLogoutToken(claims, Date.now())
  if (typeof token === 'string') throw notGood(token)
  return token
}

async function endSessions(
  engine: Engine,
  token: LogoutToken,
  { userId: userIdOf, providerSession }: Settings,
  end: End,
): Promise<void> {
  // Its time is in whole seconds, rounded down.
  const before = (token.iat + 1) * 1_000
  const begunBy = providerSession === undefined ? token.sid : providerSession(token)
  if (begunBy && (await engine.endProviderSession(begunBy, before, end)) !== undefined) return
  const userId = token.sub ? await userIdOf(token) : undefined
  if (userId !== undefined) await engine.revokeBefore(userId, before, end)
}

function notGood(why: string, cause?: unknown): SessionError {
  return new SessionError('LOGOUT_TOKEN_INVALID', `The logout token is not good. ${why}`, { cause })
}

/** As OpenID Connect Back-Channel Logout 1.0 §2.8 has it. What `verify` has said is for the log, not for the sender. */
function sendOAuthError(_req: Request, res: Response, _next: unknown, { message }: SessionError): void {
  const [error_description] = message.split(' Cause: ')
  res.status(400).json({ error: 'invalid_request', error_description })
}
