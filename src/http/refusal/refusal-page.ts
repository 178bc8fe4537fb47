import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Request } from 'express'
import type { SessionError } from '../../errors.js'
import { escapeHtml } from '../../lib/text/escape-html.js'

/** The form in which a client wants to be told something. */
export type Preference = 'json' | 'html' | 'text'

/** What the client prefers, by `Accept`. A client that takes anything gets text. */
export function preferenceOf(req: IncomingMessage & Partial<Pick<Request, 'accepts'>>): Preference {
  // A plain http server has no `accepts`.
  return (req.accepts?.('text', 'html', 'json') || 'text') as Preference
}

/** Sends a refusal: as JSON `{ error: { code, message } }`, as a small page, or as text. */
export function sendRefusal(
  req: IncomingMessage,
  res: ServerResponse,
  _next: unknown,
  error: SessionError,
): void {
  const preference = preferenceOf(req)
  const { type, body } = forms[preference](error)
  res.statusCode = error.status
  addVaryAccept(res)
  res.setHeader('Content-Type', `${type}; charset=utf-8`)
  // The message may hold what the client has sent, so nothing in it may run, whatever the browser takes it for.
  res.setHeader('X-Content-Type-Options', 'nosniff')
  res.setHeader('Content-Security-Policy', "default-src 'none'")
  res.setHeader('Content-Length', Buffer.byteLength(body))
  res.end(body)
}

const forms: Record<Preference, (error: SessionError) => { type: string; body: string }> = {
  json: ({ code, message }) => ({
    type: 'application/json',
    body: JSON.stringify({ error: { code, message } }),
  }),
  text: ({ message }) => ({ type: 'text/plain', body: message }),
  html: ({ status, message }) => ({
    type: 'text/html',
    body: page(status === 401 ? 'Please Log In' : 'Request Refused', message),
  }),
}

/** A page that loads nothing: it looks the same on every site and under every Content-Security-Policy. */
function page(title: string, message: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<h1>${title}</h1>
<p>${escapeHtml(message)}</p>
</html>
`
}

function addVaryAccept(res: ServerResponse): void {
  const vary = res.getHeader('Vary')
  res.setHeader('Vary', vary === undefined ? 'Accept' : `${String(vary)}, Accept`)
}
