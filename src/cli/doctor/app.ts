import { idTime } from '../../lib/uuid.js'
import { CliError } from '../io.js'
import { Browser, type BrowserOptions, type Page } from './browser.js'
import { coversPath, isOurs, isTrustworthy, type SetCookie } from './cookies.js'
import { problem, warning, type Finding } from './finding.js'

/** Where the app is, and how one logs in there. */
export interface AppOptions extends BrowserOptions {
  readonly app: URL
  readonly login: string
  readonly logout: string
  readonly page: string
  readonly credentials: string
  readonly also?: URL | undefined
}

/** What a look at an app has shown. */
export interface AppReport {
  readonly findings: readonly Finding[]
  /** The public id of the session that could not be ended; a person has to. */
  readonly leftSession?: string | undefined
}

/** So often a page is asked for, on a new connection each: several processes may share the work. */
const TRIES = 6
const CLOCK_MS = 60_000

/** Logs in as a browser does, looks at what happens on the way, and logs out again. */
export async function examineApp(options: AppOptions): Promise<AppReport> {
  const visit = new Visit(options)
  try {
    await visit.examine()
  } finally {
    await visit.leave()
  }
  return { findings: visit.findings, leftSession: visit.leftSession }
}

class Visit {
  readonly findings: Finding[] = []
  leftSession: string | undefined
  readonly #browser: Browser
  readonly #tokens: { readonly app: URL; readonly cookie: SetCookie }[] = []
  /** Whether the tokens are still good. */
  #isIn = false
  #isDynamic = false

  constructor(private readonly options: AppOptions) {
    this.#browser = new Browser(options)
  }

  async examine(): Promise<void> {
    const { app, page } = this.options
    const pageUrl = new URL(page, app)
    const anonymous = await this.#browser.get(pageUrl)
    const twice = await new Browser(this.options).get(pageUrl)
    // A page with the time or a nonce in it never looks the same: then its status has to tell.
    this.#isDynamic = anonymous.body !== twice.body
    this.#findings(clock(anonymous))
    const cookie = await this.#login(app)
    if (cookie === undefined) return
    this.#findings(lookOf(cookie, app, pageUrl))
    const pages = await this.#pages(pageUrl, anonymous)
    if (pages.length === 0) return
    const again = await new Browser(this.options).get(pageUrl)
    this.#findings(caching(pages[0]!, this.#isSame(again, anonymous)))
    await this.#lookAtOther(pageUrl, anonymous)
  }

  /** Ends what this visit has begun, whatever it has found. */
  async leave(): Promise<void> {
    const { app, logout, page } = this.options
    for (const { app: where, cookie } of this.#tokens) {
      const browser = new Browser(this.options)
      browser.force(cookie)
      const pageUrl = new URL(page, where)
      const before = await browser.get(pageUrl).catch(() => undefined)
      const ended = await browser.post(new URL(logout, where)).catch(() => undefined)
      const after = new Browser(this.options)
      after.force(cookie)
      const then = await after.get(pageUrl).catch(() => undefined)
      const isDone = ended !== undefined && ended.status < 400
      const isStillIn = this.#isIn && where === app && before && then && this.#isSame(before, then)
      if (isDone && isStillIn !== true) continue
      this.leftSession = cookie.value.slice(0, 36)
      const status = ended === undefined ? 'no response' : `status ${ended.status}`
      this.#findings([
        problem(
          'logout',
          `The logout at ${logout} did not end the session (${status}). Name the right path with --logout. The session ` +
            `${this.leftSession} still lives: end it with express-sid revoke.`,
        ),
      ])
    }
  }

  async #login(app: URL): Promise<SetCookie | undefined> {
    const { login, credentials } = this.options
    const response = await this.#browser.post(new URL(login, app), credentials)
    this.#findings(clock(response))
    const cookie = response.cookies.find(isOurs)
    if (cookie === undefined) {
      this.#findings([noCookie(response, login)])
      return undefined
    }
    this.#tokens.push({ app, cookie })
    this.#findings(clockOfToken(cookie, response))
    const refusal = response.refused.get(cookie.name)
    if (refusal !== undefined) this.#findings([problem(refusal.id, refusal.message)])
    if (!/no-store/i.test(response.headers['cache-control'] ?? '')) {
      this.#findings([
        problem(
          'login-cacheable',
          `The response of the login carries the cookie, and Cache-Control is ` +
            `"${response.headers['cache-control'] ?? ''}". The app sends no-store with it: a proxy on the way ` +
            `changes the header, and a cache may give one user's cookie to another.`,
        ),
      ])
    }
    return refusal === undefined ? cookie : undefined
  }

  /** The pages of the logged-in user. */
  async #pages(url: URL, anonymous: Page): Promise<Page[]> {
    const pages: Page[] = []
    for (let count = 0; count < TRIES; count += 1) pages.push(await this.#browser.get(url))
    const inside = pages.filter((page) => !this.#isSame(page, anonymous))
    this.#isIn = inside.length > 0
    if (inside.length === 0) {
      this.#findings([notLoggedIn(this.#browser.names(url), this.options.page, anonymous)])
    } else if (inside.length < pages.length) {
      this.#findings([
        problem(
          'several-processes',
          `${pages.length - inside.length} of ${pages.length} requests did not know the login. Several processes or ` +
            `machines serve the app, each with a store of its own (memoryStore), or with another secret or cookie name. ` +
            `Give all of them one store.`,
        ),
      ])
    }
    return inside
  }

  /** Another app on the host: whether a login there ends the one here. */
  async #lookAtOther(pageUrl: URL, anonymous: Page): Promise<void> {
    const { also, app } = this.options
    if (also === undefined) return
    if (also.hostname !== app.hostname) {
      throw new CliError('BAD_OPTION', '--also names another app on the same host: only those share cookies.')
    }
    await this.#login(also)
    if (!this.#isSame(await this.#browser.get(pageUrl), anonymous)) return
    this.#findings([
      problem(
        'shared-cookie',
        `A login at ${also.origin} is a logout at ${app.origin}: both use the cookie ${this.#tokens[0]!.cookie.name}, and ` +
          `browsers share the cookies of a host among all its ports. Give one a name of its own: cookie: { name }.`,
      ),
    ])
  }

  /** Whether two responses show the same, as far as a visitor can see. */
  #isSame(one: Page, other: Page): boolean {
    const isSameKind = one.status === other.status && one.headers.location === other.headers.location
    return isSameKind && (this.#isDynamic || one.body === other.body)
  }

  #findings(found: readonly Finding[]): void {
    for (const one of found) if (!this.findings.some(({ id }) => id === one.id)) this.findings.push(one)
  }
}

/** What the attributes of a cookie that browsers keep lead to. */
function lookOf(cookie: SetCookie, app: URL, page: URL): Finding[] {
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

function noCookie({ status, body }: Page, login: string): Finding {
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

function notLoggedIn(sent: readonly string[], page: string, { status }: Page): Finding {
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
function caching(page: Page, isOfStranger: boolean): Finding[] {
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

function clock({ headers, at }: Page): Finding[] {
  const date = Date.parse(headers.date ?? '')
  // What a cache has kept for a while has an old date.
  const age = Number(headers.age ?? 0) * 1_000
  return Number.isNaN(date) ? [] : clockOff(date + age - at)
}

/** A proxy writes a Date of its own. The id of a session has the time of the app in it. */
function clockOfToken({ value }: SetCookie, { at }: Page): Finding[] {
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
