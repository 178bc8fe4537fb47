import { startApp, type App } from './app-process.js'
import { eventually } from './redis-servers.js'
import type { SeenRequest } from './rotation-server.js'

/** The rotating app in a process of its own, with what a test may do to it. */
export async function startRotatingSite() {
  const app: App = await startApp('__tests__/support/rotation-server.ts')
  let clock = 0
  const post = async (path: string, body: object = {}) => {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(app.url + path, { method: 'POST', headers, body: JSON.stringify(body) })
    return (await response.json()) as { count: number }
  }
  const get = async <T>(path: string) => (await (await fetch(app.url + path)).json()) as T
  return {
    url: `${app.url}/0`,
    stop: () => app.stop(),
    /** Lets so many milliseconds pass on the server. */
    pass: (ms: number) => post('/world', { clock: (clock += ms) }),
    /** From now on time passes so many times faster there. */
    goFaster: (faster: number) => post('/world', { faster }),
    /** What the server has seen since it was asked last. */
    seen: () => get<SeenRequest[]>('/seen'),
    events: () => get<{ rotate: number; reuse: number; rotationUnused: number }>('/0/events'),
    /** Waits until so many responses are held back. */
    holds: (count: number) =>
      eventually(async () => (await get<{ count: number }>('/waiting')).count === count),
    /** Waits until the server has seen that the browser hung up on so many of them. */
    loses: (count: number) =>
      eventually(async () => (await get<{ lost: number }>('/waiting')).lost === count),
    /** Lets the responses go that were held back. */
    release: () => post('/release'),
  }
}

export type RotatingSite = Awaited<ReturnType<typeof startRotatingSite>>
