import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
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
  const child = spawn(process.execPath, ['server.js'], { cwd: folder, env })
  const logged: string[] = []
  const answered: string[] = []
  child.stderr.on('data', (part: Buffer) => logged.push(part.toString()))
  const lines = createInterface(child.stdout)
  lines.on('line', (line) => logged.push(line))
  const first = await Promise.race([once(lines, 'line'), once(child, 'exit')])
  const [, port] = (typeof first[0] === 'string' ? JSON.parse(first[0]) : []) as [string, number]
  if (port === undefined) throw new Error(`the server did not start: ${logged.join('\n')}`)

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
    logged: () => logged.join('\n'),
    said: () => [...logged, ...answered].join('\n'),
    isRunning: () => child.exitCode === null && child.signalCode === null,
    stop: async () => {
      if (victim.isRunning()) {
        child.stdin.end()
        await once(child, 'exit')
      }
      await remove()
    },
  }
  return victim
}
