import { Router } from 'express'
import { sessionOf } from 'express-sid'
import { accountOf, type Accounts } from '../accounts.js'
import type { Activity } from '../activity.js'
import { forgive, limitGuesses } from '../guesses.js'
import { accountPage, currentOf, passwordPage } from '../pages/member.js'
import { field, passwordProblem } from './entrance.js'

/** The account of a member, and its password. */
export function accountRoutes(accounts: Accounts, activity: Activity): Router {
  const router = Router()
  router.get('/', async (req, res) => {
    res.send(accountPage(req, await currentOf(req), 'changed' in req.query).text)
  })
  router.get('/password', (req, res) => void res.send(passwordPage(req).text))
  router.post(
    '/password',
    limitGuesses((req) => accountOf(req).email),
    async (req, res) => {
      const { id, email } = accountOf(req)
      const { isRight } = await accounts.check(email, field(req, 'old'))
      if (!isRight) activity.note('loginRefused', id)
      const problem = isRight ? passwordProblem(field(req, 'password')) : 'The old password is wrong.'
      if (problem !== undefined) {
        res.status(422).send(passwordPage(req, problem).text)
        return
      }
      await forgive(req.ip, email)
      await accounts.setPassword(id, field(req, 'password'))
      // Ends the other sessions, and replaces this one: a copied cookie opens nothing any more.
      await sessionOf(req).credentialsChanged()
      res.redirect(303, '/account?changed')
    },
  )
  return router
}
