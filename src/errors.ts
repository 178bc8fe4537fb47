import { causeText } from './lib/text/cause-text.js'

/** All error codes, each with the HTTP status that Express responds with, what went wrong, and what to do. */
const statusByCode = {
  /**
   * An option is missing, misspelt, of the wrong type, or contradicts another one. Nearly always thrown at
   * start. The message names the option and the fix.
   */
  OPTION_INVALID: 500,
  /**
   * `sessionOf(req)` or a route helper met a request that did not pass through `sessionMiddleware()`. Mount it
   * above the route.
   */
  MIDDLEWARE_MISSING: 500,
  /**
   * The user to log in is not a JSON object with a usable id. The option `userId` says where the id is,
   * `serializeUser` picks what is kept.
   */
  USER_INVALID: 500,
  /**
   * `loadUser` threw, rejected or took longer than `storeTimeout`. The `cause` tells why. The session lives on.
   */
  USER_LOAD_FAILED: 503,
  /**
   * A data value or its key can't be stored as JSON. Pick plain data, await promises, and remove a value with
   * `delete()`.
   */
  DATA_INVALID: 500,
  /**
   * The data of a session would take more than `maxDataBytes`, so the write was refused. Keep large values elsewhere,
   * and limit what visitors can add.
   */
  DATA_TOO_LARGE: 413,
  /** A write to a session that has been logged out, revoked or has expired. The user must log in again. */
  SESSION_ENDED: 401,
  /**
   * The request's cookie is outdated: somebody has used a copy of it, or an old backup of the browser. The user must
   * log in again.
   */
  SECRET_REUSED: 401,
  /**
   * The session is bound to its device, and this request does not come from there, or comes late: its bound cookie is
   * missing or out of date. The cookie may have been copied. A browser renews it by itself; otherwise the user must
   * log in again.
   */
  BINDING_REQUIRED: 401,
  /**
   * The same, and the browser says that it could not renew the bound cookie now. Ask again later: the session
   * lives on.
   */
  BINDING_UNAVAILABLE: 503,
  /** The session is not bound to a device, and this route wants one that is. */
  UNBOUND: 403,
  /**
   * The change needs a new cookie, but the response headers have been sent, or the request is a WebSocket, which can set
   * none. No session was started. Await the change before the response begins.
   */
  HEADERS_SENT: 500,
  /**
   * The store threw or rejected. The `cause` tells why. Nothing has to be restarted: requests work again once
   * the store does.
   */
  STORE_FAILED: 503,
  /** The store did not respond within `storeTimeout`. Look at the store, or raise `storeTimeout`. */
  STORE_TIMEOUT: 503,
  /**
   * Too many calls wait for a response of the store, so this one was not sent. Look at the store. Requests work
   * again once it responds.
   */
  STORE_BUSY: 503,
  /** The memory store is full of logins. Raise `maxSessions`, or use another store. */
  STORE_FULL: 503,
  /**
   * The store returned something that is not a session record. Revoke that session, and find out what else
   * writes to the store.
   */
  RECORD_DAMAGED: 503,
  /**
   * Other requests kept changing the same session until `storeTimeout` ran out, so this write was given up.
   * Write less often.
   */
  CONFLICT: 503,
  /**
   * The user was changed by `updateUser()`, or their credentials were, while this login was under way. Nothing was
   * started, since it would have kept the user of before. Log in again.
   */
  USER_CHANGED: 503,
  /**
   * The user has as many sessions as `maxSessions` allows, and `whenFull` is `'refuse'`. They must log out on another
   * device first. Tell this only to who has proven to be that user.
   */
  SESSIONS_FULL: 403,
  /** `actAs()` is refused: `mayActAs` has not returned true. Without that option nobody may act as another user. */
  ACT_AS_REFUSED: 403,
  /**
   * Somebody acts as another user in this session, and what was called needs that user themselves: to confirm who it is, to
   * change credentials, to act as a third one. Call `stopActing()` first.
   */
  ACTING: 403,
  /** `stopActing()` in a session in which nobody acts as somebody else. */
  NOT_ACTING: 409,
  /** The manager was closed. Close it after the HTTP server has stopped. */
  CLOSED: 503,
  /**
   * The store can't do this at all: stores of express-session can't list the sessions of a user. Use a store of
   * this package.
   */
  UNSUPPORTED: 501,
  /**
   * A request that changes state came from a page of another origin. The message says what the browser sent,
   * and which option allows it.
   */
  CROSS_ORIGIN: 403,
  /**
   * A token for `Authorization` was asked for (`bearer`) in a request that carries a session cookie, or would be given one.
   * Send it without cookies: `fetch(url, { credentials: 'omit' })`.
   */
  BEARER_REFUSED: 400,
  /**
   * `backchannelLogout()` was sent something that is no good logout token, or one that it has seen before. No session was
   * ended. The message says why.
   */
  LOGOUT_TOKEN_INVALID: 400,
  /** `requireUser()` met a request without a user. The visitor must log in. */
  UNAUTHENTICATED: 401,
  /**
   * `requireRecentLogin()` met a user who has not proven for too long, or not by the right method, who they are. They
   * must do so again: `sessionOf(req).reauthenticate()` or the route helper `reauthenticate()`.
   */
  REAUTHENTICATION_REQUIRED: 401,
  /**
   * Somebody else than the user of the session has proven who they are, where that user had to. The session is as it was.
   * Log in as that user, or log out first.
   */
  OTHER_USER: 403,
  /**
   * A write of a request that may not use the login which its browser holds: it comes from another client
   * (`onClientChange`), or with several logins. It would start a guest, whose cookie replaces that login. The visitor
   * must log in again.
   */
  SESSION_REFUSED: 401,
} as const

