import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express, { type Express, type RequestHandler } from 'express'
import express4 from 'express4'
import { createSessions, login, requireUser, sessionMiddleware, userOf } from 'express-sid'
import request from 'supertest'
import { FaultyStore } from '../support/faulty-store.js'
import { ann } from '../support/people.js'
import { answerWithCode } from '../support/site.js'
import { Visitor } from '../support/visitor.js'
import { bareApp, runRecipe } from './support/recipes.js'

// The recipes of docs/recipes.md about pages and requests, as they stand there. Those that need a browser to be shown
// are in recipes-browser.test.ts.

const withLogin = (app: Express) =>
  void app.post(
    '/login',
    login(() => ann),
  )

describe('static files', () => {
  let folder: string
  const before = process.cwd()
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'express-sid-static-'))
    await mkdir(join(folder, 'public'))
    await writeFile(join(folder, 'public/style.css'), 'body {}')
    process.chdir(folder)
  })
  afterAll(async () => {
    process.chdir(before)
    await rm(folder, { recursive: true })
  })

  test('above the middleware are alike for all, may be cached, and ask no store', async () => {
    const store = new FaultyStore()
    const app = bareApp((routes) => {
      runRecipe('express.static', { app: routes, sessions: createSessions({ store }) })
      // Where they were before.
      routes.use('/below', express.static('public'))
    }, withLogin)
    const visitor = new Visitor(app)
    await visitor.post('/login')
    const asked = store.calls.length
    const file = await visitor.get('/static/style.css')
    expect([file.status, file.text]).toEqual([200, 'body {}'])
    expect(file.headers.vary).toBeUndefined()
    expect(file.headers['cache-control']).toContain('max-age=3600')
    expect(store.calls).toHaveLength(asked)
    // What the problem is.
    expect((await visitor.get('/below/style.css')).headers.vary).toBe('Cookie')
    expect(store.calls).toHaveLength(asked + 1)
  })
})

test('a single-page app on another origin may log in and write, and no other origin may', async () => {
  const allowed: unknown[] = []
  const cors = (options: unknown): RequestHandler => {
    allowed.push(options)
    return (_req, _res, next) => next()
  }
  const app = bareApp(
    (routes) => void runRecipe('cors({', { app: routes, cors }),
    withLogin,
    (routes) => {
      routes.post('/write', requireUser(), (_req, res) => void res.json({ written: true }))
    },
  )
  expect(allowed).toEqual([{ origin: 'https://app.example.com', credentials: true }])
  const visitor = new Visitor(app)
  const from = (Origin: string) => ({ Origin, 'Sec-Fetch-Site': 'same-site', Accept: 'application/json' })
  expect((await visitor.post('/login', from('https://app.example.com'))).status).toBe(200)
  expect((await visitor.post('/write', from('https://app.example.com'))).body).toEqual({ written: true })
  expect((await visitor.post('/write', from('https://other.example.com'))).status).toBe(403)
})

test('an async handler on Express 4 passes on what fails, and the visitor gets a response', async () => {
  const store = new FaultyStore('async')
  const app = express4()
  app.use(sessionMiddleware({ store }))
  runRecipe('const handle =', { app, express: express4 })
  app.use(answerWithCode())
  const visitor = new Visitor(app)
  const post = () => visitor.post('/cart', { 'Content-Type': 'application/json' }).send('["pen"]')
  expect((await post()).status).toBe(204)
  store.breakAt('update', 'rejects')
  const { status, body } = await post()
  expect([status, body.code]).toEqual([503, 'STORE_FAILED'])
})

test('an agent of supertest logs in within one’s own tests', async () => {
  const form = express.urlencoded({ extended: false })
  const app = bareApp(
    (routes) => void routes.use(sessionMiddleware()),
    (routes) => {
      routes.post(
        '/login',
        form,
        login(({ body }) => body.email === 'ann@example.com' && body.password === 'correct horse' && ann),
      )
      routes.get('/account', requireUser(), (req, res) => void res.json(userOf(req)))
    },
  )
  await runRecipe('request.agent', { app, request })
})

test('a script that is neither htmx nor Turbo gets a 401 as JSON, and no page', async () => {
  const showCart: RequestHandler = (_req, res) => void res.send('your cart')
  const app = bareApp(
    (routes) => void routes.use(sessionMiddleware()),
    (routes) => void runRecipe('HX-Redirect', { app: routes, showCart }),
  )
  const { status, body } = await new Visitor(app).get('/cart', { 'Sec-Fetch-Mode': 'cors' })
  expect([status, body]).toEqual([401, { error: { code: 'UNAUTHENTICATED' } }])
})
