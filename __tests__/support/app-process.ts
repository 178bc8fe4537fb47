import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { bundled } from './bundle.js'

const root = join(__dirname, '../..')

export interface App {
  readonly url: string
  readonly port: number
  readonly process: ChildProcessWithoutNullStreams
  /** What it printed so far, on both outputs. */
  readonly output: () => string
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** Starts a TypeScript file as a server of its own process and waits until it says where it listens. */
export function startApp(file: string, env: Record<string, string> = {}): Promise<App> {
  // Jest's own environment would make the child a test.
  const base = { PATH: process.env.PATH, HOME: process.env.HOME, ...serverUrls() }
  // The demos look for files beside themselves, so they are run as people run them.
  const words = file.startsWith('demo/') ? ['--import', 'tsx', join(root, file)] : [bundled(file)]
  return startNode(words, { cwd: root, env: { ...base, ...env } })
}

/** Starts Node with these words, as a server of its own process. */
export async function startNode(
  words: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<App> {
  const child = spawn(process.execPath, words, { ...options, stdio: 'pipe' })
  let printed = ''
  child.stderr.on('data', (data: Buffer) => (printed += data.toString()))
  const exited = once(child, 'exit')
  const port = await new Promise<number>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      printed += `${line}\n`
      const found = /(?:listening on |localhost:|Local: +http:\/\/127\.0\.0\.1:|^\["port",)(\d+)/.exec(line)
      if (found) resolve(Number(found[1]))
    })
    void exited.then(() => reject(new Error(`${words.at(-1)} ended before it listened:\n${printed}`)))
  })
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    process: child,
    output: () => printed,
    async stop(signal = 'SIGTERM') {
      child.kill(signal)
      // One that does not go when asked must not hold up the tests.
      const impatience = setTimeout(() => child.kill('SIGKILL'), 5000)
      await exited
      clearTimeout(impatience)
    },
  }
}

function serverUrls(): Record<string, string> {
  const names = ['REDIS_URL', 'POSTGRES_URL', 'MYSQL_URL']
  return Object.fromEntries(names.map((name) => [name, process.env[name] ?? '']))
}
