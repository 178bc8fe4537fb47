import { request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { CliError } from '../io.js'
import {
  coversPath,
  isTrustworthy,
  parseSetCookie,
  refusalOf,
  type Refusal,
  type SetCookie,
} from './cookies.js'

/** A response, as far as it matters. */
export interface Page {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly cookies: readonly SetCookie[]
  /** What the browser did not keep of them. */
  readonly refused: ReadonlyMap<string, Refusal>
  /** Our clock, in the middle of the request. */
  readonly at: number
}

export interface BrowserOptions {
  /** `host:port` to connect to, whatever the name of the host says. */
  readonly connect?: string | undefined
  /** Whether any certificate will do. */
  readonly insecure?: boolean | undefined
}

const TIMEOUT_MS = 10_000
const MAX_BODY = 1_000_000

/** Asks pages as a browser does, and treats cookies as one does: it keeps them by host, and knows no ports. */
export class Browser {
  readonly #jar = new Map<string, SetCookie>()

  constructor(private readonly options: BrowserOptions) {}

  get(url: URL): Promise<Page> {
    return this.#ask('GET', url)
  }

  /** Sends a form of the app's own page. */
  post(url: URL, form = ''): Promise<Page> {
    return this.#ask('POST', url, form)
  }

  /** The names of the cookies that a request to this address carries. */
  names(url: URL): string[] {
    return this.#sent(url).map(({ name }) => name)
  }

  /** Holds a cookie that a browser would not, to log out what it belongs to. */
  force(cookie: SetCookie): void {
    this.#jar.set(cookie.name, { ...cookie, attributes: new Map() })
  }

  #sent(url: URL): SetCookie[] {
    const isSecure = isTrustworthy(url)
    return [...this.#jar.values()].filter(
      (cookie) => coversPath(cookie, url.pathname) && (isSecure || !cookie.attributes.has('secure')),
    )
  }

  async #ask(method: 'GET' | 'POST', url: URL, form?: string): Promise<Page> {
    const began = Date.now()
    const cookie = this.#sent(url)
      .map(({ name, value }) => `${name}=${value}`)
      .join('; ')
    const headers: Record<string, string> = {
      host: url.host,
      'user-agent':
        'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
      accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
      ...(cookie !== '' && { cookie }),
      ...(isTrustworthy(url) && {
        'sec-fetch-site': method === 'GET' ? 'none' : 'same-origin',
        'sec-fetch-mode': 'navigate',
        'sec-fetch-dest': 'document',
      }),
      ...(form !== undefined && {
        origin: url.origin,
        'content-type': form.startsWith('{') ? 'application/json' : 'application/x-www-form-urlencoded',
        'content-length': String(Buffer.byteLength(form)),
      }),
    }
    const response = await send(method, url, headers, form, this.options)
    const cookies = [response.headers['set-cookie'] ?? []].flat().map(parseSetCookie)
    const refused = this.#keep(cookies, url)
    return { ...response, cookies, refused, at: (began + Date.now()) / 2 }
  }

  #keep(cookies: readonly SetCookie[], url: URL): Map<string, Refusal> {
    const refused = new Map<string, Refusal>()
    for (const cookie of cookies) {
      const refusal = refusalOf(cookie, url)
      if (refusal !== undefined) refused.set(cookie.name, refusal)
      else if (cookie.attributes.get('max-age') === '0' || cookie.value === '') this.#jar.delete(cookie.name)
      else this.#jar.set(cookie.name, cookie)
    }
    return refused
  }
}

type Response = Pick<Page, 'status' | 'headers' | 'body'>

function send(
  method: string,
  url: URL,
  headers: Record<string, string>,
  body: string | undefined,
  { connect, insecure }: BrowserOptions,
): Promise<Response> {
  const [host, port] = placeOf(url, connect)
  const isHttps = url.protocol === 'https:'
  const request = isHttps ? httpsRequest : httpRequest
  const options = {
    method,
    host,
    port,
    path: url.pathname + url.search,
    headers,
    // A new connection each time: behind a balancer it may lead to another process.
    agent: false as const,
    timeout: TIMEOUT_MS,
    ...(isHttps && { servername: url.hostname, rejectUnauthorized: insecure !== true }),
  }
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown) =>
      reject(new CliError('UNREACHABLE', `No response from ${url.origin}.`, { cause }))
    const sent = request(options, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        if (text.length < MAX_BODY) text += part
      })
      response.on('error', fail)
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
      )
    })
    sent.on('timeout', () => sent.destroy(new Error(`nothing within ${TIMEOUT_MS} ms`)))
    sent.on('error', fail)
    sent.end(body)
  })
}

function placeOf(url: URL, connect: string | undefined): [string, string] {
  const [, host, port] = /^(.*):(\d+)$/.exec(connect ?? '') ?? []
  if (host !== undefined && port !== undefined) return [host, port]
  if (connect !== undefined) throw new CliError('BAD_OPTION', '--connect takes host:port.')
  const own = url.port || (url.protocol === 'https:' ? '443' : '80')
  return [url.hostname.replace(/^\[(.*)\]$/, '$1'), own]
}
