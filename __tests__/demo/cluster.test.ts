import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { startApp, type App } from '../support/app-process.js'
import { needs, type Part } from '../support/needs.js'

describe.each<[Part, string]>([
  ['redis', 'redis'],
  ['postgres', 'postgres'],
])('the cluster demo on %s', (part, store) => {
  needs(part)('with several processes', () => {
    let app: App
    beforeAll(async () => {
      app = await startApp('demo/cluster/server.ts', { STORE: store, PORT: '0', WORKERS: '3' })
    }, 20_000)
    afterAll(() => app.stop())

    /** Asks until every process has answered; each connection may reach another one. */
    const askAll = async (cookie: string) => {
      const answers = new Map<number, unknown>()
      while (answers.size < 3) {
        const response = await fetch(`${app.url}/me`, { headers: { cookie, connection: 'close' } })
        const { pid, user } = (await response.json()) as { pid: number; user: unknown }
        answers.set(pid, user)
      }
      return [...answers.values()]
    }
    const post = (path: string, cookie: string, body = '') =>
      fetch(app.url + path, {
        method: 'POST',
        redirect: 'manual',
        headers: { cookie, 'content-type': 'application/x-www-form-urlencoded' },
        body,
      })

    test('a login on one is a login on all, a logout on one ends all at once', async () => {
      const name = `Ann ${Math.random()}`
      const response = await post('/login', '', `name=${name}`)
      const cookie = response.headers.get('set-cookie')!.split(';')[0]!
      const user = { id: name.toLowerCase(), name }
      expect(await askAll(cookie)).toEqual([user, user, user])
      await post('/logout', cookie)
      expect(await askAll(cookie)).toEqual([null, null, null])
    }, 20_000)

    test('gives up on a port that is taken, and says so', async () => {
      const other = createServer().listen(0)
      await once(other, 'listening')
      const PORT = String((other.address() as AddressInfo).port)
      const start = startApp('demo/cluster/server.ts', { STORE: store, PORT, WORKERS: '1' })
      await expect(start).rejects.toThrow(
        `before it listened on port ${PORT}. If the port is taken, set PORT`,
      )
      other.close()
    }, 20_000)
  })
})
