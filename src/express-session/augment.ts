import type * as expressSession from 'express-session'

/** The methods of `req.session` return a promise where they are given no callback. */
declare module 'express-session' {
  interface Session {
    save(): Promise<void>
    reload(): Promise<void>
    destroy(): Promise<void>
    regenerate(): Promise<void>
  }
}

export type Augmented = expressSession.Session
