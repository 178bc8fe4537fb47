import { SessionError } from '../../errors.js'

export function sessionEnded(): SessionError {
  return new SessionError(
    'SESSION_ENDED',
    'This session has ended (logout, revocation or expiry), so nothing can be written to it. Log in again first.',
  )
}

export function unauthenticated(): SessionError {
  return new SessionError('UNAUTHENTICATED', 'Log in to see this.')
}

/** The same for whoever reads the log: a route that takes a user for granted. */
export function nobodyLoggedIn(): SessionError {
  return new SessionError(
    'UNAUTHENTICATED',
    'Nobody is logged in. Put requireUser() before this route: it responds for the route, or asks for a login.',
  )
}

export function headersSent(): SessionError {
  return new SessionError(
    'HEADERS_SENT',
    'This needs a new cookie, and the response headers have been sent, or it is a WebSocket, which can set none. ' +
      'Await it before the response begins.',
  )
}

export function sessionRefused(): SessionError {
  return new SessionError(
    'SESSION_REFUSED',
    'This browser holds a login that this request may not use: it comes from another client (onClientChange), or with ' +
      'several logins at once. Nothing was written, since a new cookie would replace that login. Log in again, or log out.',
  )
}
