// What all express-sid contenders share; the defaults of the package, in production.
import { answerWith, userOf } from '../lib/users.js'

export async function mountSid(app, build, store) {
  const { createSessions, login, sessionMiddleware } = await import(`${build}index.js`)
  const sessions = createSessions({ store })
  app.use(sessionMiddleware(sessions))
  app.post(
    '/login',
    login((req) => userOf(req.query.n)),
  )
  app.get('/me', (req, res) => answerWith(res, req.user))
  return sessions
}
