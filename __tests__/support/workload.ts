import { performance } from 'node:perf_hooks'
import { setTimeout as pause } from 'node:timers/promises'
import type { Operation } from './history.js'

/** A login in one browser. */
interface Device {
  readonly session: string
  readonly user: string
  readonly cookie: string
}

const acknowledged = ['login', 'logout', 'revoke', 'count'] as const

type Kind = Exclude<Operation['kind'], 'login'>

export interface WorkloadOptions {
  /** The longest that a browser waits before each request, in milliseconds. Default 0: as fast as it is answered. */
  readonly thinks?: number
}

/** Browsers that log in, read, count, log out and revoke at servers of one store, and write down what they saw. */
export class Workload {
  readonly history: Operation[] = []
  /** What no server may answer, whatever the state of its store. */
  readonly wrong: string[] = []
  readonly #devices: Device[] = []
  readonly #thinks: number
  #isOver = false
  #users = 0

  constructor(
    private readonly urls: readonly string[],
    { thinks = 0 }: WorkloadOptions = {},
  ) {
    this.#thinks = thinks
  }

  /** Runs so many browsers until `stop`; each answers once its last request has ended. */
  async run(browsers: number): Promise<void> {
    await Promise.all(Array.from({ length: browsers }, () => this.#browser()))
  }

  stop(): void {
    this.#isOver = true
  }

  /** Waits until so many more of each kind were acknowledged. The test's own timeout is the limit. */
  async haveEach(count: number): Promise<void> {
    const done = (kind: Operation['kind']) =>
      this.history.filter((one) => one.kind === kind && one.result === 'ok').length
    const enough = acknowledged.map((kind) => ({ kind, count: done(kind) + count }))
    while (!this.#isOver && enough.some((one) => done(one.kind) < one.count)) await pause(50)
  }

  /** Waits until so many more requests were refused with 503, of these kinds or of any. */
  async seesRefused(count: number, ...kinds: Operation['kind'][]): Promise<void> {
    const isMeant = ({ kind, result }: Operation) =>
      result === 'failed' && (kinds.length === 0 || kinds.includes(kind))
    const seen = () => this.history.filter(isMeant).length
    const before = seen()
    while (!this.#isOver && seen() < before + count) await pause(50)
  }

  /** Asks for every login once more, whether it still is one. */
  async readAll(): Promise<void> {
    const left = this.#devices.values()
    const reader = async () => {
      for (const device of left) await this.#request('read', device, '/me')
    }
    await Promise.all(Array.from({ length: 8 }, reader))
  }

  /** A life: one or two logins of a user, each at work, and for most an end while requests are under way. */
  async #browser(): Promise<void> {
    while (!this.#isOver) {
      this.#users += 1
      const user = `user-${this.#users}`
      const names = Math.random() < 0.5 ? ['laptop'] : ['laptop', 'phone']
      const logins = await Promise.all(names.map((name) => this.#login(user, `${user}'s ${name}`)))
      const devices = logins.filter((device) => device !== undefined)
      const [first] = devices
      if (first === undefined) {
        await pause(5)
        continue
      }
      await Promise.all(devices.map((device) => this.#use(device)))
      const fate = Math.random()
      if (fate < 0.3) continue
      const slow = devices.map((device) => this.#useSlowly(device))
      await pause(jitter(8))
      if (fate < 0.6) await this.#request('revoke', first, '/revoke-all')
      else await Promise.all(devices.map((device) => this.#request('logout', device, '/logout')))
      await Promise.all(devices.map((device) => this.#reads(device)))
      await Promise.all(slow)
      await Promise.all(devices.map((device) => this.#reads(device)))
    }
  }

  async #use(device: Device): Promise<void> {
    const count = () => this.#request('count', device, `/count?ms=${jitter(10)}`)
    await Promise.all([this.#reads(device), count(), count()])
  }

  async #useSlowly(device: Device): Promise<void> {
    await Promise.all([
      this.#request('read', device, `/slow?ms=${jitter(20)}`),
      this.#request('count', device, `/count?ms=${jitter(20)}`),
    ])
  }

  async #reads(device: Device): Promise<void> {
    for (let count = 0; count < 3; count += 1) await this.#request('read', device, '/me')
  }

  async #login(user: string, session: string): Promise<Device | undefined> {
    const { response, ...times } = await this.#fetch('/login', 'POST', '', JSON.stringify({ id: user }))
    const cookie = response?.cookie?.split(';')[0]
    const result = response === undefined ? 'unanswered' : response.status === 200 ? 'ok' : 'failed'
    if (result === 'failed') this.#check(response!.status === 503, 'login', response)
    this.history.push({ kind: 'login', session, user, ...times, result, ...reasonOf(response) })
    if (result !== 'ok') return undefined
    const device = { session, user, cookie: cookie! }
    this.#devices.push(device)
    return device
  }

  async #request(kind: Kind, { session, user, cookie }: Device, path: string): Promise<void> {
    const { response, ...times } = await this.#fetch(path, kind === 'read' ? 'GET' : 'POST', cookie)
    const meaning = meaningOf(kind, response)
    this.#check(meaning !== undefined, kind, response)
    const outcome = meaning ?? { result: 'failed' }
    this.history.push({ kind, session, user, ...times, ...outcome, ...reasonOf(response) })
  }

  /** Whatever is wrong with the store, an answer is one that the app knows, and no 503 touches the cookie. */
  #check(isKnown: boolean, kind: string, response: Answer): void {
    const touchesCookie = response?.status === 503 && response.cookie !== null
    if (!isKnown || touchesCookie) this.wrong.push(`${kind} was answered ${JSON.stringify(response)}`)
  }

  async #fetch(path: string, method: string, cookie: string, body?: string) {
    if (this.#thinks > 0) await pause(jitter(this.#thinks))
    const url = this.urls[Math.floor(Math.random() * this.urls.length)]!
    const start = performance.now()
    try {
      const headers = { cookie, accept: 'application/json', 'content-type': 'application/json' }
      const request = { method, headers, signal: AbortSignal.timeout(10_000) }
      const answer = await fetch(url + path, body === undefined ? request : { ...request, body })
      const json: unknown = await answer.json().catch(() => undefined)
      const response = { status: answer.status, cookie: answer.headers.get('set-cookie'), json }
      return { start, end: performance.now(), response }
    } catch {
      return { start, end: Infinity, response: undefined }
    }
  }
}

type Answer = { status: number; cookie: string | null; json: unknown } | undefined

/** What an answer means; nothing for a status that no case allows for. */
function meaningOf(kind: Kind, response: Answer): Pick<Operation, 'result' | 'value'> | undefined {
  if (response === undefined) return { result: 'unanswered' }
  const json = (response.json ?? {}) as { user?: unknown; count?: number }
  const { status } = response
  const counted = json.count === undefined ? {} : { value: json.count }
  if (status === 503) return { result: 'failed' }
  if (kind === 'read' && status === 200)
    return json.user === null ? { result: 'out' } : { result: 'in', ...counted }
  if (status === 200) return { result: 'ok', ...counted }
  if (kind !== 'read' && status === 401) return { result: 'out' }
  return undefined
}

function reasonOf(response: Answer): Pick<Operation, 'reason'> {
  if (response?.status !== 503) return {}
  const { reason = 'not told' } = (response.json ?? {}) as { reason?: string }
  return { reason }
}

function jitter(most: number): number {
  return Math.floor(Math.random() * most)
}
