// Many tenants on one app, each on a host of its own: a session of one opens nothing of another.
import express, { type Request } from 'express'
import { createSessions, login, requireUser, sessionMiddleware } from 'express-sid'

/** Which tenant a host belongs to. Unknown hosts are refused: the header is the client's. */
const tenants = new Map([
  ['red.example.com', 'red'],
  ['blue.example.com', 'blue'],
])
const tenantOf = (req: Request): string | undefined => tenants.get(req.hostname)

// The tenant is a part of the user's id. So lists, limits and "log out everywhere" stay within it.
export const sessions = createSessions({
  userId: (user: { id: string; tenant: string }) => `${user.tenant}/${user.id}`,
})

export const app = express()
app.use((req, res, next) => {
  if (tenantOf(req) === undefined) res.sendStatus(421)
  else next()
})
app.use(sessionMiddleware(sessions))
// A browser never sends the cookie of one host to another one. Somebody who copies it by hand is stopped here.
app.use((req, res, next) => {
  const { tenant } = (req.user ?? {}) as { tenant?: string }
  if (tenant === undefined || tenant === tenantOf(req)) next()
  else res.status(401).json({ error: { code: 'OTHER_TENANT' } })
})
app.post(
  '/login/:id',
  login((req) => ({ id: String(req.params.id), tenant: tenantOf(req)! })),
)
app.get('/', requireUser(), (req, res) => void res.json(req.user))
