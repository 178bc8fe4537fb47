// A command line for an API: it logs in once, keeps its token in a file that nobody else can read, and says who it is.
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import express from 'express'
import { createSessions, login, logout, requireUser, sessionMiddleware } from 'express-sid'

// The API: `bearer` lets the token travel in `Authorization`.
export const sessions = createSessions({ bearer: true })
export const app = express()
app.use(express.json(), sessionMiddleware(sessions))
app.post(
  '/login',
  login((req) => {
    const { name } = req.body as { name?: unknown }
    return typeof name === 'string' ? { id: name } : undefined
  }),
)
app.post('/logout', logout())
app.get('/me', requireUser(), (req, res) => void res.json(req.user))

/** The command line itself. `file` is where its token is kept, such as `~/.config/shop/token`. */
export function commandLine(url: string, file: string) {
  const call = (path: string, init: RequestInit = {}) =>
    fetch(url + path, {
      ...init,
      headers: { Authorization: `Bearer ${readFileSync(file, 'utf8')}`, Accept: 'application/json' },
    })
  return {
    async login(name: string): Promise<void> {
      const headers = {
        'Content-Type': 'application/json',
        'Session-Via': 'bearer',
        Accept: 'application/json',
      }
      const response = await fetch(`${url}/login`, {
        method: 'POST',
        headers,
        body: JSON.stringify({ name }),
      })
      if (!response.ok) throw new Error(`The login was refused: ${response.status}`)
      const { token } = (await response.json()) as { token: string }
      writeFileSync(file, token, { mode: 0o600 })
    },
    async whoAmI(): Promise<unknown> {
      const response = await call('/me')
      return response.ok ? response.json() : undefined
    },
    async logout(): Promise<void> {
      await call('/logout', { method: 'POST' })
      rmSync(file)
    },
  }
}
