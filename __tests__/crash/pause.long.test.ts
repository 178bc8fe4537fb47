import { setTimeout as wait } from 'node:timers/promises'
import type { AppState } from '../support/app-inspect.js'
import { startApp, type App } from '../support/app-process.js'
import { startPrivateServers, type PrivateServer } from '../support/private-stores.js'
import { eventually } from '../support/redis-servers.js'
import { STORE_TIMEOUT } from '../support/trouble.js'

const PAUSE_MS = 30_000
const LOGINS_A_SECOND = 400

/** The core's limit of unanswered calls: past it nothing more is sent. */
const MAX_UNANSWERED = 10_000

/** What a call may cost that waits in a client: its text, its promises and its timer. */
const BYTES_A_CALL = 10_000

describe('a store that is paused for 30 s while logins go on', () => {
  let servers: PrivateServer[] = []

  beforeAll(async () => {
    servers = await startPrivateServers()
  }, 60_000)

  afterAll(() => Promise.all(servers.map((server) => server.remove())))

  test('costs the app no more than its limit of calls, each late request is a 503, and all works afterwards', async () => {
    for (const server of servers) for (const store of server.stores) await expectBounded(server, store)
  }, 400_000)

  async function expectBounded(server: PrivateServer, store: string): Promise<void> {
    const env = { STORE: store, STORE_TIMEOUT: String(STORE_TIMEOUT) }
    const app = await startApp('__tests__/support/app-server.ts', env)
    try {
      await eventually(async () => (await login(app)) === 200)
      const before = await stateOf(app)
      await server.pause()
      const { statuses, states } = await loginsDuring(app, PAUSE_MS)
      server.resume()
      const resumed = performance.now()
      // Ask first: mysql2 opens connections anew when it is asked, and not for what it has queued.
      const isBack = async () => (await login(app)) === 200 && (await stateOf(app)).unanswered === 0
      await eventually(isBack).catch(async () => {
        throw new Error(
          `${store} is not back: ${JSON.stringify(await stateOf(app))}, login ${await login(app)}`,
        )
      })
      const after = await stateOf(app)
      print(store, { statuses, before, states, after, seconds: (performance.now() - resumed) / 1000 })

      expect([...statuses.keys()]).toEqual([503])
      const most = Math.max(...states.map(({ unanswered }) => unanswered))
      expect(most).toBeLessThanOrEqual(MAX_UNANSWERED)
      const highest = Math.max(...states.map(({ heap }) => heap))
      expect(highest - before.heap).toBeLessThan(MAX_UNANSWERED * BYTES_A_CALL)
      expect(after.heap - before.heap).toBeLessThan(20_000_000)
    } finally {
      server.resume()
      await app.stop()
    }
  }
})

/** Logins at a steady pace, however they are answered. */
async function loginsDuring(app: App, ms: number) {
  const statuses = new Map<number, number>()
  const states: AppState[] = []
  const asked: Promise<void>[] = []
  const end = performance.now() + ms
  let next = performance.now() + 1_000
  while (performance.now() < end) {
    for (let count = 0; count < LOGINS_A_SECOND / 40; count += 1) {
      asked.push(login(app).then((status) => void statuses.set(status, (statuses.get(status) ?? 0) + 1)))
    }
    await wait(25)
    if (performance.now() < next) continue
    next += 1_000
    states.push(await stateOf(app))
  }
  await Promise.all(asked)
  return { statuses, states }
}

async function login(app: App): Promise<number> {
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${app.url}/0/login`, { method: 'POST', headers, body: '{"id":"ann"}' })
  await answer.text()
  return answer.status
}

async function stateOf(app: App): Promise<AppState> {
  return (await (await fetch(`${app.url}/0/state`)).json()) as AppState
}

interface Figures {
  readonly statuses: Map<number, number>
  readonly before: AppState
  readonly states: readonly AppState[]
  readonly after: AppState
  readonly seconds: number
}

function print(store: string, { statuses, before, states, after, seconds }: Figures): void {
  const line = ({ unanswered, heap, rss }: AppState) =>
    `${unanswered} unanswered, heap ${Math.round(heap / 1e6)} MB, RSS ${Math.round(rss / 1e6)} MB`
  const at = (second: number) =>
    `\n  after ${second} s: ${line(states[Math.min(second, states.length) - 1]!)}`
  process.stdout.write(
    `\n${store.split(':')[0]!}: ${JSON.stringify([...statuses])}\n  before: ${line(before)}` +
      `${[5, 10, 20, 30].map(at).join('')}\n  ${seconds.toFixed(1)} s after it went on: ${line(after)}\n`,
  )
}
