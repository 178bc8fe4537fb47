import { Router, type Request } from 'express'
import { login, logout, reauthenticate, refuse, requireUser, sessionOf } from 'express-sid'
import { accountOf, type Account, type Accounts } from '../accounts.js'
import type { Activity } from '../activity.js'
import { forgive, limitGuesses } from '../guesses.js'
import { confirmPage, SHORTEST, signInPage, signUpPage } from '../pages/entrance.js'

/** A field of a form, as text. */
export const field = ({ body }: Request, name: string): string => {
  const value = (body as Record<string, unknown> | undefined)?.[name]
  return typeof value === 'string' ? value : ''
}

/** Emails are compared without regard to case: as people type them. */
export const emailOf = (req: Request): string => field(req, 'email').trim().toLowerCase().slice(0, 200)

/** Signing up, in and out. */
export function entranceRoutes(accounts: Accounts, activity: Activity): Router {
  const router = Router()
  router.get('/sign-in', (req, res) => void res.send(signInPage(req).text))
  router.post(
    '/sign-in',
    limitGuesses(emailOf),
    login(checkPassword, { redirect: '/', failed, method: 'password' }),
  )
  router.post('/sign-out', logout({ redirect: '/' }))
  router.get(
    '/confirm',
    requireUser({ loginPage: '/sign-in' }),
    (req, res) => void res.send(confirmPage(req).text),
  )
  router.post(
    '/confirm',
    limitGuesses((req) => (req.user as Account | undefined)?.email ?? ''),
    reauthenticate(confirmPassword, { redirect: '/', failed: notConfirmed, method: 'password' }),
  )
  router.get('/sign-up', (req, res) => void res.send(signUpPage(req).text))
  router.post('/sign-up', limitGuesses(emailOf), async (req, res) => {
    const name = field(req, 'name').trim().slice(0, 60)
    const email = emailOf(req)
    const password = field(req, 'password')
    const problem = problemOf(name, email, password)
    const account = problem === undefined ? await accounts.add(name, email, password) : undefined
    if (account === undefined) {
      const words = problem ?? 'There is an account with this email. Sign in, or take another email.'
      res.status(422).send(signUpPage(req, { name, email, problem: words }).text)
      return
    }
    activity.note('signUp', account.id)
    await sessionOf(req).login(account, { method: 'password' })
    res.redirect(303, '/')
  })
  return router

  async function checkPassword(req: Request) {
    const email = emailOf(req)
    const { account, isRight } = await accounts.check(email, field(req, 'password'))
    if (account === undefined) return refuse({ reason: 'no such account' })
    if (!isRight) return refuse({ reason: 'wrong password', userId: account.id })
    await forgive(req.ip, email)
    return account
  }

  async function confirmPassword(req: Request) {
    const { id, email } = accountOf(req)
    const { account, isRight } = await accounts.check(email, field(req, 'password'))
    if (!isRight) return refuse({ reason: 'wrong password', userId: id })
    await forgive(req.ip, email)
    return account
  }

  function notConfirmed(req: Request, res: { send(text: string): unknown }) {
    res.send(confirmPage(req, 'That is not your password. Please try again.').text)
  }

  function failed(req: Request, res: { send(text: string): unknown }) {
    res.send(
      signInPage(req, { email: emailOf(req), problem: 'Wrong email or password. Please try again.' }).text,
    )
  }
}

function problemOf(name: string, email: string, password: string): string | undefined {
  if (name === '') return 'Please tell us your name.'
  if (!/^[^@\s]+@[^@\s]+$/.test(email)) return 'That does not look like an email.'
  return passwordProblem(password)
}

/** What is wrong with a new password. */
export function passwordProblem(password: string): string | undefined {
  if (password.length < SHORTEST) return `The password must have at least ${SHORTEST} characters.`
  return password.length > 200 ? 'The password may have at most 200 characters.' : undefined
}