/**
 * The stable name of a failure, listed here with its HTTP status. Each has a [page](errors/index.md), which is in the
 * package too. Compare `error.code`, not classes: the ESM and the
 * CommonJS copy of this package have different classes.
 *
 * @example
 * app.use((error, req, res, next) => {
 *   if (error.code === 'STORE_FAILED') return res.status(503).render('back-soon')
 *   next(error)
 * })
 */
export type SessionErrorCode = keyof typeof statusByCode

/**
 * Every error that this package makes. It has a stable `code`, the HTTP `status` for the response, a message for
 * developers that says the fix, and the `cause` where there is one. The message ends with what the cause says, without
 * what looks like a secret.
 *
 * An error with a status below 500 is an expected refusal. The middleware and the route helpers send it themselves, or
 * call the option `refused`. It does not reach the app's error handler.
 *
 * An error with a status of 500 or more is not for visitors: `expose` is false, and the message names the `page` of the
 * code, which is in this package. Express's own error page shows the
 * message unless `NODE_ENV` is `production`.
 */
export class SessionError extends Error {
  /** Always `SessionError`, in both copies of the package. */
  override readonly name = 'SessionError'
  /** Which failure it is. */
  readonly code: SessionErrorCode
  /** The HTTP status of the response: Express's error handling reads it. */
  readonly status: number
  /** The same number, under the name that other frameworks read: NestJS, Fastify, and what follows http-errors. */
  readonly statusCode: number
  /** The page about this code, as a path in the installed packages: `express-sid/docs/errors/STORE_FAILED.md`. */
  readonly page: string
  /** Whether `message` may be shown to the client, by the convention of http-errors: true below 500. */
  readonly expose: boolean

  constructor(code: SessionErrorCode, message: string, options?: { cause?: unknown }) {
    super(withCause(withPage(code, message), options?.cause), options)
    this.code = code
    this.status = statusByCode[code]
    this.statusCode = this.status
    this.page = pageOf(code)
    this.expose = this.status < 500
  }
}

function pageOf(code: SessionErrorCode): string {
  return `express-sid/docs/errors/${code}.md`
}

/** A message below 500 may be shown to visitors, who have no use for a page of ours. */
function withPage(code: SessionErrorCode, message: string): string {
  return statusByCode[code] < 500 ? message : `${message} See ${pageOf(code)}.`
}

/** Many print an error's stack only, and Express 4 is one of them. So the message itself says what has failed below. */
function withCause(message: string, cause: unknown): string {
  const text = causeText(cause)
  return text === undefined ? message : `${message} Cause: ${text}`
}

/** True for a `SessionError` of this or another copy of the package. */
export function isSessionError(error: unknown): error is SessionError {
  return error instanceof Error && error.name === 'SessionError' && 'code' in error && 'status' in error
}
