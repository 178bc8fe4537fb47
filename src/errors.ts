/**
 * Every error this package makes on purpose: its code, the HTTP status it asks for, and what went wrong.
 * Codes are stable; messages are for people and say the fix.
 */
const statusByCode = {
  /** An option of `createSessions`, a store or a helper is missing, misspelt or contradicts another. */
  OPTION_INVALID: 500,
  /** `sessionOf(req)` or a helper met a request that did not pass through `sessionMiddleware()`. */
  MIDDLEWARE_MISSING: 500,
  /** Two different managers were mounted on the way of one request. */
  MIDDLEWARE_TWICE: 500,
  /** What was to be logged in is not a JSON object with a usable id. */
  USER_INVALID: 500,
  /** `loadUser` threw, rejected or took longer than `storeTimeout`. */
  USER_LOAD_FAILED: 503,
  /** A data value or a key can't be kept as JSON. */
  DATA_INVALID: 500,
  /** A write to a session that has been logged out, revoked or has expired. */
  SESSION_ENDED: 401,
  /** The request's cookie is outdated: somebody has used a copy of it, or an old backup. */
  SECRET_REUSED: 401,
  /** The change needs a new cookie, and the response headers have been sent. No session was started. */
  HEADERS_SENT: 500,
  /** The store threw or rejected. */
  STORE_FAILED: 503,
  /** The store did not answer within `storeTimeout`. */
  STORE_TIMEOUT: 503,
  /** Too many calls to the store are still unanswered; this one was not sent. */
  STORE_BUSY: 503,
  /** A bounded store holds as many logins as it may. */
  STORE_FULL: 503,
  /** The store answered something that is not a session record. */
  RECORD_DAMAGED: 503,
  /** Other writers kept changing the session until `storeTimeout` ran out. */
  CONFLICT: 503,
  /** The manager was closed. */
  CLOSED: 503,
  /** The store can't do this at all. */
  UNSUPPORTED: 501,
  /** A state-changing request came from a page of another origin. */
  CROSS_ORIGIN: 403,
  /** `requireUser()` met a request without a user. */
  UNAUTHENTICATED: 401,
} as const

/** The stable name of a failure. Compare `error.code`, not classes: ESM and CommonJS copies have different classes. */
export type SessionErrorCode = keyof typeof statusByCode

/** An error with a stable `code`, the HTTP `status` that Express answers with, and the `cause` where there is one. */
export class SessionError extends Error {
  override readonly name = 'SessionError'
  readonly code: SessionErrorCode
  /** The HTTP status that Express' error handling reads. */
  readonly status: number
  /** Whether `message` may be shown to the client; the convention of http-errors. */
  readonly expose: boolean

  constructor(code: SessionErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.code = code
    this.status = statusByCode[code]
    this.expose = this.status < 500
  }
}

/** True for a `SessionError` of this or another copy of the package. */
export function isSessionError(error: unknown): error is SessionError {
  return error instanceof Error && error.name === 'SessionError' && 'code' in error && 'status' in error
}
