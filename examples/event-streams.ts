// Server-sent events: the stream ends when its session does, by a logout here or by a revocation anywhere in this process.
import express, { type Response } from 'express'
import { createSessions, login, logout, requireUser, sessionMiddleware, sessionOf } from 'express-sid'

export const sessions = createSessions()

/** The open streams of each session. */
const streams = new Map<string, Set<Response>>()

/** Ends the streams of a session. */
const close = ({ sessionId }: { readonly sessionId: string }): void => {
  for (const res of streams.get(sessionId) ?? []) res.end()
}
sessions.on('logout', close).on('revoke', close).on('expire', close).on('reuse', close)

export const app = express()
app.use(sessionMiddleware(sessions))
app.post(
  '/login/:id',
  login(({ params }) => ({ id: String(params.id) })),
)
app.post('/logout', logout())
app.get('/events', requireUser(), (req, res) => {
  const id = sessionOf(req).id!
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
  res.write('data: hello\n\n')
  const open = streams.get(id) ?? new Set()
  streams.set(id, open.add(res))
  // A session that ends on another node sends no event here: look now and then.
  const timer = setInterval(() => {
    sessions.find(id).then(
      (session) => session ?? res.end(),
      () => undefined,
    )
  }, 60_000)
  res.once('close', () => {
    clearInterval(timer)
    open.delete(res)
    if (open.size === 0) streams.delete(id)
  })
})
