import { fileURLToPath } from 'node:url'
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express'
import {
  requireRecentLogin,
  requireUser,
  sessionMiddleware,
  sessionOf,
  sessionStatus,
  type Refused,
  type Sessions,
} from 'express-sid'
import { deviceRoutes } from 'express-sid/devices'
import helmet from 'helmet'
import { accountOf, actorOf, type Accounts } from './accounts.js'
import type { Activity } from './activity.js'
import { liveStream } from './live.js'
import { problemPage, welcomePage } from './pages/entrance.js'
import { activityPage, notebookPage } from './pages/member.js'
import { accountRoutes } from './routes/account.js'
import { entranceRoutes } from './routes/entrance.js'
import { supportRoutes } from './routes/support.js'

const ours = ["'self'"]
const nobody = ["'none'"]

/** Nothing from elsewhere, nothing inline, in nobody's frame. Demos run on http, which this must not forbid. */
const headers = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: nobody,
      scriptSrc: ours,
      styleSrc: ours,
      imgSrc: ours,
      connectSrc: ours,
      formAction: ours,
      frameAncestors: nobody,
      baseUri: nobody,
    },
  },
  strictTransportSecurity: false,
  // With no-referrer, which is the default, browsers send the Origin null, also with our own forms.
  referrerPolicy: { policy: 'same-origin' },
})

/** The website, over its parts. */
export function accountsApp(sessions: Sessions, accounts: Accounts, activity: Activity): Express {
  const app = express()
  app.disable('x-powered-by')
  app.use(headers)
  app.use(express.static(fileURLToPath(new URL('public', import.meta.url)), { index: false }))
  // Above the sessions: how long a login lives depends on a field of its form.
  app.use(express.urlencoded({ extended: false, limit: '20kb' }))
  app.use(sessionMiddleware(sessions))
  app.all('/session', sessionStatus())

  app.use(entranceRoutes(accounts, activity))
  const members = requireUser({ loginPage: '/sign-in', refused })
  app.get('/', (req, res, next) => {
    if (req.user !== undefined) return next()
    res.send(welcomePage(req).text)
  })
  app.get('/', members, (req, res) => void res.send(notebookPage(req, 'saved' in req.query).text))
  app.post('/stop-acting', members, async (req, res) => {
    await sessionOf(req).stopActing()
    res.redirect(303, '/support')
  })
  app.post('/note', members, byUserAlone, (req, res) => {
    accounts.setNote(accountOf(req).id, String((req.body as { note?: string }).note).slice(0, 5_000))
    res.redirect(303, '/?saved')
  })
  app.get('/live', members, liveStream(sessions))
  app.get('/account/activity', members, (req, res) => {
    res.send(activityPage(req, activity.of(accountOf(req).id)).text)
  })
  app.use(
    '/account/devices',
    deviceRoutes({ sessions, loginPage: '/sign-in', back: '/account', stylesheet: '/devices.css' }),
  )
  app.use('/account/password', members, byUserAlone)
  app.use('/account', members, accountRoutes(accounts, activity))
  // What staff can do for others asks again who they are.
  const recent = requireRecentLogin({ within: '10m', loginPage: '/confirm' })
  app.use('/support', members, recent, supportRoutes(sessions, accounts))
  app.use((req, res) => {
    res
      .status(404)
      .send(problemPage(req, 'There is no such page', 'The address may be old or mistyped.').text)
  })
  app.use(onError)
  return app
}

/** What support may not do for a user. */
const byUserAlone: RequestHandler = (req, res, next) => {
  if (actorOf(req) === undefined) return next()
  res.status(403).send(problemPage(req, 'Not as somebody else', 'Only the user can do this.').text)
}

/** A refusal by one of the package's guards, as a page. Scripts get JSON. */
export const refused: Refused = (req, res, _next, error) => {
  res.status(error.status)
  if (req.accepts('html', 'json') === 'json') res.json({ error: { code: error.code } })
  else res.send(problemPage(req, 'That did not work', error.message).text)
}

const onError: ErrorRequestHandler = (error: { status?: number }, req: Request, res, next) => {
  if (res.headersSent) return next(error)
  console.error(error)
  const status = error.status ?? 500
  const words = status === 503 ? 'Please try again in a moment.' : 'The mistake is ours.'
  res.status(status).send(problemPage(req, 'Something went wrong', words).text)
}
