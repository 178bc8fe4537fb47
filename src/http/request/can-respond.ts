/**
 * Whether headers can still be set. Sockets pass through the middleware too: with an empty object for a response
 * (`io.use` of socket.io), or with one that sends nothing. Only Node's own responses say that their headers are unsent.
 */
export function canRespond(res: { readonly headersSent?: boolean }): boolean {
  return res.headersSent === false
}
