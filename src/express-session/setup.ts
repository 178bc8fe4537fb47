import type { Secret } from './cookie/signature.js'
import type { CookieInput } from './classes/cookie.js'
import type { SessionRequest } from './classes/types.js'
import type { Keeping } from './keeping/keeping.js'

/** Whose session it is, as `userId` found it in the session's values. */
export type FoundUser = { readonly id: string | number; readonly kept: object | undefined }

/** The options of `session()`, checked and decided. */
export interface Setup {
  readonly name: string
  /** Absent: taken from `req.secret`, where cookie-parser has put it. */
  readonly secrets: readonly Secret[] | undefined
  readonly cookie: CookieInput | ((req: SessionRequest) => CookieInput)
  readonly genid: (req: SessionRequest) => string
  readonly proxy: boolean | undefined
  readonly resave: boolean
  readonly rolling: boolean
  readonly saveUninitialized: boolean
  readonly unsetDestroys: boolean
  readonly legacyErrors: boolean
  readonly touchInterval: number | undefined
  readonly userOf: (data: Record<string, unknown>) => FoundUser | undefined
  /** Where sessions are kept. */
  readonly keeping: Keeping
}
