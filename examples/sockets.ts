// A chat with socket.io: a socket knows its user by the session, and closes when the session ends, on whichever node.
import { createServer } from 'node:http'
import express, { type Request, type Response } from 'express'
import { createSessions, login, logout, sessionMiddleware, sessionOf } from 'express-sid'
import { Server } from 'socket.io'

export const sessions = createSessions()
const session = sessionMiddleware(sessions)

export const app = express()
app.use(express.urlencoded({ extended: false }), session)
app.post(
  '/login',
  login((req) => {
    const { name } = req.body as { name?: unknown }
    return typeof name === 'string' ? { id: name } : undefined
  }),
)
app.post('/logout', logout())

export const server = createServer(app)
export const io = new Server(server)

// The requests of socket.io do not pass through the app. So they get what a request of the app has, then the session.
io.engine.use((req: Request, _res: Response, next: () => void) => {
  Object.setPrototypeOf(req, app.request)
  next()
})
io.engine.use(session)

// Nobody gets in without a login.
io.use((socket, next) => {
  next((socket.request as Request).user ? undefined : new Error('UNAUTHENTICATED'))
})
io.on('connection', (socket) => {
  const req = socket.request as Request
  const { id } = req.user as { id: string }
  const { id: sessionId } = sessionOf(req)
  // A socket outlives its request: when the session ends, so does the socket.
  socket.on(
    'disconnect',
    sessions.onEnd(sessionId!, () => socket.disconnect(true)),
  )
  socket.on('say', (text: unknown) => {
    // Only requests keep a session alive. Who chats is there, too: this writes once in each `touchInterval`.
    sessions.touch(sessionId!).catch(() => undefined)
    io.emit('said', { by: id, text: String(text).slice(0, 500) })
  })
})
