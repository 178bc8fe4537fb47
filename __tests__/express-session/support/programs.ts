import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises'
import * as fc from 'fast-check'

// Random routes: what they do to a response, one step after another.

export type Step =
  | {
      readonly do: 'write' | 'end'
      readonly text?: string
      readonly bytes?: boolean
      readonly encoding?: BufferEncoding
    }
  | { readonly do: 'writeHead'; readonly status: number; readonly header?: string }
  | { readonly do: 'setHeader' | 'removeHeader'; readonly header: string }
  | { readonly do: 'status'; readonly status: number }
  | { readonly do: 'flushHeaders' | 'turn' | 'cork' | 'uncork' | 'bad' | 'endTwice' }
  | { readonly do: 'pipe'; readonly texts: readonly string[] }

const text = fc.oneof(fc.string({ maxLength: 12 }), fc.constantFrom('', 'é', 'x'.repeat(40_000)))
const header = fc.constantFrom('X-One', 'X-Two', 'ETag')
const status = fc.constantFrom(200, 201, 204, 304, 404)

/** One program: any order of steps, which ends the response. */
export const program: fc.Arbitrary<Step[]> = fc
  .tuple(
    fc.array(
      fc.oneof(
        {
          weight: 4,
          arbitrary: fc.record({
            do: fc.constant('write' as const),
            text,
            bytes: fc.boolean(),
            encoding: fc.constantFrom('utf8' as const, 'latin1' as const, undefined),
          }),
        },
        {
          weight: 2,
          arbitrary: fc.record({
            do: fc.constant('writeHead' as const),
            status,
            header: fc.option(header, { nil: undefined }),
          }),
        },
        {
          weight: 2,
          arbitrary: fc.record({
            do: fc.constantFrom('setHeader' as const, 'removeHeader' as const),
            header,
          }),
        },
        { weight: 1, arbitrary: fc.record({ do: fc.constant('status' as const), status }) },
        {
          weight: 3,
          arbitrary: fc.record({
            do: fc.constantFrom('flushHeaders' as const, 'turn' as const, 'bad' as const),
          }),
        },
        {
          weight: 1,
          arbitrary: fc.record({ do: fc.constant('pipe' as const), texts: fc.array(text, { maxLength: 5 }) }),
        },
      ),
      { maxLength: 8 },
    ),
    fc.oneof(
      fc.record({
        do: fc.constant('end' as const),
        text: fc.option(text, { nil: undefined }),
        bytes: fc.boolean(),
      }),
      fc.record({ do: fc.constant('endTwice' as const) }),
    ),
  )
  .map(([steps, last]) => (steps as Step[]).concat(last))

/** Does what the program says. Returns what each step threw. */
export async function run(steps: readonly Step[], res: ServerResponse): Promise<string[]> {
  const thrown: string[] = []
  for (const step of steps) {
    try {
      await doOne(step, res)
    } catch (error) {
      thrown.push(`${step.do} ${(error as { code?: string }).code}`)
    }
  }
  return thrown
}

async function doOne(step: Step, res: ServerResponse): Promise<void> {
  switch (step.do) {
    case 'write':
      res.write(chunkOf(step), step.encoding!)
      break
    case 'end':
      if (step.text === undefined) res.end()
      else res.end(chunkOf(step))
      break
    case 'endTwice':
      res.end('last')
      res.end()
      break
    case 'bad':
      res.write(null!)
      break
    case 'writeHead':
      res.writeHead(step.status, step.header === undefined ? {} : { [step.header]: 'head' })
      break
    case 'setHeader':
      res.setHeader(step.header, 'set')
      break
    case 'removeHeader':
      res.removeHeader(step.header)
      break
    case 'status':
      res.statusCode = step.status
      break
    case 'pipe':
      await piped(step.texts, res)
      break
    case 'turn':
      await turn()
      break
    default:
      res[step.do]()
  }
}

function chunkOf({ text: given = '', bytes }: { text?: string; bytes?: boolean }): string | Buffer {
  return bytes ? Buffer.from(given) : given
}

/** A stream that is piped, and does not end the response. */
async function piped(texts: readonly string[], res: ServerResponse): Promise<void> {
  const source = Readable.from(texts.filter((one) => one !== ''))
  const done = new Promise<void>((resolve) => {
    source.once('end', resolve)
    source.once('close', resolve)
    res.once('close', resolve)
  })
  source.pipe(res, { end: false })
  await done
}

/** Serves one response, and returns every byte that the client got, and what the route saw. */
export async function bytesOf(
  route: (req: IncomingMessage, res: ServerResponse) => Promise<string[]>,
  hangUpAfter = Infinity,
): Promise<{ bytes: string; thrown: string[] }> {
  let finished: Promise<string[]> = Promise.resolve([])
  const server = createServer((req, res) => {
    res.sendDate = false
    finished = route(req, res)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const chunks: Buffer[] = []
  let length = 0
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    length += chunk.length
    if (length >= hangUpAfter) socket.destroy()
  })
  socket.on('error', () => undefined)
  socket.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  // A route that never ends would hold the test up for ever.
  const tooLong = setTimeout(() => socket.destroy(), 2_000)
  await new Promise((resolve) => socket.once('close', resolve))
  const waiting = new AbortController()
  const overdue = pause(2_000, ['never ended'], { signal: waiting.signal })
  const thrown = await Promise.race([finished, overdue])
  waiting.abort()
  clearTimeout(tooLong)
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  return { bytes: Buffer.concat(chunks).toString('latin1'), thrown }
}

/**
 * The same response with its body in one chunk. Node 26 makes one chunk of what is written in one turn of the event loop,
 * and what was held back is. Where chunks begin says nothing (RFC 9112, section 7.1).
 */
export function inOneChunk(response: string): string {
  const at = response.search(/^HTTP\/1\.1 [2-5]/m)
  const body = response.indexOf('\r\n\r\n', at) + 4
  if (at === -1 || !/^transfer-encoding: chunked\r$/im.test(response.slice(at, body))) return response
  let data = ''
  for (let from = body; ;) {
    const [line = '', size = ''] = /^([\da-f]+)\r\n/.exec(response.slice(from)) ?? []
    const length = Number.parseInt(size, 16)
    if (Number.isNaN(length)) return response
    if (length === 0) return `${response.slice(0, body)}${data}\r\n${response.slice(from)}`
    data += response.slice(from + line.length, from + line.length + length)
    from += line.length + length + 2
  }
}
