import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import { eventually, freePort } from './redis-servers.js'

/** A MariaDB server of a test's own, to be stopped, paused and made read-only. Ask for it with `needs('mysql-bin')`. */
export class MysqlServer {
  #process: ChildProcess | undefined

  private constructor(
    private readonly folder: string,
    private readonly port: number,
  ) {}

  /** Starts one with the database `test` and the user `app`, who may not write while the server is read-only. */
  static async start(): Promise<MysqlServer> {
    const folder = mkdtempSync(join(tmpdir(), 'sid-mysql-'))
    const server = new MysqlServer(folder, await freePort())
    const init = ['--no-defaults', `--datadir=${folder}/data`, '--auth-root-authentication-method=normal']
    const { status, stderr } = spawnSync('mariadb-install-db', [...init, '--skip-test-db', ...asRoot], {
      encoding: 'utf8',
    })
    if (status !== 0) throw new Error(`mariadb-install-db failed: ${stderr}`)
    await server.restart()
    await server.ask('CREATE DATABASE test')
    await server.ask("CREATE USER app@'%'")
    await server.ask("GRANT ALL ON test.* TO app@'%'")
    return server
  }

  get url(): string {
    return `mysql://app@127.0.0.1:${this.port}/test`
  }

  /** Starts it again with what it has on disk, and waits until it answers. */
  async restart(): Promise<void> {
    const place = [`--datadir=${this.folder}/data`, `--port=${this.port}`, `--socket=${this.folder}/socket`]
    const args = ['--no-defaults', ...place, '--bind-address=127.0.0.1', '--skip-name-resolve', ...asRoot]
    const child = spawn('mariadbd', args, { stdio: 'ignore' })
    this.#process = child
    process.once('exit', () => child.kill('SIGKILL'))
    await eventually(async () => this.ask('SELECT 1').then(() => true))
  }

  /** As its administrator, who may write at any time. */
  async ask(sql: string): Promise<void> {
    const connection = await createConnection({ host: '127.0.0.1', port: this.port, user: 'root' })
    try {
      await connection.query(sql)
    } finally {
      await connection.end()
    }
  }

  pause(): void {
    this.#process?.kill('SIGSTOP')
  }

  resume(): void {
    this.#process?.kill('SIGCONT')
  }

  /** Ends it at once, as a crash does. The next start recovers. */
  async kill(): Promise<void> {
    const child = this.#process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  /** Ends it and removes its files. */
  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** It refuses to run as root unless told that this is meant. */
const asRoot = process.getuid?.() === 0 ? ['--user=root'] : []
