import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import type { Operation } from './history.js'

/** Browsers that log in, read, count and log out at servers of one store, and write down what they saw. */
export class Workload {
  readonly history: Operation[] = []
  #isOver = false
  #sessions = 0

  constructor(private readonly urls: readonly string[]) {}

  /** Runs so many browsers until `stop`; each answers once its last request has ended. */
  async run(browsers: number): Promise<void> {
    await Promise.all(Array.from({ length: browsers }, () => this.#browser()))
  }

  stop(): void {
    this.#isOver = true
  }

  /** Asks for every login once more, whether it still is one. */
  async readAll(): Promise<void> {
    for (const [session, cookie] of this.cookies) await this.#request('read', session, cookie, '/me')
  }

  readonly cookies = new Map<string, string>()

  async #browser(): Promise<void> {
    while (!this.#isOver) {
      this.#sessions += 1
      const session = `session-${this.#sessions}`
      const cookie = await this.#login(session)
      if (cookie === undefined) {
        await pause(5)
        continue
      }
      await Promise.all([
        this.#reads(session, cookie),
        this.#request('count', session, cookie, `/count?ms=${jitter(10)}`),
        this.#request('count', session, cookie, `/count?ms=${jitter(10)}`),
      ])
      // Some stay logged in, most leave while slow requests of theirs are under way.
      if (Math.random() < 0.3) continue
      const slow = [
        this.#request('read', session, cookie, `/slow?ms=${jitter(20)}`),
        this.#request('count', session, cookie, `/count?ms=${jitter(20)}`),
      ]
      await pause(jitter(8))
      await this.#request('logout', session, cookie, '/logout')
      await this.#reads(session, cookie)
      await Promise.all(slow)
      await this.#reads(session, cookie)
    }
  }

  async #reads(session: string, cookie: string): Promise<void> {
    for (let count = 0; count < 3; count += 1) await this.#request('read', session, cookie, '/me')
  }

  async #login(session: string): Promise<string | undefined> {
    const start = performance.now()
    const response = await this.#fetch('/login', 'POST', '', JSON.stringify({ id: session }))
    const cookie = response?.cookie?.split(';')[0]
    const result = response === undefined ? 'unanswered' : response.status === 200 ? 'ok' : 'failed'
    this.history.push({ kind: 'login', session, start, end: ended(result), result })
    if (result === 'ok') this.cookies.set(session, cookie!)
    return result === 'ok' ? cookie : undefined
  }

  async #request(kind: 'read' | 'count' | 'logout', session: string, cookie: string, path: string) {
    const start = performance.now()
    const response = await this.#fetch(path, kind === 'read' ? 'GET' : 'POST', cookie)
    const [result, value] = resultOf(kind, response)
    const counted = value === undefined ? {} : { value }
    this.history.push({ kind, session, start, end: ended(result), result, ...counted })
  }

  async #fetch(path: string, method: string, cookie: string, body?: string) {
    const url = this.urls[Math.floor(Math.random() * this.urls.length)]!
    try {
      const headers = { cookie, accept: 'application/json', 'content-type': 'application/json' }
      const request = { method, headers, signal: AbortSignal.timeout(10_000) }
      const response = await fetch(url + path, body === undefined ? request : { ...request, body })
      const json: unknown = await response.json().catch(() => undefined)
      return { status: response.status, cookie: response.headers.get('set-cookie'), json }
    } catch {
      return undefined
    }
  }
}

type Answered = { status: number; json: unknown } | undefined

/** What an answer means. A status that no case allows for is thrown, and fails the test. */
function resultOf(kind: 'read' | 'count' | 'logout', response: Answered): [Operation['result'], number?] {
  if (response === undefined) return ['unanswered']
  const { status, json } = response
  if (status === 503) return ['failed']
  if (kind === 'read' && status === 200) return [(json as { user: unknown }).user === null ? 'out' : 'in']
  if (kind === 'logout' && status === 200) return ['ok']
  if (kind === 'count' && status === 200) return ['ok', (json as { count: number }).count]
  if (kind === 'count' && status === 401) return ['out']
  throw new Error(`${kind} was answered ${status}: ${JSON.stringify(json)}`)
}

function ended(result: Operation['result']): number {
  return result === 'unanswered' ? Infinity : performance.now()
}

function jitter(most: number): number {
  return Math.floor(Math.random() * most)
}
