import type { Request, Response } from 'express'
import { invalid } from '../../lib/options/invalid.js'
import { isObject } from '../../lib/json/is-object.js'
import type { Authenticate } from '../routes/login-route.js'
import { refuse } from '../routes/refuse.js'

/** What is used of passport: `passport.authenticate()`, in the form with a callback. */
export interface PassportLike {
  // oxlint-disable-next-line typescript/no-explicit-any -- passport's own types differ from version to version
  authenticate(name: any, options: any, callback: any): any
}

type Done = (error: unknown, user?: unknown, info?: unknown) => void
type Middleware = (req: Request, res: Response, next: (error?: unknown) => void) => void

/** What passport would do with a session or a response, and what does it here. */
const elsewhere: Record<string, string> = {
  session: 'login() starts the session',
  keepSessionInfo: "say login(…, { keep: ['cart'] })",
  successRedirect: "say login(…, { redirect: '/account' })",
  successReturnToOrRedirect:
    "say login(…, { redirect: '/account' }), which goes back to ?returnTo= by itself",
  failureRedirect: "say login(…, { failureRedirect: '/login?failed' })",
  failWithError: 'say login(…, { failed: (req, res, info) => … })',
  failureFlash: 'say login(…, { failed: (req, res, { reason }) => … })',
  failureMessage: 'say login(…, { failed: (req, res, { reason }) => … })',
  successFlash: 'listen to the event login',
  successMessage: 'listen to the event login',
  assignProperty: 'the user of the session is req.user',
}

/**
 * Lets a strategy of passport say who logs in, for `login()`. It needs neither `req.session` nor `passport.initialize()`,
 * nor `serializeUser`. One handler serves the way to a provider and the way back: where the strategy sends the visitor
 * away, `login()` has nothing to do.
 *
 * What the strategy says of a failure is the `reason` of the event `loginRefused`.
 *
 * @param passport passport, or an instance of its own: anything with its `authenticate()`.
 * @param name the name that the strategy was registered by, or several.
 * @param options what the strategy takes for a request, such as `scope` or `prompt`.
 * @throws SessionError OPTION_INVALID for an option about sessions and redirects: those are options of `login()`.
 * @example
 * passport.use(new GitHubStrategy({ clientID, clientSecret, callbackURL: '/auth/github/callback', store: oauthState() }, verify))
 * const viaGitHub = login(fromPassport(passport, 'github'), { crossSite: true, redirect: '/' })
 * app.get('/auth/github', viaGitHub)
 * app.get('/auth/github/callback', viaGitHub)
 */
export function fromPassport(
  passport: PassportLike,
  name: string | readonly string[],
  options: object = {},
): Authenticate {
  check(passport, name, options)
  const given = { ...options, session: false }
  return function authenticateByPassport(req) {
    const res = req.res!
    // The strategy may redirect. That response is of this visitor alone.
    if (!res.headersSent) res.setHeader('Cache-Control', 'no-store')
    return new Promise((resolve, reject) => {
      // A strategy that has sent the response itself tells nobody. Nor does a visitor who has gone.
      res.once('close', () => resolve(undefined))
      const done: Done = (error, user, info) => {
        if (error) reject(error)
        else resolve(user || refuse({ reason: reasonOf(info) }))
      }
      const run = passport.authenticate(name, given, done) as Middleware
      run(req, res, (error) => done(error))
    })
  }
}

function check(passport: PassportLike, name: unknown, options: object): void {
  if (typeof (passport as PassportLike | undefined)?.authenticate !== 'function') {
    throw invalid("fromPassport() needs passport first, then the strategy: fromPassport(passport, 'github').")
  }
  const names = [name].flat()
  if (names.length === 0 || !names.every((one) => typeof one === 'string' && one !== '')) {
    throw invalid("fromPassport() needs the name of a strategy: fromPassport(passport, 'github').")
  }
  if (!isObject(options)) {
    throw invalid("The options of fromPassport() must be an object such as { scope: ['email'] }.")
  }
  const foreign = Object.keys(options).find((key) => Object.hasOwn(elsewhere, key))
  if (foreign !== undefined) {
    throw invalid(`The option ${foreign} of fromPassport() is no option here: ${elsewhere[foreign]}.`)
  }
}

/** What strategies say of a failure: a message, a challenge of HTTP, or a list where there were several strategies. */
function reasonOf(info: unknown): string | undefined {
  const [first]: unknown[] = [info].flat()
  if (typeof first === 'string') return first
  const message = isObject(first) ? first.message : undefined
  return typeof message === 'string' ? message : undefined
}
