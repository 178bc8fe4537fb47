/** The browser that logs in and the browser under load are the same one. */
export const USER_AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'

/** What other software leaves in the same browser. */
export const OTHER_COOKIES = '_ga=GA1.1.1874520413.1763846400; theme=dark'

/** What a browser sends by way of a TLS proxy. Every contender gets the same headers, but for its own cookie. */
const HEADERS = [
  'Host: app.example.com',
  'X-Forwarded-For: 203.0.113.7',
  'X-Forwarded-Proto: https',
  `User-Agent: ${USER_AGENT}`,
  'Accept: application/json',
  'Accept-Language: en-GB,en;q=0.9',
  'Accept-Encoding: gzip, deflate, br, zstd',
  'Sec-Fetch-Dest: empty',
  'Sec-Fetch-Mode: cors',
  'Sec-Fetch-Site: same-origin',
].join('\r\n')

/** A request as it goes over the wire. */
export function requestText(method: 'GET' | 'POST', path: string, cookie?: string): string {
  const length = method === 'POST' ? 'Content-Length: 0\r\n' : ''
  const cookies = cookie === undefined ? '' : `Cookie: ${cookie}\r\n`
  return `${method} ${path} HTTP/1.1\r\n${HEADERS}\r\n${length}${cookies}\r\n`
}

/** The cookies that a browser sends back after this response, or `undefined` where it was given none. */
export function cookiesOf(response: string): string | undefined {
  const own = [...response.matchAll(/^set-cookie: ([^;\r]*)/gim)].map(([, pair]) => pair!)
  return own.length === 0 ? undefined : [OTHER_COOKIES, ...own].join('; ')
}
