import { spawn, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { createClient } from 'redis'

/** A private Redis on a free loopback port, with a folder of its own that goes with it. */
export class RedisServer {
  #child: ChildProcess | undefined
  #guard: ChildProcess | undefined
  #control: Promise<{ sendCommand(args: string[]): Promise<unknown>; destroy(): void }> | undefined

  private constructor(
    readonly port: number,
    readonly dir: string,
    private readonly args: readonly string[],
  ) {}

  /** Starts one. `args` are for redis-server: `['--appendonly', 'yes']`. */
  static async start(args: readonly string[] = []): Promise<RedisServer> {
    const dir = await mkdtemp(join(tmpdir(), 'express-sid-redis-'))
    return RedisServer.startIn(dir, await freePort(), args)
  }

  /** Starts one in a folder that was prepared for it. */
  static async startIn(dir: string, port: number, args: readonly string[]): Promise<RedisServer> {
    const server = new RedisServer(port, dir, args)
    await server.restart()
    return server
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Starts it again on its port with what it has on disk, and waits until it answers. */
  async restart(): Promise<void> {
    const common = ['--port', `${this.port}`, '--bind', '127.0.0.1', '--dir', this.dir, '--save', '']
    const child = spawn('redis-server', [...this.args, ...common], { stdio: 'ignore' })
    this.#child = child
    // Ends the server when this process is ended, however abruptly: its end of the pipe is closed then.
    this.#guard = spawn('sh', ['-c', `read -r _; kill -9 ${child.pid}`], {
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    await eventually(async () => (await this.ask('ping')) === 'PONG')
  }

  /** What the server answers to one command, over a connection of the test's own. */
  async ask(...command: string[]): Promise<unknown> {
    this.#control ??= createClient({
      url: this.url,
      disableOfflineQueue: true,
      socket: { reconnectStrategy: 20 },
    })
      .on('error', () => undefined)
      .connect()
    return (await this.#control).sendCommand(command)
  }

  /** Ends it as a power cut does. */
  async kill(): Promise<void> {
    this.#guard?.kill('SIGKILL')
    const child = this.#child
    this.#child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  /** It keeps its connections and answers nothing, until `resume`. */
  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Ends it and removes its folder. */
  async remove(): Promise<void> {
    ;(await this.#control)?.destroy()
    await this.kill()
    await rm(this.dir, { recursive: true, force: true })
  }
}

/** A primary and its replica, which is in step when this resolves. */
export async function startReplicated(): Promise<{ primary: RedisServer; replica: RedisServer }> {
  const fast = ['--repl-diskless-sync-delay', '0']
  const primary = await RedisServer.start(fast)
  const replica = await RedisServer.start([...fast, '--replicaof', `127.0.0.1 ${primary.port}`])
  await eventually(async () => String(await replica.ask('info', 'replication')).includes('link_status:up'))
  return { primary, replica }
}

/** Sentinels for the primary, with the name `main`, that agree with each other and know its replica. */
export async function startSentinels(primary: RedisServer, count: number): Promise<RedisServer[]> {
  const sentinels = await Promise.all(Array.from({ length: count }, () => startSentinel(primary, count)))
  await Promise.all(
    sentinels.map((sentinel) =>
      eventually(async () => {
        const known = String(await sentinel.ask('info', 'sentinel'))
        return known.includes(`status=ok`) && known.includes(`slaves=1,sentinels=${count}`)
      }),
    ),
  )
  return sentinels
}

async function startSentinel(primary: RedisServer, count: number): Promise<RedisServer> {
  const dir = await mkdtemp(join(tmpdir(), 'express-sid-sentinel-'))
  const config = join(dir, 'sentinel.conf')
  await writeFile(
    config,
    `sentinel monitor main 127.0.0.1 ${primary.port} ${Math.ceil((count + 1) / 2)}
     sentinel down-after-milliseconds main 500
     sentinel failover-timeout main 2000`,
  )
  return RedisServer.startIn(dir, await freePort(), [config, '--sentinel'])
}

/** Waits until `condition` holds; a failure of it counts as no. Fails after 15 s. */
export async function eventually(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 15_000
  while (!(await condition().catch(() => false))) {
    if (performance.now() > deadline) throw new Error(`this never held: ${condition.toString()}`)
    await pause(20)
  }
}

/**
 * A port that nobody listens on, below those that the system gives to outgoing connections: such a one could be
 * taken before the server has started.
 */
export async function freePort(): Promise<number> {
  const port = randomInt(10_000, 32_000)
  const server = createServer().listen(port, '127.0.0.1')
  const isFree = await once(server, 'listening').then(
    () => true,
    () => false,
  )
  if (!isFree) return freePort()
  server.close()
  await once(server, 'close')
  return port
}
