// "Remember me": the box on the form decides how long the login lives, and whether its cookie outlives the browser.
import express from 'express'
import { createSessions, login, logout, requireUser, sessionMiddleware } from 'express-sid'

/** With the box. The cookie stays when the browser is closed. */
const remembered = { idle: '30d', absolute: '90d', persistent: true }
/** Without it, as on a computer of a library. */
const thisWindow = { idle: '1h', absolute: '12h', persistent: false }

export const sessions = createSessions()
export const app = express()
app.use(express.urlencoded({ extended: false }), sessionMiddleware(sessions))
app.get('/login', (_req, res) => {
  res.send(`<form method="post" action="/login">
    <label>Name <input name="name" autocomplete="username" required></label>
    <label><input name="remember" type="checkbox" value="yes"> Remember me on this device</label>
    <button>Log in</button>
  </form>`)
})
app.post(
  '/login',
  login(
    (req) => {
      const { name } = req.body as { name?: unknown }
      return typeof name === 'string' ? { id: name } : undefined
    },
    {
      // The body is the client's: all but the one word is "no".
      lifetime: (_user, req) =>
        (req.body as { remember?: unknown }).remember === 'yes' ? remembered : thisWindow,
    },
  ),
)
app.post('/logout', logout())
app.get('/me', requireUser(), (req, res) => void res.json(req.user))
