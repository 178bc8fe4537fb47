import { setTimeout as pause } from 'node:timers/promises'
import { startApp, type App } from '../support/app-process.js'
import type { Operation } from '../support/history.js'
import { startPrivateServers, type PrivateServer } from '../support/private-stores.js'
import type { Workload } from '../support/workload.js'
import { LONGEST_ANSWER, STORE_TIMEOUT, underFault, type Report } from '../support/trouble.js'
import { wide } from '../support/wide.js'

// Every test is about all stores at once: most of the time is waiting. A report's name says which store it is of.
describe('while the server of a store is in trouble', () => {
  let servers: PrivateServer[]
  let app: App

  beforeAll(async () => {
    servers = await startPrivateServers()
    const STORE = servers.flatMap((server) => server.stores).join(' ')
    const env = { STORE, STORE_TIMEOUT: String(STORE_TIMEOUT), TOUCH_INTERVAL: '50' }
    app = await startApp('__tests__/support/app-server.ts', env)
  }, 60_000)

  afterAll(async () => {
    await app.stop()
    await Promise.all(servers.map((server) => server.remove()))
  })

  type Fault = (server: PrivateServer, loads: readonly Workload[]) => Promise<unknown>

  async function reports(fault: Fault): Promise<[string, Report][]> {
    const names = servers.flatMap((server) => server.stores)
    const all = servers.map(async (server) => {
      const urls = server.stores.map((name) => `${app.url}/${names.indexOf(name)}`)
      const found = await underFault(urls, async (loads) => void (await fault(server, loads)))
      return found.map((report, index): [string, Report] => [server.stores[index]!, report])
    })
    return (await Promise.all(all)).flat()
  }

  /** What holds in any trouble: no wrong answer, none that is late. `underFault` waits until all is as before. */
  function expectPromises(all: [string, Report][]): void {
    const broken = all.filter(
      ([, { wrong, violations, late }]) => wrong.length + violations.length + late.length > 0,
    )
    expect(broken).toEqual([])
    expect(app.process.exitCode).toBeNull()
    expect(app.process.signalCode).toBeNull()
  }

  const refused = (loads: readonly Workload[], ...kinds: Operation['kind'][]) =>
    Promise.all(loads.map((load) => load.seesRefused(3, ...kinds)))

  test('killed and started again: requests are refused meanwhile, and nothing acknowledged is lost', async () => {
    const all = await reports(async (server, loads) => {
      await server.kill()
      await refused(loads)
      await server.restart()
    })
    expectPromises(all)
  }, 30_000)

  // The default run has pauses in redis-outage and postgres-restart.
  wide.test(
    'paused: requests are refused within their deadlines, and go on when it does',
    async () => {
      const all = await reports(async (server, loads) => {
        await server.pause()
        // Longer than any answer may take, so that one which only waited for the end counts as late.
        await Promise.all([pause(LONGEST_ANSWER + 500), refused(loads)])
        server.resume()
      })
      expectPromises(all)
    },
    60_000,
  )

  test('read-only: logins, logouts and writes are refused, and reads go on', async () => {
    const all = await reports(async (server, loads) => {
      await server.setReadOnly(true)
      await refused(loads, 'login', 'logout', 'revoke', 'count')
      await server.setReadOnly(false)
    })
    expectPromises(all)
    for (const [, { during }] of all) expect(during.has('read in') || during.has('read out')).toBe(true)
  }, 30_000)
})
