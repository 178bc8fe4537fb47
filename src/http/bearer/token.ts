import type { IncomingMessage } from 'node:http'
import { isToken, type TokenText } from '../../core/token.js'

/**
 * The token in `Authorization: Bearer …` (RFC 6750 §2.1). Only a value with the shape of our token counts: any other
 * Authorization is the application's own, such as Basic, or the token of another service.
 *
 * @example bearerToken(req) // undefined for 'Basic YW5uOng=' and for 'Bearer eyJhbGciOi…'
 */
export function bearerToken({ headers }: IncomingMessage): TokenText | undefined {
  const header = headers.authorization
  // The name of a scheme is of any case, and one blank or more follows it (RFC 9110 §11.1).
  const value = header === undefined ? undefined : /^bearer +(\S+)$/i.exec(header)?.[1]
  return value !== undefined && isToken(value) ? value : undefined
}

/** The header by which a client asks for the token in the body of a login's response: `Session-Via: bearer`. */
export const ASK = 'session-via'

/** Whether the client asks for a token in the body. No page of another origin can send this header unless CORS lets it. */
export function asksForBearer({ headers }: IncomingMessage): boolean {
  return headers[ASK] === 'bearer'
}
