import { Router } from 'express'
import { sessionOf, type Sessions } from 'express-sid'
import { accountOf, type Accounts } from '../accounts.js'
import { problemPage } from '../pages/entrance.js'
import { supportPage } from '../pages/support.js'

/** What support staff may do for a member. */
export function supportRoutes(sessions: Sessions, accounts: Accounts): Router {
  const router = Router()
  router.use((req, res, next) => {
    if (accountOf(req).role === 'support') return next()
    res
      .status(404)
      .send(problemPage(req, 'There is no such page', 'The address may be old or mistyped.').text)
  })
  router.get('/', (req, res) => void res.send(supportPage(req, accounts.members()).text))
  router.post('/:id/act', async (req, res) => {
    const member = accounts.find(Number(req.params.id))
    if (member !== undefined) await sessionOf(req).actAs(member)
    res.redirect(303, member === undefined ? '/support' : '/')
  })
  router.post('/:id/end', async (req, res) => {
    const ended = await sessions.revokeAll(Number(req.params.id))
    res.send(supportPage(req, accounts.members(), `Signed out ${ended} of the member's devices.`).text)
  })
  return router
}
