import { connect } from 'node:net'

/** What a browser sends by way of a TLS proxy. Every contender is sent the same, but for its cookie. */
const HEADERS = [
  'Host: app.example.com',
  'X-Forwarded-For: 203.0.113.7',
  'X-Forwarded-Proto: https',
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36',
  'Accept: application/json',
  'Accept-Language: en-GB,en;q=0.9',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Sec-Fetch-Dest: empty',
  'Sec-Fetch-Mode: cors',
  'Sec-Fetch-Site: same-origin',
].join('\r\n')

/** A request as it goes over the wire. */
export function requestText(method, path, cookie) {
  const length = method === 'POST' ? 'Content-Length: 0\r\n' : ''
  const cookies = cookie === undefined ? '' : `Cookie: ${cookie}\r\n`
  return `${method} ${path} HTTP/1.1\r\n${HEADERS}\r\n${length}${cookies}\r\n`
}

/** One keep-alive connection: a request, its whole response, the next request. */
class Connection {
  #text = ''
  #onResponse = undefined

  static open(port) {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => resolve(new Connection(socket)))
    })
  }

  constructor(socket) {
    this.socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => this.#read(chunk))
    socket.on('close', () => this.#onResponse?.(''))
  }

  send(text, onResponse) {
    this.#onResponse = onResponse
    this.socket.write(text, 'latin1')
  }

  #read(chunk) {
    this.#text = this.#text === '' ? chunk : this.#text + chunk
    const text = this.#text
    const head = text.indexOf('\r\n\r\n')
    if (head === -1) return
    const at = text.indexOf('Content-Length: ')
    const length = at === -1 || at > head ? 0 : Number.parseInt(text.slice(at + 16, at + 26), 10)
    if (text.length < head + 4 + length) return
    this.#text = ''
    this.#onResponse(text)
  }
}

/**
 * Requests over a number of keep-alive connections, each connection sending its next one when it has the
 * answer to the last. Every answer is checked.
 */
export class Load {
  #next = 0

  /**
   * @param {number} port
   * @param {{ text: string, expected: string }[]} requests Sent in turn; an answer must be a 200 that ends
   * with `expected`. A `text` may be a function, for requests that must differ.
   */
  static async open(port, requests, connections) {
    const load = new Load()
    load.requests = requests
    load.connections = await Promise.all(Array.from({ length: connections }, () => Connection.open(port)))
    return load
  }

  /** Sends for so many milliseconds, or so many requests; answers when the last response is there. */
  run({ ms = Infinity, count: most = Infinity }) {
    const latencies = []
    const wrong = []
    let sent = 0
    const start = performance.now()
    return new Promise((resolve) => {
      let active = this.connections.length
      const send = (connection) => {
        const request = this.requests[this.#next++ % this.requests.length]
        const text = typeof request.text === 'function' ? request.text() : request.text
        const at = performance.now()
        sent++
        connection.send(text, (response) => {
          const now = performance.now()
          latencies.push(now - at)
          if (!(response.startsWith('HTTP/1.1 200') && response.endsWith(request.expected))) {
            wrong.push(response)
          }
          if (now - start < ms && sent < most) send(connection)
          else if (--active === 0) resolve({ latencies, wrong, seconds: (now - start) / 1000 })
        })
      }
      for (const connection of this.connections) send(connection)
    })
  }

  close() {
    for (const { socket } of this.connections) socket.destroy()
  }
}

/** One request on a connection of its own. */
export async function once(port, text) {
  const connection = await Connection.open(port)
  const response = await new Promise((resolve) => connection.send(text, resolve))
  connection.socket.destroy()
  return response
}
