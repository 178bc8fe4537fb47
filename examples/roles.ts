// Roles, and a profile that its owner edits: `loadUser` reads the user anew, so that a change counts from the next request.
import express, { type Request, type RequestHandler } from 'express'
import { createSessions, login, requireUser, sessionMiddleware, userOf } from 'express-sid'

interface Person {
  readonly id: string
  name: string
  role: 'reader' | 'editor'
}
/** Stands for your database. */
export const people = new Map<string, Person>([
  ['ann', { id: 'ann', name: 'Ann', role: 'editor' }],
  ['bob', { id: 'bob', name: 'Bob', role: 'reader' }],
])

export const sessions = createSessions({ loadUser: (id: string) => people.get(id) })

const personOf = (req: Request): Person => userOf(req) as unknown as Person

/** A guard for one role. It stands behind `requireUser()`: a stranger gets a 401, the wrong role a 403. */
const requireRole = (role: Person['role']): [RequestHandler, RequestHandler] => [
  requireUser(),
  (req, res, next) => {
    if (personOf(req).role === role) next()
    else res.status(403).json({ error: { code: 'WRONG_ROLE' } })
  },
]

export const app = express()
app.use(express.json(), sessionMiddleware(sessions))
app.post(
  '/login/:id',
  login(({ params }) => people.get(String(params.id))),
)
app.put('/profile', requireUser(), (req, res) => {
  const person = people.get(personOf(req).id)!
  person.name = String((req.body as { name?: unknown }).name).slice(0, 80)
  res.json(person)
})
app.get('/profile', requireUser(), (req, res) => void res.json(userOf(req)))
app.post('/articles', ...requireRole('editor'), (_req, res) => void res.sendStatus(201))
