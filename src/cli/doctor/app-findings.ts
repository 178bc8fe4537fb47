import { idTime } from '../../lib/uuid.js'
import type { Page } from './browser.js'
import { coversPath, isTrustworthy, type SetCookie } from './cookies.js'
import { problem, warning, type Finding } from './finding.js'

// What the responses of an app say of it: pure, a response in, findings out.

const CLOCK_MS = 60_000

/** What the attributes of a cookie that browsers keep lead to. */
export function lookOf(cookie: SetCookie, app: URL, page: URL): Finding[] {
  const { name, attributes } = cookie
  const found: Finding[] = []
  if (app.protocol === 'https:' && !attributes.has('secure')) {
    found.push(
      problem(
        'trust-proxy',
        `The app is reached by https, and its cookie ${name} is not Secure: Express takes https for http. Set ` +
          `app.set('trust proxy', 1), or what fits, and let the proxy send X-Forwarded-Proto.`,
      ),
    )
  }
  if (!coversPath(cookie, page.pathname)) {
    found.push(
      problem(
        'path',
        `The cookie ${name} is for ${attributes.get('path')}, and the page ${page.pathname} is not below it: browsers do ` +
          `not send it there. Mend cookie.path.`,
      ),
    )
  }
  if (!attributes.has('httponly') || !attributes.has('samesite')) {
    found.push(
      problem(
        'attributes',
        `The cookie ${name} arrives without HttpOnly or SameSite, which the app always sends: a proxy on the way ` +
          `rewrites cookies. Look for rules about cookies there.`,
      ),
    )
  }
  if (/^none$/i.test(attributes.get('samesite') ?? '') && !attributes.has('partitioned')) {
    found.push(
      warning(
        'samesite-none',
        `The cookie ${name} has SameSite=None: pages of all sites send it along. If no other site embeds the app, leave ` +
          `cookie.sameSite out.`,
      ),
    )
  }
  if (!isTrustworthy(app)) {
    found.push(
      problem(
        'plain-http',
        `The app is reached by plain http, with a cookie that is not Secure: whoever sees the traffic can take the ` +
          `session. Serve the app by https.`,
      ),
    )
  }
  return found
}

export function noCookie({ status, body }: Page, login: string): Finding {
  const origin = body.includes('not come from a page of this host') || body.includes('CROSS_ORIGIN')
  if (status === 403 && origin) {
    return problem(
      'host-rewritten',
      `The app takes the login for one of another site: the proxy does not pass on the host of the browser. In nginx: ` +
        `proxy_set_header Host $http_host. Else send X-Forwarded-Host, and set 'trust proxy' in the app.`,
    )
  }
  if (status === 401 || status === 403) {
    return problem(
      'login-refused',
      `The login at ${login} was refused (status ${status}). Are the credentials right?`,
    )
  }
  if (status === 404 || status === 405) {
    return problem(
      'login-path',
      `There is no login at ${login} (status ${status}). Name its path with --login.`,
    )
  }
  if (status >= 500) {
    return problem(
      'login-failed',
      `The login at ${login} failed (status ${status}). Look into the log of the app.`,
    )
  }
  return problem(
    'cookie-lost',
    `The login at ${login} responded ${status}, and sets no cookie of express-sid. A proxy or a cache on the way drops ` +
      `Set-Cookie, or the login does not call login() of express-sid.`,
  )
}

export function notLoggedIn(sent: readonly string[], page: string, { status }: Page): Finding {
  const hint =
    status < 300
      ? ' It looks the same with and without a login: name a page that only a user gets with --page.'
      : ' Ask sessionOf(req).reason in the app, or start it with NODE_DEBUG=express-sid.'
  return problem(
    'not-logged-in',
    `After the login, ${page} does not know the user. The browser sent ` +
      `${sent.length === 0 ? 'no cookie' : `the cookies ${sent.join(', ')}`}.${hint}`,
  )
}

/** @param isOfStranger whether a stranger gets a stranger's page after the user was there. */
export function caching(page: Page, isOfStranger: boolean): Finding[] {
  if (!isOfStranger) {
    return [
      problem(
        'cache',
        'A stranger gets the page of the user who was there before: a cache in front of the app keeps pages of users. Let ' +
          'it keep nothing that has Vary: Cookie or a private Cache-Control.',
      ),
    ]
  }
  const found: Finding[] = []
  const control = page.headers['cache-control'] ?? ''
  if (/\bpublic\b|\bs-maxage\s*=\s*[1-9]/i.test(control)) {
    found.push(
      problem(
        'public-page',
        `The page of a user has Cache-Control: ${control}. Any cache may give it to others. Send private, no-store.`,
      ),
    )
  }
  if (!/(?:^|[\s,])(?:cookie|\*)(?:$|[\s,])/i.test([page.headers.vary ?? ''].flat().join(','))) {
    found.push(
      warning(
        'vary',
        'The page arrives without Vary: Cookie, which the app sends. Something on the way drops it, so a cache can not ' +
          'tell users apart.',
      ),
    )
  }
  return found
}

export function clock({ headers, at }: Page): Finding[] {
  const date = Date.parse(headers.date ?? '')
  // What a cache has kept for a while has an old date.
  const age = Number(headers.age ?? 0) * 1_000
  return Number.isNaN(date) ? [] : clockOff(date + age - at)
}

/** A proxy writes a Date of its own. The id of a session has the time of the app in it. */
export function clockOfToken({ value }: SetCookie, { at }: Page): Finding[] {
  return clockOff(idTime(value.slice(0, 36)) - at)
}

function clockOff(ms: number): Finding[] {
  if (Math.abs(ms) < CLOCK_MS) return []
  const minutes = Math.round(Math.abs(ms) / 60_000)
  return [
    problem(
      'clock',
      `The clock of the app is ${minutes} min ${ms > 0 ? 'ahead of' : 'behind'} the one here. Sessions end too early, or too ` +
        `late, where nodes differ. Let all of them follow one time server (NTP).`,
    ),
  ]
}
