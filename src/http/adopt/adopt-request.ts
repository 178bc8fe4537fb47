import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Request } from 'express'
import type { Adopted, Adoption, OldLogin } from '../../core/adoption/adoption.js'
import { queueMicrotask } from '../../lib/async/timers.js'
import { isToken } from '../../core/token.js'
import { undecided, type Verdict } from '../../core/verdict.js'
import { isSessionError, SessionError } from '../../errors.js'
import { refusalOf } from '../origin/refusal.js'
import type { SessionState } from '../request/session-state.js'
import { clearOldCookies, oldCookieOf } from './old-cookies.js'
import type { AdoptSettings } from './options.js'

/** Whether a request may start a session by an old cookie: one without a login, of a page that somebody has opened. */
export function mayAdopt(req: IncomingMessage, state: SessionState, adopt: AdoptSettings): boolean {
  // Whoever asks for a token in the body gets no cookie beside it.
  if (state.takesBearer || !state.hasNoLogin || !state.takesToken() || Date.now() >= adopt.until) return false
  if (req.method === 'HEAD' || req.method === 'OPTIONS') return false
  if (oldCookieOf(req.headers.cookie, adopt) === undefined) return false
  // A form of another site: as a stranger's it can do nothing in the visitor's name.
  return refusalOf(req, state.wiring.settings.trustedOrigins) === undefined
}

/**
 * Asks the application who holds the old cookie, and starts their session or finds the one that was started a moment ago.
 * The response gets the new cookie, and the old ones are cleared.
 *
 * @param settle called exactly once, with the verdict; `undefined` where the request stays a stranger's.
 */
export function adoptRequest(
  req: IncomingMessage,
  res: ServerResponse,
  state: SessionState,
  adopt: AdoptSettings,
  settle: (verdict: Verdict | undefined) => void,
): void {
  // What `settle` throws is the application's, and no rejection of ours.
  const later = (verdict: Verdict | undefined) => queueMicrotask(() => settle(verdict))
  adoptedVerdict(req, res, state, adopt).then(later, (error: unknown) => later(undecided(error)))
}

async function adoptedVerdict(
  req: IncomingMessage,
  res: ServerResponse,
  state: SessionState,
  adopt: AdoptSettings,
): Promise<Verdict | undefined> {
  const { engine } = state.wiring
  const user = await userOfOldCookie(req as Request, adopt)
  if (!user) return undefined
  const cookie = oldCookieOf(req.headers.cookie, adopt)!
  const client = state.client()
  const lifetime = await state.lifetimeOf(user)
  const started = await start(engine.adoption!, { user, cookie, client, lifetime })
  if (started === undefined) return undefined
  if (!res.headersSent) clearOldCookies(res, req.headers.cookie, adopt)
  if (started === 'closed') return undefined
  // A guest of this browser is replaced, as by a login.
  await engine.end(state.held, { cause: 'login', client })
  // From here on it is a session as any other: the client is compared, and the user is loaded.
  const values = [started.token].filter(isToken)
  const verdict = await new Promise<Verdict>((resolve) => engine.identify(values, state, resolve))
  return verdict.record === undefined ? verdict : { ...verdict, token: verdict.token ?? started.token }
}

/** The session; nothing where the user has as many as `maxSessions` allows: then the visitor stays a stranger. */
async function start(adoption: Adoption, login: OldLogin): Promise<Adopted | undefined> {
  try {
    return await adoption.adopt(login)
  } catch (error) {
    if (isSessionError(error) && error.code === 'SESSIONS_FULL') return undefined
    throw error
  }
}

async function userOfOldCookie(req: Request, adopt: AdoptSettings): Promise<object | undefined> {
  try {
    return (await adopt.user(req)) || undefined
  } catch (cause) {
    if (isSessionError(cause)) throw cause
    throw new SessionError('USER_LOAD_FAILED', 'adopt.user failed. Nothing was started.', { cause })
  }
}
