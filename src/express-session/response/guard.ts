import type { ServerResponse } from 'node:http'

/** Settles when the response may go on. What it resolves to is called before that: it may set headers. */
export type Work = Promise<(() => void) | void>

/** What has to happen before a response may be seen. A promise holds the response until it settles. */
export interface Gate {
  /** Called once, before the first byte. */
  first(): Work | undefined
  /** Called before the last byte of a response that has begun before. */
  last(): Work | undefined
  /** Whether a response is sent although its session could not be saved, as express-session does it. */
  readonly sendsAnyway: boolean
  /** Tells the application that it failed. */
  report(error: unknown): void
}

type Method = 'writeHead' | 'write' | 'end' | 'flushHeaders' | 'cork' | 'uncork'
type Args = unknown[]
type Raw = Record<Method, ((...args: Args) => unknown) | undefined>

const guard = Symbol('express-sid.guard')
type Guarded = ServerResponse & { [guard]: ResponseGuard; _header?: string | null }

/** Stands in for the header while it is held: then Node itself says that headers are sent, and refuses new ones. */
const HELD = 'held by express-sid'

/**
 * Holds a response back while its session is being saved, and only then. The calls that were made meanwhile are made
 * again in their order, so that the client gets the bytes that it would have got without this.
 */
export function guardResponse(res: ServerResponse, gate: Gate): void {
  const guarded = res as Guarded
  // Sockets come with an empty object for a response.
  if (typeof res.end !== 'function') return
  guarded[guard] = new ResponseGuard(guarded, gate)
  res.writeHead = writeHead as typeof res.writeHead
  res.write = write as typeof res.write
  res.end = end as typeof res.end
  res.flushHeaders = flushHeaders
}

// One function for all responses, which costs less than four for each.
function writeHead(this: Guarded, ...args: Args): unknown {
  return this[guard].call('writeHead', args)
}
function write(this: Guarded, ...args: Args): unknown {
  return this[guard].call('write', args)
}
function end(this: Guarded, ...args: Args): unknown {
  return this[guard].call('end', args)
}
function flushHeaders(this: Guarded): void {
  this[guard].call('flushHeaders', [])
}
function cork(this: Guarded): void {
  this[guard].call('cork', [])
}
function uncork(this: Guarded): void {
  this[guard].call('uncork', [])
}

class ResponseGuard {
  readonly #raw: Raw
  /** The calls that wait; absent while nothing is held. */
  #queue: [Method, Args][] | undefined
  #hasBegun = false
  #hasEnded = false
  /** Inside a call of Node's own: what that calls in turn goes straight through. */
  #depth = 0
  #owesDrain = false
  /** An error took the place of the response: what the route still sends belongs nowhere. */
  #isReplaced = false

