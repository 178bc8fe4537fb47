import type { Server } from 'node:http'
import type { Express, Request, Response } from 'express'
import type { RequestSession } from 'express-sid'
import request from 'supertest'
import { chrome } from './people.js'

/** A response as `visitor.get()` and its kind resolve to. */
export type Answer = request.Response

/** What a request of a `site()` does with its session. What it returns is the JSON of the response. */
export type Work = (session: RequestSession, req: Request, res: Response) => unknown

/** The works that visitors have asked for, by number. */
export const works: Work[] = []

export type RequestHeaders = Readonly<Record<string, string>>

export interface VisitorOptions {
  readonly userAgent?: string
  /** Sent as `X-Forwarded-For`: a site believes it where it trusts its proxy. */
  readonly ip?: string
  /** What it holds at first, as a `Cookie` header. */
  readonly cookie?: string
}

/**
 * Somebody with a browser that keeps cookies. Talks HTTP to an app, a server, or a URL of another process.
 * Unlike in a browser, no cookie grows old: that a session ends is up to the server.
 */
export class Visitor {
  readonly #jar = new Map<string, string>()
  readonly #client: VisitorOptions

  constructor(
    private readonly target: Express | Server | string,
    { cookie = '', ...client }: VisitorOptions = {},
  ) {
    this.#client = { ...chrome, ...client }
    for (const pair of cookie.split('; ').filter(Boolean)) this.#set(pair)
  }

  /** Begins a request, which is sent when it is awaited. `headers` win over what the browser sends by itself. */
  ask(method: string, path = '/', headers: RequestHeaders = {}): request.Test {
    const { userAgent = '', ip = '' } = this.#client
    const own = { 'User-Agent': userAgent, 'X-Forwarded-For': ip, Cookie: this.cookie }
    const test = new request.Test(this.target, method, path)
    for (const [name, value] of Object.entries({ ...own, ...headers }))
      if (value !== '') test.set(name, value)
    test.once('response', (res: Answer) => setCookies(res).forEach((line) => this.#receive(line)))
    return test
  }

  get(path?: string, headers?: RequestHeaders): request.Test {
    return this.ask('GET', path, headers)
  }

  post(path?: string, headers?: RequestHeaders): request.Test {
    return this.ask('POST', path, headers)
  }

  login(headers?: RequestHeaders): request.Test {
    return this.post('/login', headers)
  }

  logout(headers?: RequestHeaders): request.Test {
    return this.post('/logout', headers)
  }

  /** Does this within a request to a `site()`. */
  run(work: Work, headers?: RequestHeaders, method = 'POST'): request.Test {
    return this.ask(method, '/run', { ...headers, 'X-Work': String(works.push(work) - 1) })
  }

  /** Whom a `site()` takes the visitor for: a user, or null. */
  async user(): Promise<unknown> {
    return ((await this.get()).body as { user: unknown }).user
  }

  /** Another visitor who holds the same cookies now: a thief, or the same one before what comes next. */
  copy(client: VisitorOptions = {}): Visitor {
    return new Visitor(this.target, { ...this.#client, cookie: this.cookie, ...client })
  }

  /** The `Cookie` header. */
  get cookie(): string {
    return [...this.#jar].map((pair) => pair.join('=')).join('; ')
  }

  /** The token of its session. Fails where it has none. */
  get token(): string {
    const [, token] = [...this.#jar].find(([name]) => /^(?:__\w+-)?sid$/.test(name)) ?? []
    if (token === undefined) throw new Error(`the visitor holds no session, only "${this.cookie}"`)
    return token
  }

  /** The public id of its session. */
  get id(): string {
    return this.token.slice(0, 36)
  }

  #set(pair: string): void {
    const at = pair.indexOf('=')
    this.#jar.set(pair.slice(0, at), pair.slice(at + 1))
  }

  #receive(line: string): void {
    const [pair = ''] = line.split(';')
    if (isRefused(line)) return
    this.#set(pair)
    if (/; Max-Age=0(?:;|$)|; Expires=Thu, 01 Jan 1970/.test(line)) this.#jar.delete(pair.split('=')[0]!)
  }
}

/** What a browser does not take: RFC 6265bis §4.1.3. Plain HTTP is as good as TLS on its own machine. */
function isRefused(line: string): boolean {
  const isSecure = /; Secure(?:;|$)/.test(line)
  if (line.startsWith('__Host-')) return !isSecure || /; Domain=/.test(line) || !/; Path=\/(?:;|$)/.test(line)
  return line.startsWith('__Secure-') && !isSecure
}

/** All `Set-Cookie` lines of a response. */
export function setCookies(res: { readonly headers: Record<string, unknown> }): string[] {
  return [res.headers['set-cookie'] ?? []].flat() as string[]
}

/** The cookie that the response gave, as the browser sends it back. Fails where there is none. */
export function cookieOf(res: Answer): string {
  const [line] = setCookies(res)
  if (line === undefined) throw new Error('the response sets no cookie')
  return line.slice(0, line.indexOf(';'))
}
