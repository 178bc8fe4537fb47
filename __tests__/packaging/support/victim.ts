import { once } from 'node:events'
import { startNode } from '../../support/app-process.js'
import { makeConsumer } from './packed.js'
import { ask, type RawResponse } from './raw.js'

/** A server in a process of its own, made from the tarball, and everything that it ever let out. */
export interface Victim {
  readonly port: number
  readonly folder: string
  /** One request. Whatever it is, the answer is below 500 and comes before the deadline. */
  readonly ask: (request: string, ...lines: string[]) => Promise<RawResponse>
  /** The token of a new login. */
  readonly logIn: (as?: string) => Promise<string>
  /** Whether somebody with these header lines is logged in, and as whom. */
  readonly whoIs: (...lines: string[]) => Promise<string | null>
  /** Every token that was issued. */
  readonly issued: string[]
  /** What it wrote to its standard output and error. */
  readonly logged: () => string
  /** What it logged and answered, apart from the lines that set cookies. */
  readonly said: () => string
  readonly isRunning: () => boolean
  readonly stop: () => Promise<void>
}

const packages = [
  'express',
  'express-session',
  'libsql',
  'redis',
  'ioredis',
  'pg',
  '@electric-sql/pglite',
  'mysql2',
]

export interface VictimOptions {
  readonly mode?: 'development' | 'production'
  /** What the app takes for `trust proxy`. */
  readonly trustProxy?: number
  /** With a space between. */
  readonly trustedOrigins?: string
  /** What its clients say as `Host`. */
  readonly host?: string
}

/** @param store `KIND:PLACE`, as the server reads it; `FOLDER` in it is the server's own folder. */
export async function startVictim(store: string, options: VictimOptions = {}): Promise<Victim> {
  const { mode = 'development', trustProxy = 0, trustedOrigins = '', host } = options
  const { folder, remove } = await makeConsumer('server', packages)
  const env = {
    ...process.env,
    STORE: store.replace('FOLDER', folder),
    NODE_ENV: mode,
    TRUST_PROXY: String(trustProxy),
    TRUSTED_ORIGINS: trustedOrigins,
  }
  const app = await startNode(['server.js'], { cwd: folder, env })
  const { port } = app
  const answered: string[] = []
  const issued: string[] = []
  const victim: Victim = {
    port,
    folder,
    issued,
    ask: async (request, ...headerLines) => {
      const res = await ask(port, request, headerLines, host)
      answered.push(res.headers.replace(/^Set-Cookie: .*$/gim, ''), res.body)
      if (res.sid) issued.push(res.sid)
      if (res.status === 0 || res.status >= 500) throw new Error(`${request}: ${res.headers}\n${res.body}`)
      return res
    },
    logIn: async (as = 'ann') => (await victim.ask(`POST /login?as=${as}`)).sid!,
    whoIs: async (...headerLines) => {
      const { body, status } = await victim.ask('GET /me', ...headerLines)
      // A request that Node itself refuses has logged in nobody.
      return status === 200 ? ((JSON.parse(body) as { user: { id: string } | null }).user?.id ?? null) : null
    },
    logged: app.output,
    said: () => [app.output(), ...answered].join('\n'),
    isRunning: () => app.process.exitCode === null && app.process.signalCode === null,
    stop: async () => {
      if (victim.isRunning()) {
        app.process.stdin.end()
        await once(app.process, 'exit')
      }
      await remove()
    },
  }
  return victim
}
