import type { Express } from 'express'
import {
  createSessions,
  login,
  memoryStore,
  requireUser,
  sessionMiddleware,
  sessionOf,
  type SessionOptions,
} from 'express-sid'
import { answerWithCode, express5 } from '../support/site.js'
import { Visitor } from '../support/visitor.js'
import { readText, runBlock } from './support/page.js'

// docs/acting.md: its code runs, and does what the page says.

const text = readText('docs/acting.md')
const people = {
  sue: { id: 'sue', role: 'support' },
  ann: { id: 'ann', role: 'customer' },
  bob: { id: 'bob', role: 'admin' },
}

function open(): Express {
  const app = express5()
  const globals = {
    app,
    createSessions: (options: SessionOptions) => createSessions(options),
    requireUser,
    sessionMiddleware,
    sessionOf,
    store: memoryStore(),
    users: { find: async (id: keyof typeof people) => people[id] },
    sendMessage: (_req: unknown, res: { send(text: string): void }) => res.send('sent'),
  }
  runBlock('mayActAs:', globals, text)
  runBlock('res.locals.actor', globals, text)
  runBlock('byUserAlone', globals, text)
  app.post(
    '/in/:id',
    login((req) => people[req.params.id as keyof typeof people]),
  )
  app.get('/', (req, res) => void res.json([req.user ?? null, res.locals.actor ?? null]))
  app.use(answerWithCode())
  return app
}

test('support acts as a customer, is seen as both, and goes back', async () => {
  const sue = new Visitor(open())
  const { sue: support, ann } = people
  await sue.post('/in/sue')
  expect((await sue.post('/support/act-as/ann')).headers.location).toBe('/')
  expect((await sue.get('/')).body).toEqual([ann, support])
  expect((await sue.post('/messages')).status).toBe(403)
  expect((await sue.post('/support/stop')).headers.location).toBe('/support')
  expect((await sue.get('/')).body).toEqual([support, null])
  expect((await sue.post('/messages')).text).toBe('sent')
})

test('nobody else may, and nobody as an admin', async () => {
  const app = open()
  for (const [actor, user] of [
    ['ann', 'sue'],
    ['sue', 'bob'],
    ['bob', 'ann'],
  ]) {
    const visitor = new Visitor(app)
    await visitor.post(`/in/${actor!}`)
    const { status, body } = await visitor.post(`/support/act-as/${user!}`)
    expect([status, body]).toMatchObject([403, { code: 'ACT_AS_REFUSED' }])
  }
})
