import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { Client, type ClientConfig } from 'pg'
import { freePort } from './redis-servers.js'

/** A PostgreSQL server of a test's own, to be stopped, killed and paused. Ask for it with `needs('postgres-bin')`. */
export interface PostgresServer {
  /** How to reach it: the same before and after a restart. */
  readonly config: ClientConfig
  /** Starts it; resolves when it takes connections. */
  start(): Promise<void>
  /** Stops it in order: connections are closed, everything is written. */
  stop(): Promise<void>
  /** Ends it at once, as a crash does. The next start recovers. */
  kill(): Promise<void>
  /** Stops every process of it where it is: connections stay open, and nothing answers. */
  pause(): Promise<void>
  /** Goes on where `pause` stopped. */
  resume(): void
  /** Ends it and removes its files. */
  remove(): Promise<void>
}

/** Makes a server, not yet started, with its files in the system's folder for such. */
export async function createPostgres(): Promise<PostgresServer> {
  const directory = mkdtempSync(join(tmpdir(), 'sid-postgres-'))
  // Postgres refuses to run as root.
  const user: SpawnOptions = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
  if (user.uid !== undefined) chownSync(directory, 65_534, 65_534)
  const data = join(directory, 'data')
  const init = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync']
  const { status, stderr } = spawnSync(program('initdb'), init, { ...user, cwd: directory, encoding: 'utf8' })
  if (status !== 0) throw new Error(`initdb failed: ${stderr}`)

  const config = { host: '127.0.0.1', port: await freePort(), user: 'postgres', database: 'postgres' }
  const place = ['-D', data, '-k', directory, '-h', config.host, '-p', String(config.port)]
  let server: ChildProcess | undefined
  let paused: number[] = []

  const resume = () => {
    for (const pid of paused.splice(0)) process.kill(pid, 'SIGCONT')
  }
  const end = async (signal: NodeJS.Signals) => {
    resume()
    if (server === undefined || server.exitCode !== null) return
    const exit = once(server, 'exit')
    server.kill(signal)
    await exit
  }
  return {
    config,
    async start() {
      server = spawn(program('postgres'), [...place, '-F'], { ...user, cwd: directory, stdio: 'ignore' })
      await untilReady(server, config)
    },
    stop: () => end('SIGINT'),
    kill: () => end('SIGQUIT'),
    async pause() {
      const pids = [...(await backends(config)), server?.pid ?? 0]
      for (const pid of pids) process.kill(pid, 'SIGSTOP')
      paused = pids
    },
    resume,
    async remove() {
      await end('SIGQUIT')
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** From the PATH, or where Debian keeps it. */
function program(name: string): string {
  const folders = [18, 17, 16, 15, 14].map((version) => `/usr/lib/postgresql/${version}/bin`)
  const found = folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
  const isOnPath = (process.env.PATH ?? '').split(':').some((folder) => existsSync(join(folder, name)))
  return isOnPath ? name : (found ?? name)
}

async function untilReady(server: ChildProcess, config: ClientConfig): Promise<void> {
  for (let attempt = 0; attempt < 500; attempt++) {
    if (server.exitCode !== null) throw new Error(`postgres ended with ${server.exitCode}`)
    const client = new Client(config)
    try {
      await client.connect()
      await client.end()
      return
    } catch {
      await wait(20)
    }
  }
  throw new Error('postgres did not start within 10 s')
}

/** The processes of the connections that are open, all but the one that asks. */
async function backends(config: ClientConfig): Promise<number[]> {
  const client = new Client(config)
  await client.connect()
  const { rows } = await client.query<{ pid: number }>(
    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()",
  )
  await client.end()
  return rows.map(({ pid }) => pid)
}
