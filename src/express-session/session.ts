import type { RequestHandler } from 'express'
import { useDictionaryMode } from '../http/request/dictionary-mode.js'
import { SessionError } from '../errors.js'
import { checkOptions } from './check-options.js'
import { Cookie } from './classes/cookie.js'
import { Session } from './classes/session.js'
import { attachVisitor, type SessionObject, type SessionRequest } from './classes/types.js'
import { cookieOptionsOf } from './cookie/send.js'
import type { Secret } from './cookie/signature.js'
import { keepingFor } from './keeping/choose.js'
import { guardResponse } from './response/guard.js'
import type { Setup } from './setup.js'
import type { ExpressSessionOptions } from './types.js'
import { Visit } from './visit.js'

/**
 * Middleware that takes the place of express-session: the same options, the same cookie, the same `req.session`. With a
 * store of express-session it keeps the same records, so that sessions go on, and go back.
 *
 * @param options see `ExpressSessionOptions`.
 * @throws SessionError OPTION_INVALID, naming the option and the fix.
 * @example
 * import session from 'express-sid/express-session'
 * app.use(session({ secret: process.env.SESSION_SECRET, store: redisStore(client) }))
 */
export function session(options: ExpressSessionOptions = {}): RequestHandler {
  const checked = checkOptions(options)
  const keeping = keepingFor(options.store, checked)
  const setup: Setup = { ...checked, keeping, touchInterval: checked.own.touchInterval }
  const { store } = keeping
  store.generate = (req) => generate(req, setup)

  return function expressSession(request, res, next) {
    useDictionaryMode(request, res)
    const req = request as unknown as SessionRequest
    if (req.session || !keeping.isReady || !isUnderPath(req, setup)) return next()
    const secrets = setup.secrets ?? secretOfRequest(req)
    if (secrets === undefined) return next(secretMissing())
    req.sessionStore = store
    const visit = new Visit(setup, req, res, secrets, next)
    attachVisitor(req, visit)
    guardResponse(res, visit)
    keeping.begin(visit)
    visit.begin()
  }
}

/** Gives a request a new session: `store.generate()`. */
function generate(req: SessionRequest, setup: Setup): void {
  req.sessionID = setup.genid(req)
  const made = new Session(req) as SessionObject
  made.cookie = new Cookie(cookieOptionsOf(setup, req))
  req.session = made
}

/** Whether the browser would send the cookie here: only then is there a session. */
function isUnderPath(req: SessionRequest, { cookie }: Setup): boolean {
  const { path } = typeof cookie === 'function' ? cookie(req) : cookie
  if (path === undefined || path === '/') return true
  return pathOf(req.originalUrl ?? req.url ?? '').startsWith(path)
}

function pathOf(url: string): string {
  const path = url.startsWith('/') ? url : url.replace(/^[a-z][\w+.-]*:\/\/[^/?#]*/i, '')
  return path.split(/[?#]/, 1)[0] || '/'
}

/** Where cookie-parser has put its own secret. */
function secretOfRequest({ secret }: SessionRequest): readonly Secret[] | undefined {
  return typeof secret === 'string' && secret !== '' ? [secret] : undefined
}

function secretMissing(): SessionError {
  return new SessionError(
    'OPTION_INVALID',
    'secret option required for sessions: session({ secret: process.env.SESSION_SECRET }). Use the one that ' +
      'express-session had, or the cookies that are out there are worth nothing.',
  )
}
