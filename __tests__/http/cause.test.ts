import { createSessions, sessionMiddleware } from 'express-sid'
import { replacing, turns } from '../support/stores.js'
import { memoryStore } from '../../src/stores/memory/index.js'
import { unissuedToken } from '../support/people.js'
import { expresses, type ExpressModule } from '../support/site.js'
import { Visitor } from '../support/visitor.js'

/** An app without an error handler of its own, whose store can't be reached. */
async function pageOf(express: ExpressModule, env: string) {
  const closed = () => Promise.reject(new Error('The client is closed'))
  const store = replacing(memoryStore(), { get: closed, getMany: closed })
  const printed: unknown[] = []
  jest.spyOn(console, 'error').mockImplementation((text) => void printed.push(text))
  const app = express().set('env', env)
  app.use(sessionMiddleware(createSessions({ store })))
  const res = await new Visitor(app, { cookie: `sid=${unissuedToken}` }).get()
  // Express logs a turn later.
  await turns()
  jest.restoreAllMocks()
  return { res, printed: printed.join('\n') }
}

test.each(expresses)(
  'a first set-up is told what is wrong by the page of %s itself',
  async (_name, express) => {
    const { res, printed } = await pageOf(express, 'development')
    expect(res.status).toBe(503)
    for (const text of [res.text, printed]) {
      expect(text).toContain('The session store failed.')
      expect(text).toContain('Cause: The client is closed')
    }
  },
)

test.each(expresses)(
  'in production, %s shows the visitor neither our message nor the cause',
  async (_name, express) => {
    const { res, printed } = await pageOf(express, 'production')
    expect(res.status).toBe(503)
    expect(res.text).not.toMatch(/session store|client is closed|at .*:\d+/)
    expect(printed).toContain('Cause: The client is closed')
  },
)
