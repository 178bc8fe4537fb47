import { startApp, type App } from './app-process.js'

/** A login at another node, in a process of its own, that can be killed. */
export interface RemoteLogin {
  readonly id: string
  /** Asks the node to end it; false where the node has not acknowledged that. */
  end(): Promise<boolean>
}

/** A node in a process of its own, on these stores. */
export async function startEndingNode(stores: readonly string[]) {
  const app = await startApp('__tests__/support/app-server.ts', { STORE: stores.join(' ') })
  return { app, logIn: (at: number) => logIn(app, at), kill: () => app.stop('SIGKILL') }
}

let users = 0

async function logIn(app: App, at: number): Promise<RemoteLogin> {
  const url = `${app.url}/${at}`
  const headers = { 'Content-Type': 'application/json', 'User-Agent': 'node' }
  const body = JSON.stringify({ id: `ends-${process.pid}-${(users += 1)}` })
  const res = await fetch(`${url}/login`, { method: 'POST', headers, body })
  const cookie = res.headers.getSetCookie()[0]?.split(';')[0]
  if (res.status !== 200 || cookie === undefined) throw new Error(`the login at ${url} came to ${res.status}`)
  const end = async () => {
    const options = { method: 'POST', headers: { ...headers, Cookie: cookie } }
    const answer = await fetch(`${url}/revoke-all`, options).catch(() => undefined)
    return answer?.status === 200
  }
  return { id: cookie.slice('sid='.length, 'sid='.length + 36), end }
}
