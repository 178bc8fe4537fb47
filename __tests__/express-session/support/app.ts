import expressSession from 'express-session'
import express5, { type Express, type Request, type RequestHandler } from 'express'
import express4 from 'express4'
import { createSessions, memoryStore, type Sessions } from 'express-sid'
import session, { MemoryStore, type ExpressSessionOptions } from 'express-sid/express-session'

export const secret = 'keyboard cat'

/** What the drop-in keeps sessions in, new for each test. */
export const stores = {
  'memoryStore()': () => memoryStore(),
  'a manager': () => createSessions({ store: memoryStore() }),
  MemoryStore: () => new MemoryStore(),
  'the MemoryStore of express-session': () => new expressSession.MemoryStore(),
} satisfies Record<string, () => unknown>

export const everyStore = Object.entries(stores) as [
  string,
  () => NonNullable<ExpressSessionOptions['store']>,
][]
/** One of ours, and one that is not. */
export const everyPlace = [
  ['a store of this package', () => createSessions({ store: memoryStore() })],
  ['a store of express-session', () => new expressSession.MemoryStore()],
] as const
export const everyExpress = [
  ['Express 5', express5],
  ['Express 4', express4],
] as const

export type Routes = Readonly<Record<string, RequestHandler>>

export interface AppOptions extends ExpressSessionOptions {
  readonly express?: typeof express5
}

/** An app with the drop-in and these routes. Its error handler responds with the status and the code of the error. */
export function app(
  options: AppOptions,
  routes: Routes,
  before: RequestHandler[] = [],
): Express & { errors: unknown[] } {
  const { express = express5, ...rest } = options
  const made = Object.assign(express(), { errors: [] as unknown[] })
  for (const one of before) made.use(one)
  made.use(session({ secret, resave: false, saveUninitialized: false, ...rest }))
  for (const [path, handler] of Object.entries(routes)) made.all(path, handler)
  const onError: express5.ErrorRequestHandler = (
    error: Error & { status?: number; code?: string },
    _req,
    res,
    _next,
  ) => {
    made.errors.push(error)
    if (res.headersSent) res.destroy()
    else res.status(error.status ?? 500).json({ code: error.code, message: error.message })
  }
  made.use(onError)
  return made
}

/** The manager that stands behind a store of the tests, where there is one. */
export function managerOf(store: unknown): Sessions | undefined {
  return typeof (store as Sessions).revokeAll === 'function' ? (store as Sessions) : undefined
}

/** What a session holds, as JSON: for the body of a response. */
export function valuesOf(one: object): object {
  const { cookie: _cookie, ...values } = JSON.parse(JSON.stringify(one)) as { cookie?: unknown }
  return values
}

/** A parameter of the query. */
export function param(req: Request, name: string): string {
  const value = req.query[name]
  return typeof value === 'string' ? value : ''
}
