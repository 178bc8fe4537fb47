// Flash messages: said once, on the next page, also to visitors who are not logged in.
import express, { type NextFunction, type Request, type Response } from 'express'
import { sessionMiddleware, sessionOf } from 'express-sid'

/** Keeps a message for the next page. Await it before the redirect. */
export const flash = (req: Request, text: string): Promise<unknown> =>
  sessionOf(req).update<string[]>('flash', (messages = []) => [...messages, text].slice(-5))

/** Takes the messages out: what one page has shown, no other one shows again. */
async function takeFlash(req: Request, res: Response, next: NextFunction): Promise<void> {
  // Only a page that shows them takes them: an image or a script would eat them.
  if (req.accepts('html') && sessionOf(req).get('flash') !== undefined) {
    res.locals.messages = (await sessionOf(req).take<string[]>('flash')) ?? []
  }
  next()
}

export const app = express()
app.use(sessionMiddleware())
app.post('/cart', async (req, res) => {
  await flash(req, 'The tea is in your cart.')
  res.redirect(303, '/')
})
app.get('/', takeFlash, (_req, res) => {
  res.json((res.locals.messages as string[] | undefined) ?? [])
})
