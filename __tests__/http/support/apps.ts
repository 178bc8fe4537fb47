import express5, {
  type ErrorRequestHandler,
  type Express,
  type Request,
  type RequestHandler,
  type Response,
} from 'express'
import express4 from 'express4'
import { wiringOf } from '../../../src/http/wiring.js'
import { createSessions, sessionMiddleware, type SessionOptions, type Sessions } from 'express-sid'

/** For `describe.each`: what holds must hold on both. */
export const expresses = [
  ['Express 5', express5],
  ['Express 4', express4],
] as const

export type ExpressModule = (typeof expresses)[number][1]

export interface Made {
  readonly app: Express
  readonly sessions: Sessions
  /** What reached the app's error handler, in order. */
  readonly errors: unknown[]
}

/** An app with the middleware, the routes, and an error handler that answers `{ code }` with the error's status. */
export function makeApp(
  express: ExpressModule,
  given: SessionOptions | Sessions | undefined,
  routes: (app: Express, sessions: Sessions) => void,
): Made {
  const sessions = isManager(given) ? given : createSessions(given)
  const app = express()
  const errors: unknown[] = []
  app.use(sessionMiddleware(sessions))
  routes(app, sessions)
  app.use(answerWithCode(errors))
  return { app, sessions, errors }
}

function isManager(given: SessionOptions | Sessions | undefined): given is Sessions {
  return wiringOf(given) !== undefined
}

/** An error handler as an application would write it. */
export function answerWithCode(errors: unknown[] = []): ErrorRequestHandler {
  return (error: { status?: number; code?: string; message?: string }, _req, res, next) => {
    errors.push(error)
    if (res.headersSent) return next(error)
    res.status(error.status ?? 500).json({ code: error.code, message: error.message })
  }
}

/** An async route that works on Express 4 too: what it throws goes to the error handler. */
export function route(handler: (req: Request, res: Response) => unknown): RequestHandler {
  return (req, res, next) => {
    ;(async () => handler(req, res))().catch(next)
  }
}

interface WithHeaders {
  readonly headers: Record<string, unknown>
}

/** All `Set-Cookie` lines of a response. */
export function setCookies(res: WithHeaders): string[] {
  return [res.headers['set-cookie'] ?? []].flat() as string[]
}

/** The cookie that the response gave, as the browser sends it back. Fails where there is none. */
export function cookieOf(res: WithHeaders): string {
  const [line] = setCookies(res)
  if (line === undefined) throw new Error('the response sets no cookie')
  return line.slice(0, line.indexOf(';'))
}

/** The token alone. */
export function tokenOf(res: WithHeaders): string {
  const cookie = cookieOf(res)
  return cookie.slice(cookie.indexOf('=') + 1)
}

/** The public id of the session that the response's cookie opens. */
export function idOf(res: WithHeaders): string {
  return tokenOf(res).slice(0, 36)
}

/** What browsers of three engines say of themselves. */
export const agents = {
  chrome:
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36',
  newerChrome:
    'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  firefox: 'Mozilla/5.0 (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0',
}
