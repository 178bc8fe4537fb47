import type { RequestHandler, Response } from 'express'
import { sessionOf, type Sessions } from 'express-sid'
import { accountOf } from './accounts.js'

const BEAT_MS = 15_000

/**
 * An event stream for each open page: it says on how many devices the user is here now, and ends with its session. That
 * it is open counts as no activity (see sessions.ts).
 */
export function liveStream(sessions: Sessions): RequestHandler {
  const open = new Map<number, Map<Response, string>>()

  function tell(userId: number): void {
    const streams = open.get(userId)
    const devices = new Set(streams?.values()).size
    for (const res of streams?.keys() ?? []) res.write(`event: here\ndata: ${devices}\n\n`)
  }

  return function live(req, res) {
    const { id: userId } = accountOf(req)
    const sessionId = sessionOf(req).id!
    res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store' })
    const streams = open.get(userId) ?? new Map<Response, string>()
    open.set(userId, streams.set(res, sessionId))
    const beat = setInterval(() => res.write(': still here\n\n'), BEAT_MS)
    const forget = sessions.onEnd(sessionId, () => res.end('event: ended\ndata:\n\n'))
    res.on('close', () => {
      clearInterval(beat)
      forget()
      streams.delete(res)
      tell(userId)
    })
    tell(userId)
  }
}
