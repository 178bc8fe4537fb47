import express5, { type ErrorRequestHandler, type Express } from 'express'
import express4 from 'express4'
import {
  createSessions,
  login,
  logout,
  sessionMiddleware,
  sessionOf,
  type Refused,
  type SessionOptions,
  type Sessions,
} from 'express-sid'
import { FaultyStore, type Style } from './faulty-store.js'
import { ann } from './people.js'
import { Visitor, works, type VisitorOptions } from './visitor.js'

/** For `describe.each`: what holds must hold on both. */
export const expresses = [
  ['Express 5', express5],
  ['Express 4', express4],
] as const

export { express5 }

export type ExpressModule = (typeof expresses)[number][1]

export interface SiteOptions extends SessionOptions {
  /** How the store answers when it is well. */
  readonly style?: Style
}

export interface Site {
  readonly app: Express
  readonly sessions: Sessions
  /** What the sessions are kept in, unless a manager or a store was given. */
  readonly store: FaultyStore
  /** What reached the app's error handler, in order. */
  readonly errors: unknown[]
  readonly visitor: (options?: VisitorOptions) => Visitor
  /** A visitor who is logged in. Fails where that did not work. */
  readonly logIn: (options?: VisitorOptions) => Promise<Visitor>
}

/**
 * An app with the middleware, these routes, and an error handler that answers `{ code }` with the error's status.
 * After its own routes it has: GET and POST `/` say who is asking, `/login` logs ann in, `/logout` out, and
 * `/run` does the work that `visitor.run()` brings.
 */
export function site(
  express: ExpressModule,
  given: SiteOptions | Sessions = {},
  routes: (app: Express, sessions: Sessions) => void = () => undefined,
): Site {
  const { sessions, store } = managerOf(given)
  const app = express()
  const errors: unknown[] = []
  app.use(sessionMiddleware(sessions))
  routes(app, sessions)
  addRoutes(app)
  app.use(answerWithCode(errors))
  const visitor = (client?: VisitorOptions) => new Visitor(app, client)
  const logIn = async (client?: VisitorOptions) => {
    const one = visitor(client)
    const { status, text } = await one.login()
    if (status !== 200) throw new Error(`the login came to ${status}: ${text}`)
    return one
  }
  return { app, sessions, store, errors, visitor, logIn }
}

function managerOf(given: SiteOptions | Sessions): { sessions: Sessions; store: FaultyStore } {
  if ('revokeAll' in given) return { sessions: given, store: new FaultyStore() }
  const { style, ...options } = given
  const store = new FaultyStore(style)
  return { sessions: createSessions({ store, ...options }), store }
}

function addRoutes(app: Express): void {
  app.get('/', (req, res) => void res.json({ user: req.user ?? null, id: sessionOf(req).id ?? null }))
  app.post('/', (req, res) => void res.json({ user: req.user ?? null }))
  app.all(
    '/login',
    login(() => ann),
  )
  app.all('/logout', logout())
  app.all('/run', (req, res, next) => {
    const work = works[Number(req.get('X-Work'))]!
    const run = async () => work(sessionOf(req), req, res)
    run()
      .then((answer) => res.headersSent || res.json(answer ?? null))
      // Express 4 does not look after promises.
      .catch(next)
  })
}

/** The option `refused` of an application that handles refusals where all its errors are handled. */
export const toErrorHandler: Refused = (_req, _res, next, error) => next(error)

/** An error handler as an application would write it. */
export function answerWithCode(errors: unknown[] = []): ErrorRequestHandler {
  return (error: { status?: number; code?: string; message?: string }, _req, res, next) => {
    errors.push(error)
    if (res.headersSent) return next(error)
    res.status(error.status ?? 500).json({ code: error.code, message: error.message })
  }
}
