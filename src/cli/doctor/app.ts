import { CliError } from '../io.js'
import { Browser, type BrowserOptions, type Page } from './browser.js'
import { caching, clock, clockOfToken, lookOf, noCookie, notLoggedIn } from './app-findings.js'
import { isOurs, type SetCookie } from './cookies.js'
import { problem, type Finding } from './finding.js'

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
