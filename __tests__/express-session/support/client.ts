import request from 'supertest'
import type { Server } from 'node:http'
import type { Express } from 'express'

/** A browser that keeps the one cookie of express-session. */
export class Client {
  cookie: string | undefined

  constructor(
    private readonly target: Express | Server,
    readonly name = 'connect.sid',
  ) {}

  get(path: string, headers: Record<string, string> = {}): request.Test {
    return this.#ask('GET', path, headers)
  }

  post(path: string, headers: Record<string, string> = {}): request.Test {
    return this.#ask('POST', path, headers)
  }

  /** What another browser with the same cookie would send. */
  copy(): Client {
    return Object.assign(new Client(this.target, this.name), { cookie: this.cookie })
  }

  /** The express-session id in the cookie. */
  get sid(): string | undefined {
    const text = this.cookie === undefined ? undefined : decodeURIComponent(this.cookie)
    return text?.slice(text.indexOf('=') + 3, text.lastIndexOf('.'))
  }

  #ask(method: string, path: string, headers: Record<string, string>): request.Test {
    const test = new request.Test(this.target, method, path)
    if (this.cookie !== undefined) test.set('Cookie', this.cookie)
    for (const [name, value] of Object.entries(headers)) test.set(name, value)
    test.once('response', (res: request.Response) => this.#receive(res))
    return test
  }

  #receive(res: request.Response): void {
    const lines = (res.headers['set-cookie'] ?? []) as unknown as string[]
    for (const line of lines.filter((one) => one.startsWith(`${this.name}=`))) {
      const [pair] = line.split(';')
      this.cookie = pair === `${this.name}=` ? undefined : pair
    }
  }
}
