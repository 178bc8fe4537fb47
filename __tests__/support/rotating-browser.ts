import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import type { Operation } from './history.js'

export interface Burst {
  readonly requests: number
  /** The share of responses that never reach the browser: the connection breaks, or it goes away before. */
  readonly lost?: number
}

/** One browser with one jar, whose many requests go to all servers at a time. Writes down what it saw. */
export class RotatingBrowser {
  readonly history: Operation[] = []
  /** How many new cookies reached the browser, or were lost on their way to it. */
  given = 0
  #jar = ''

  constructor(
    private readonly urls: readonly string[],
    readonly name: string,
  ) {}

  async login(): Promise<void> {
    const start = performance.now()
    const response = await fetch(`${this.urls[0]}/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({ id: this.name }),
    })
    this.#take(response)
    const end = performance.now()
    this.history.push({ kind: 'login', session: this.name, user: this.name, start, end, result: 'ok' })
  }

  /** So many requests within a moment. Each has the cookie that the browser has when it is sent. */
  async burst({ requests, lost = 0 }: Burst): Promise<void> {
    const sent = Array.from({ length: requests }, async () => {
      await pause(Math.random() * 150)
      await this.#request(Math.random() < lost)
    })
    await Promise.all(sent)
  }

  async #request(isLost: boolean): Promise<void> {
    const url = this.urls[Math.floor(Math.random() * this.urls.length)]!
    const start = performance.now()
    const abort = new AbortController()
    if (isLost && Math.random() < 0.5) setTimeout(() => abort.abort(), Math.random() * 30)
    const times = () => ({ kind: 'read' as const, session: this.name, start, end: performance.now() })
    try {
      const response = await fetch(`${url}/me`, { headers: { cookie: this.#jar }, signal: abort.signal })
      if (isLost) {
        this.given += response.headers.has('set-cookie') ? 1 : 0
        await response.body?.cancel()
        this.history.push({ ...times(), end: Infinity, result: 'unanswered' })
        return
      }
      if (response.headers.has('set-cookie')) {
        this.given += 1
        this.#take(response)
      }
      const { user } = (await response.json()) as { user: unknown }
      const seen = user === null ? 'out' : 'in'
      this.history.push({ ...times(), result: response.ok ? seen : 'failed' })
    } catch {
      this.history.push({ ...times(), end: Infinity, result: 'unanswered' })
    }
  }

  #take(response: Response): void {
    this.#jar = response.headers.get('set-cookie')!.split(';')[0]!
  }
}
