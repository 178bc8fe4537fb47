import { randomBytes } from 'node:crypto'
import type { Contender } from '../contenders.js'
import type { Amount, Driver, Load, Request } from '../load/driver.js'
import { Connection, own } from '../load/own.js'
import { cookiesOf, OTHER_COOKIES, requestText } from '../load/request.js'
import type { Node } from './nodes.js'
import type { Profile, Setup } from './server.js'
import { ServerProcess } from './server-process.js'
import { BODY_FOR_NOBODY, bodyFor, userOf, USERS } from './users.js'

/** One window under load. */
export interface Sample {
  /** Requests a second. */
  readonly rate: number
  /** Microseconds of the server's processor time for each request. */
  readonly cpu: number
  /** The share of the window in which the server was at work: below 0.9, the load or the machine was the limit. */
  readonly busy: number
  readonly p50: number
  readonly p99: number
}

/** A contender that runs: its process, its users and their cookies. */
export class Running {
  readonly #cookies: string[] = []
  readonly #loads: Load[] = []

  private constructor(
    readonly about: Contender,
    private readonly server: ServerProcess,
    private readonly port: number,
    private readonly connection: Connection,
  ) {}

  /** Starts the server on that Node. `setup` is handed to the module's `mount`. */
  static async start(about: Contender, node: Node, setup: Partial<Setup> = {}): Promise<Running> {
    const tag = `sidbench_${randomBytes(6).toString('hex')}`
    const server = new ServerProcess(about, node, { build: about.build, tag, ...setup })
    const { port } = await server.reply()
    return new Running(about, server, port!, await Connection.open(port!))
  }

  get name(): string {
    return this.about.name
  }

  get label(): string {
    return this.about.label
  }

  /** Logs every user in. */
  async login(): Promise<void> {
    for (let n = 0; n < USERS; n++) {
      const response = await this.connection.ask(requestText('POST', `/login?n=${n}`))
      if (!response.startsWith('HTTP/1.1 2')) throw new Error(`${this.name} did not log in:\n${response}`)
      // Where nobody reads the cookie, one as long as ours: a header's length is a cost of HTTP, not of a middleware.
      this.#cookies.push(cookiesOf(response) ?? `${OTHER_COOKIES}; __Host-sid=${'x'.repeat(102)}`)
    }
  }

  /** Proves that each user is recognised and a stranger is not. */
  async check(): Promise<void> {
    for (const request of this.requests) await this.#expect(request)
    if (this.about.asks !== 'blindly') await this.#expect(STRANGER)
  }

  /** What the browsers ask under load, and the response that is theirs. */
  get requests(): Request[] {
    const { asks } = this.about
    if (asks === 'withoutCookie') return [STRANGER]
    return this.#cookies.map((cookie, n) => ({
      text: requestText('GET', '/me', cookie),
      expected: bodyFor(userOf(asks === 'blindly' ? 0 : n)),
    }))
  }

  /** Connections that stay open until they are closed, or the contender is. */
  async open(connections: number, requests = this.requests, driver: Driver = own): Promise<Load> {
    const load = await driver.open(this.port, requests, connections)
    this.#loads.push(load)
    return load
  }

  /** One window under load. Throws where a response is wrong. */
  async window(load: Load, amount: Amount): Promise<Sample> {
    const before = await this.#cpu()
    const { count, seconds, p50, p99, wrong } = await load.run(amount)
    const cpu = (await this.#cpu()) - before
    if (wrong.length > 0)
      throw new Error(`${this.name}: ${wrong.length} wrong responses, such as\n${wrong[0]}`)
    return { rate: count / seconds, cpu: cpu / count, busy: cpu / 1e6 / seconds, p50, p99 }
  }

  /** The profile of the server while something runs. */
  async profile(task: () => Promise<unknown>): Promise<Profile> {
    await this.server.ask('startProfile')
    await task()
    return (await this.server.ask('stopProfile')).profile!
  }

  async close(): Promise<void> {
    for (const load of this.#loads) load.close()
    this.connection.close()
    await this.server.close()
  }

  async #cpu(): Promise<number> {
    const { user, system } = (await this.server.ask('cpu')).cpu!
    return user + system
  }

  async #expect({ text, expected }: Request): Promise<void> {
    const response = await this.connection.ask(String(text))
    if (response.startsWith('HTTP/1.1 200') && response.endsWith(expected)) return
    throw new Error(`${this.name} must respond with ${expected}, but responded:\n${response}`)
  }
}

const STRANGER: Request = { text: requestText('GET', '/me'), expected: BODY_FOR_NOBODY }
