import express, { type Request } from 'express'
import { createSessions, login, memoryStore, requireUser, sessionMiddleware, sessionOf } from 'express-sid'
import { ann } from '../support/people.js'
import { Visitor } from '../support/visitor.js'
import { codeBlocks, readText, runBlock } from './support/page.js'

const text = readText('docs/bearer.md')

test('the code runs: a client logs in by password or by code, and comes with its token', async () => {
  const app = express()
  const authenticate = ({ body }: Request) => (body.password === 'correct horse' ? ann : undefined)
  const userOfCode = async (code: string) => ({ ...ann, code })
  const globals = { app, express, createSessions, sessionMiddleware, login, sessionOf, store: memoryStore() }
  runBlock('bearer: true', { ...globals, authenticate }, text)
  runBlock('userOfCode', { ...globals, userOfCode }, text)
  app.get('/account', requireUser(), (req, res) => void res.json(req.user))
  const asks = { 'Session-Via': 'bearer' }
  for (const path of ['/login', '/login/code']) {
    const answer = await new Visitor(app).post(path, asks).send({ password: 'correct horse', code: '1' })
    const { token } = answer.body as { token: string }
    const account = await new Visitor(app).get('/account', { Authorization: `Bearer ${token}` })
    expect([path, account.body]).toMatchObject([path, ann])
  }
  const browser = await new Visitor(app).post('/login/code').send({ code: '1' })
  expect(browser.body).toEqual({})
  expect(codeBlocks(text)).toHaveLength(3)
})
