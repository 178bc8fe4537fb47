import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { requireUser, sessionOf } from '../index.js'
import { deviceOf } from './device.js'
import { readDeviceOptions, type DeviceRoutesOptions, type DeviceSettings } from './options.js'
import { sendPage } from './page.js'
import { backToPage } from './relative.js'

/** What was done, as the page says it after a form has been sent. */
export type Done = 'one' | 'others'

/**
 * The page on which users see where they are signed in, and sign out there; and the same for scripts, as JSON. Mount it
 * below `sessionMiddleware()`. The page needs no script, and loads nothing.
 *
 * | request            | what it does                        | JSON                                                    |
 * | ------------------ | ----------------------------------- | ------------------------------------------------------- |
 * | `GET /`            | lists the user's sessions           | `{ devices: [Device, …] }`, last used first              |
 * | `POST /ID/end`     | ends one session of the user        | `{ ended: 1 }`; 404 with `{ error: { code: 'NOT_FOUND' } }` |
 * | `POST /end-others` | ends all but the one that asks      | `{ ended: 3 }`                                           |
 * | `POST /end-all`    | ends all, the one that asks as well | `{ ended: 4 }`                                           |
 *
 * Who asks for HTML gets the page, and after a form a 303 back to it. Another user's id is like one that does not exist.
 * A stranger gets what `requireUser()` sends. A page of another origin gets a 403 (CROSS_ORIGIN), as for every other form.
 *
 * @throws SessionError OPTION_INVALID at once, naming the option and the fix; also for a store that can't list the sessions
 * of a user, where `sessions` is given. Otherwise each request fails there with UNSUPPORTED (501).
 * @example
 * app.use(sessionMiddleware(sessions))
 * app.use('/account/devices', deviceRoutes({ sessions, loginPage: '/login', back: '/account' }))
 */
export function deviceRoutes(options: DeviceRoutesOptions = {}): RequestHandler {
  const settings = readDeviceOptions(options)
  const { loginPage, refused } = settings
  const guard = requireUser({ loginPage, refused })
  return function devices(req, res, next) {
    const route = routeOf(req)
    if (route === undefined) return next()
    res.vary('Accept')
    void guard(req, res, (error?: unknown) => {
      if (error !== undefined) return next(error)
      perform(route, req, res, settings, next)
    })
  }
}

type Route = (req: Request, res: Response, settings: DeviceSettings) => Promise<void>

/** Express 4 does not look at promises. */
function perform(
  route: Route,
  req: Request,
  res: Response,
  settings: DeviceSettings,
  next: NextFunction,
): void {
  route(req, res, settings).catch(next)
}

/** No router: its own few paths need none, and so the package loads whichever Express the app has. */
function routeOf({ method, path }: Request): Route | undefined {
  if (method === 'GET' || method === 'HEAD') return path === '/' ? list : undefined
  if (method !== 'POST') return undefined
  if (path === '/end-others') return endOthers
  if (path === '/end-all') return endAll
  return /^\/[^/]+\/end$/.test(path) ? endOne : undefined
}

async function list(req: Request, res: Response, settings: DeviceSettings): Promise<void> {
  const devices = (await sessionOf(req).list()).map(deviceOf)
  if (wantsHtml(req)) sendPage(req, res, devices, settings)
  else res.json({ devices })
}

async function endOne(req: Request, res: Response, settings: DeviceSettings): Promise<void> {
  const session = sessionOf(req)
  const id = req.path.split('/')[1]!
  const isOwn = id === session.id
  const isEnded = await session.revoke(id)
  // A form of a page that is no longer true, perhaps in another tab: then the page is shown as it is now.
  if (wantsHtml(req)) return goOn(req, res, settings, isOwn ? undefined : 'one')
  if (isEnded) res.json({ ended: 1 })
  else res.status(404).json({ error: { code: 'NOT_FOUND', message: 'No session of yours has this id.' } })
}

async function endOthers(req: Request, res: Response, settings: DeviceSettings): Promise<void> {
  const ended = await sessionOf(req).revokeOthers()
  if (wantsHtml(req)) goOn(req, res, settings, 'others')
  else res.json({ ended })
}

async function endAll(req: Request, res: Response, settings: DeviceSettings): Promise<void> {
  const ended = await sessionOf(req).revokeAll()
  if (wantsHtml(req)) goOn(req, res, settings)
  else res.json({ ended })
}

/** Where a browser goes after a form: to the page, or away from it once its own session has ended. */
function goOn(req: Request, res: Response, { loginPage }: DeviceSettings, done?: Done): void {
  res.setHeader('Cache-Control', 'no-store')
  res.redirect(303, done === undefined ? (loginPage ?? '/') : `${backToPage(req.path)}?done=${done}`)
}

/** Browsers name HTML first when they load a page. Scripts that take anything get JSON. */
function wantsHtml(req: Request): boolean {
  return req.accepts('json', 'html') === 'html'
}