  constructor(
    private readonly res: Guarded,
    private readonly gate: Gate,
  ) {
    const { writeHead: head, write: piece, end: last, flushHeaders: flush } = res
    this.#raw = {
      writeHead: head,
      write: piece,
      end: last,
      flushHeaders: flush,
      cork: undefined,
      uncork: undefined,
    } as Raw
  }

  call(method: Method, args: Args): unknown {
    if (this.#depth > 0 || isRefused(method, args[0])) return this.#pass(method, args)
    if (this.#queue !== undefined) return this.#wait(method, args)
    if (this.#isReplaced) return this.#hasEnded && method === 'write' ? false : this.#pass(method, args)
    const isLast = method === 'end' && this.#hasBegun && !this.#hasEnded
    if (this.#hasBegun && !isLast) return this.#pass(method, args)
    const work = this.#ask(isLast)
    if (work === undefined) return this.#pass(method, args)
    this.#hold(work)
    return this.#wait(method, args)
  }

  /** Asks the gate what is to be done before the first or the last byte. */
  #ask(isLast: boolean): Work | undefined {
    this.#hasBegun = true
    try {
      return isLast ? this.gate.last() : this.gate.first()
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #pass(method: Method, args: Args): unknown {
    if (method === 'end') this.#hasEnded = true
    this.#depth += 1
    try {
      return this.#raw[method]?.apply(this.res, args)
    } finally {
      this.#depth -= 1
    }
  }

  #hold(work: Work): void {
    const { res } = this
    const held: Held = { isUnsent: !res.headersSent, ...statusOf(res) }
    this.#queue = []
    if (held.isUnsent) pretendSent(res)
    const { cork: raw1, uncork: raw2 } = res
    Object.assign(this.#raw, { cork: raw1, uncork: raw2 })
    Object.assign(res, { cork, uncork })
    const release = () => {
      Object.assign(res, { cork: raw1, uncork: raw2 })
      if (held.isUnsent) admitUnsent(res)
    }
    work.then(
      (then) => {
        release()
        then?.()
        this.#replay(held)
      },
      (error: unknown) => {
        release()
        this.#fail(error, held)
      },
    )
  }

  /** Keeps a call for later, and returns what Node would. */
  #wait(method: Method, args: Args): unknown {
    const [chunk] = args
    if (method === 'writeHead' && this.#queue!.length > 0) return this.#pass(method, args)
    // The route may use its buffer again.
    if (chunk instanceof Uint8Array) args[0] = Buffer.from(chunk)
    this.#queue!.push([method, args])
    if (method === 'writeHead' || method === 'end') return this.res
    if (method === 'write') this.#owesDrain = true
    return method === 'write' ? false : undefined
  }

  /** Makes the calls that have waited. What Node takes from the response is as it was when it was held. */
  #replay(held: Held): void {
    const { res } = this
    const since = statusOf(res)
    if (held.isUnsent) setStatus(res, held)
    const queue = this.#queue!
    this.#queue = undefined
    let isFull = false
    try {
      for (let at = 0; at < queue.length; at += 1) {
        const [method, args] = queue[at]!
        const work = method === 'end' && at > 0 ? this.#ask(true) : undefined
        if (work !== undefined) {
          this.#hold(work)
          this.#queue = queue.slice(at)
          return
        }
        const returned = method === 'writeHead' ? this.#outermost(args) : this.#pass(method, args)
        if (method === 'write') isFull = returned === false
      }
    } catch (error) {
      return this.#fail(error, { ...held, isUnsent: !res.headersSent })
    } finally {
      setStatus(res, since, held)
    }
    const owesDrain = this.#owesDrain && !isFull && !this.#hasEnded
    this.#owesDrain = false
    if (owesDrain) res.emit('drain')
  }

  /** With what listens to the headers since, as our own cookie does. */
  #outermost(args: Args): unknown {
    this.#depth += 1
    try {
      return (this.res.writeHead as (...all: Args) => unknown)(...args)
    } finally {
      this.#depth -= 1
    }
  }

  /** An error takes the place of the response. One that has begun is cut off, so that nobody takes it for whole. */
  #fail(error: unknown, held: Held): void {
    const { res, gate } = this
    if (gate.sendsAnyway) {
      this.#replay(held)
      return gate.report(error)
    }
    this.#queue = undefined
    this.#isReplaced = true
    if (held.isUnsent) becomeError(res, error)
    gate.report(error)
    if (!held.isUnsent && !res.writableEnded) res.destroy()
  }
}

/** Whether it is a response of HTTP/2, by Node's compatibility API. */
function isHttp2(res: ServerResponse): boolean {
  return 'stream' in res
}

/** While a response is held, it says what it would have said: that its headers are sent. */
function pretendSent(res: Guarded): void {
  if (isHttp2(res)) Object.defineProperty(res, 'headersSent', { value: true, configurable: true })
  else res._header = HELD
}

function admitUnsent(res: Guarded): void {
  if (isHttp2(res)) delete (res as { headersSent?: boolean }).headersSent
  else res._header = null
}

/** HTTP/2 has no status message, and warns where it is looked at. */
function statusOf(res: ServerResponse): Status {
  return { statusCode: res.statusCode, statusMessage: isHttp2(res) ? '' : res.statusMessage }
}

/** Sets what differs. */
function setStatus(res: ServerResponse, status: Status, from: Status = statusOf(res)): void {
  if (status.statusCode !== from.statusCode) res.statusCode = status.statusCode
  if (status.statusMessage !== from.statusMessage) res.statusMessage = status.statusMessage
}

type Status = Pick<ServerResponse, 'statusCode' | 'statusMessage'>

/** What Node refuses at once, and so does this: nothing begins with it. */
function isRefused(method: Method, chunk: unknown): boolean {
  return method === 'write' && typeof chunk !== 'string' && !(chunk instanceof Uint8Array)
}

/** The response as it was when it was held. */
interface Held {
  readonly isUnsent: boolean
  readonly statusCode: number
  readonly statusMessage: string
}

const ofTheBody = [
  'Content-Length',
  'Content-Encoding',
  'Content-Range',
  'Transfer-Encoding',
  'ETag',
  'Last-Modified',
]

/** What the route has said of its body is not true of an error. An error handler that sets no status gets the right one. */
function becomeError(res: ServerResponse, error: unknown): void {
  const { status } = (error ?? {}) as { status?: unknown }
  res.statusCode = typeof status === 'number' && status >= 400 && status < 600 ? status : 500
  if (!isHttp2(res)) res.statusMessage = ''
  for (const name of ofTheBody) res.removeHeader(name)
  res.setHeader('Cache-Control', 'no-store')
}
