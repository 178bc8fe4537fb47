import { connect } from 'node:net'

/** A response as it came over the wire. */
export interface RawResponse {
  readonly status: number
  readonly headers: string
  readonly body: string
  /** The value of the session cookie that it sets: `''` where it clears it, `undefined` where it says nothing. */
  readonly sid: string | undefined
}

/** No socket waits for longer, and a test that meets it has found a hang. */
const DEADLINE_MS = 10_000

/** Sends these very bytes (Latin-1) and reads until the server ends the connection. */
export function sendRaw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(text, 'latin1')))
    const parts: Buffer[] = []
    const overdue = setTimeout(() => {
      socket.destroy()
      reject(new Error(`no end after ${DEADLINE_MS} ms to: ${text.slice(0, 200)}`))
    }, DEADLINE_MS)
    const done = () => {
      clearTimeout(overdue)
      resolve(Buffer.concat(parts).toString('latin1'))
    }
    socket.on('data', (part) => parts.push(part))
    // A server that refuses an oversize request may reset the connection: what it said before counts.
    socket.on('error', done)
    socket.on('close', done)
  })
}

/** One request with these header lines. */
export async function ask(
  port: number,
  request: string,
  lines: readonly string[] = [],
  host = 'our.example',
): Promise<RawResponse> {
  const head = [`${request} HTTP/1.1`, `Host: ${host}`, 'Connection: close', 'Content-Length: 0', ...lines]
  return parse(await sendRaw(port, `${head.join('\r\n')}\r\n\r\n`))
}

function parse(text: string): RawResponse {
  const split = text.indexOf('\r\n\r\n')
  const headers = text.slice(0, split)
  return {
    status: Number(/^HTTP\/1\.1 (\d{3})/.exec(headers)?.[1] ?? 0),
    headers,
    body: text.slice(split + 4),
    sid: /^Set-Cookie: (?:__Host-)?sid=([^;]*)/im.exec(headers)?.[1],
  }
}
