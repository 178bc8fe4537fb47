import { createServer } from 'node:net'
import { startApp, type App } from '../support/app-process.js'
import { listen } from '../support/listen.js'
import { needs, type Part } from '../support/needs.js'
import { Visitor } from '../support/visitor.js'
import { widely } from '../support/wide.js'

const stores: [Part, string][] = [
  ['redis', 'redis'],
  ['postgres', 'postgres'],
]

describe.each(widely(stores, ([part]) => part === 'redis'))('the cluster demo on %s', (part, store) => {
  needs(part)('with several processes', () => {
    let app: App
    beforeAll(async () => {
      app = await startApp('demo/cluster/server.ts', { STORE: store, PORT: '0', WORKERS: '3' })
    }, 20_000)
    afterAll(() => app.stop())

    /** Asks until every process has answered; each connection may reach another one. */
    const askAll = async (visitor: Visitor) => {
      const answers = new Map<number, unknown>()
      while (answers.size < 3) {
        const { body } = await visitor.get('/me', { Connection: 'close' })
        answers.set(body.pid as number, body.user)
      }
      return [...answers.values()]
    }

    test('a login on one is a login on all, a logout on one ends all at once', async () => {
      const name = `Ann ${Math.random()}`
      const browser = new Visitor(app.url)
      await browser.login().type('form').send({ name })
      const user = { id: name.toLowerCase(), name }
      expect(await askAll(browser)).toEqual([user, user, user])
      const before = browser.copy()
      await browser.logout()
      expect(await askAll(before)).toEqual([null, null, null])
    }, 20_000)

    test('gives up on a port that is taken, and says so', async () => {
      const other = await listen(createServer())
      const PORT = String(other.port)
      const start = startApp('demo/cluster/server.ts', { STORE: store, PORT, WORKERS: '1' })
      await expect(start).rejects.toThrow(
        `before it listened on port ${PORT}. If the port is taken, set PORT`,
      )
      await other.close()
    }, 20_000)
  })
})
