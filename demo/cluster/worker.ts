import express from 'express'
import { createSessions, login, logout, requireUser, sessionMiddleware, sessionOf } from 'express-sid'
import { page } from './page.js'
import { openStore } from './store.js'

/** One of the processes: an ordinary Express app that shares nothing with the others but the store. */
export async function startWorker(port: number): Promise<void> {
  const { store } = await openStore()
  const sessions = createSessions({ store })
  const app = express()
  app.use(express.urlencoded(), sessionMiddleware(sessions))

  app.get('/', async (req, res) => {
    const visits = await sessionOf(req).update<number>('visits', (count = 0) => count + 1)
    const list = await sessionOf(req).list()
    res.set('Cache-Control', 'private, no-store')
    res.send(page({ pid: process.pid, name: nameOf(req.user), visits: visits ?? 1, list }))
  })
  // A demo: any name is let in. A real login checks a password here and answers nothing when it is wrong.
  app.post(
    '/login',
    login((req) => userNamed(req.body), { redirect: '/', failureRedirect: '/', keep: ['visits'] }),
  )
  app.post('/logout', logout({ redirect: '/' }))
  app.post('/logout-others', requireUser(), async (req, res) => {
    await sessionOf(req).revokeOthers()
    res.redirect(303, '/')
  })
  app.post('/revoke', requireUser(), async (req, res) => {
    await sessionOf(req).revoke(String((req.body as { id?: unknown }).id))
    res.redirect(303, '/')
  })
  app.get('/me', (req, res) => {
    res.json({ pid: process.pid, user: req.user ?? null })
  })
  app.listen(port)
}

function userNamed(body: unknown): { id: string; name: string } | undefined {
  const name = (body as { name?: unknown } | undefined)?.name
  if (typeof name !== 'string' || name.trim() === '') return undefined
  const short = name.trim().slice(0, 40)
  return { id: short.toLowerCase(), name: short }
}

function nameOf(user: Express.User | undefined): string | undefined {
  const known: { name?: string } | undefined = user
  return known?.name
}
