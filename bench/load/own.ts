import { connect, type Socket } from 'node:net'
import { quantile } from '../lib/stats.js'
import type { Amount, Driver, Load, Outcome, Request } from './driver.js'

/** One keep-alive connection: a request, its whole response, the next request. */
export class Connection {
  #text = ''
  #onResponse: ((response: string) => void) | undefined

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => resolve(new Connection(socket)))
    })
  }

  private constructor(private readonly socket: Socket) {
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => this.#read(chunk))
    socket.on('close', () => this.#onResponse?.(''))
  }

  /** One request. Resolves to the response as text. */
  ask(text: string): Promise<string> {
    return new Promise((resolve) => this.send(text, resolve))
  }

  close(): void {
    this.socket.destroy()
  }

  send(request: string | Uint8Array, onResponse: (response: string) => void): void {
    this.#onResponse = onResponse
    if (typeof request === 'string') this.socket.write(request, 'latin1')
    else this.socket.write(request)
  }

  #read(chunk: string): void {
    this.#text = this.#text === '' ? chunk : this.#text + chunk
    const text = this.#text
    const head = text.indexOf('\r\n\r\n')
    if (head === -1) return
    const at = text.indexOf('Content-Length: ')
    const length = at === -1 || at > head ? 0 : Number.parseInt(text.slice(at + 16, at + 26), 10)
    if (text.length < head + 4 + length) return
    this.#text = ''
    this.#onResponse?.(text)
  }
}

/** Our own load: small, and it checks every response. */
class OwnLoad implements Load {
  #next = 0
  readonly #requests: { send: Uint8Array | (() => string); expected: string }[]

  constructor(
    private readonly connections: readonly Connection[],
    requests: readonly Request[],
  ) {
    this.#requests = requests.map(({ text, expected }) => ({
      // Made once: encoding each text anew would be work of the driver that slows the server down.
      send: typeof text === 'string' ? Buffer.from(text, 'latin1') : text,
      expected,
    }))
  }

  run(amount: Amount): Promise<Outcome> {
    const { ms, count } = { ms: Infinity, count: Infinity, ...amount }
    const latencies: number[] = []
    const wrong: string[] = []
    let sent = 0
    let active = this.connections.length
    const start = performance.now()
    return new Promise((resolve) => {
      const next = (connection: Connection) => {
        const { send, expected } = this.#requests[this.#next++ % this.#requests.length]!
        const at = performance.now()
        sent++
        connection.send(typeof send === 'function' ? send() : send, (response) => {
          const now = performance.now()
          latencies.push(now - at)
          if (!response.startsWith('HTTP/1.1 200') || !response.endsWith(expected)) wrong.push(response)
          if (now - start < ms && sent < count) next(connection)
          else if (--active === 0) resolve(outcome(latencies, (now - start) / 1000, wrong))
        })
      }
      for (const connection of this.connections) next(connection)
    })
  }

  close(): void {
    for (const connection of this.connections) connection.close()
  }
}

const outcome = (latencies: number[], seconds: number, wrong: string[]): Outcome => ({
  count: latencies.length,
  seconds,
  p50: quantile(latencies, 0.5),
  p99: quantile(latencies, 0.99),
  wrong,
})

export const own: Driver = {
  name: 'own',
  async open(port, requests, connections) {
    const opened = await Promise.all(Array.from({ length: connections }, () => Connection.open(port)))
    return new OwnLoad(opened, requests)
  },
}
