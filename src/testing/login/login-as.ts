import type { LoginTerms } from '../../core/beginning.js'
import type { Client } from '../../core/client/client.js'
import { cleanUserAgent } from '../../core/client/user-agent.js'
import type { Sessions } from '../../core/sessions.js'
import { cookieFor } from '../../http/cookie/read.js'
import type { CookieChoice, CookieSettings } from '../../http/cookie/options.js'
import { serializeToken } from '../../http/cookie/write.js'
import { fixedLifetimeKind, keptLifetime, type SessionLifetime } from '../../http/lifetime/options.js'
import { methodsKind } from '../../http/request/login-options.js'
import { dataValue } from '../../http/request/data.js'
import { wiringOf, type Wiring } from '../../http/wiring.js'
import { isObject } from '../../lib/json/is-object.js'
import { invalid } from '../../lib/options/invalid.js'
import { text, that } from '../../lib/options/option-kinds.js'
import { ofFunction, readOptions } from '../../lib/options/options.js'
import { parseUrl } from '../../lib/text/parse-url.js'
import type { JsonObject, RecordLifetime, SessionInfo, SessionRecord } from '../../record.js'

/** The options of `loginAs()`. All are optional. */
export interface LoginAsOptions {
  /**
   * Where the app under test is served, such as `http://127.0.0.1:3000`: it decides the cookie's name, and to which host
   * a browser sends it. Default `'http://localhost'`. Over https the cookie is `__Host-sid`, as it is in production.
   */
  readonly url?: string | undefined
  /**
   * The `User-Agent` of who will use the cookie, such as `await page.evaluate(() => navigator.userAgent)`. Another
   * browser engine is refused by the option `onClientChange`. Default: none, which fits every client.
   */
  readonly userAgent?: string | undefined
  /** The address of who will use it; for apps with `onClientChange: { network: 'refuse' }`. Default `'127.0.0.1'`. */
  readonly ip?: string | undefined
  /** Data that the session has from the start. Default: none. */
  readonly data?: object | undefined
  /** How the user has proven who they are, for routes behind `requireRecentLogin({ methods })`. Default: not said. */
  readonly method?: string | readonly string[] | undefined
  /**
   * How long the login lives: `{ idle, absolute, persistent }`, such as that of a box "remember me". Default: the option
   * `lifetime` of `createSessions` where it is an object. Where it is a function, that is not asked, since there is no
   * request: the timeouts of the manager hold.
   */
  readonly lifetime?: SessionLifetime | undefined
}

/** A cookie as Playwright takes it. */
export interface BrowserCookie {
  readonly name: string
  readonly value: string
  /** A host; with a dot before it, the subdomains too. */
  readonly domain: string
  readonly path: string
  readonly httpOnly: boolean
  readonly secure: boolean
  readonly sameSite: 'Lax' | 'Strict' | 'None'
}

/** A session for a test, in the form that each client takes. */
export interface TestLogin {
  /** What the package knows of the session. */
  readonly session: SessionInfo
  /** For supertest, `fetch` and ws: `Cookie`, and `User-Agent` where one was given. */
  readonly headers: Readonly<Record<string, string>>
  /** The value of a `Cookie` header: `sid=…`. */
  readonly cookie: string
  /** The value of a `Set-Cookie` header, for clients with a cookie jar. */
  readonly setCookie: string
  /** For Playwright: `await context.addCookies(login.cookies)`. They end with the browser's context. */
  readonly cookies: BrowserCookie[]
}

const isData = (value: unknown): value is object => isObject(value) && !Array.isArray(value)
const isWeb = (value: string): boolean => /^https?:$/.test(parseUrl(value)?.protocol ?? '')

const loginAsOptions = {
  url: {
    kind: text(isWeb, "a URL of http or https, such as 'http://127.0.0.1:3000'"),
    default: 'http://localhost',
    doc: 'where the app under test is served',
  },
  userAgent: { kind: text(), default: '', doc: 'the User-Agent of who will use the cookie' },
  ip: { kind: text(), default: '127.0.0.1', doc: 'the address of who will use the cookie' },
  data: {
    kind: that(isData, "an object, such as { cart: ['tea'] }"),
    default: {},
    doc: 'data that the session has from the start',
  },
  method: { kind: methodsKind, doc: 'how the user has proven who they are' },
  lifetime: { kind: fixedLifetimeKind, doc: 'how long the login lives' },
} as const

/**
 * Logs a user in for a test, without a form and without a request. The session is an ordinary one: it is in the store, the
 * event `login` is sent, and it ends as every other does.
 *
 * @param sessions the manager of the app under test, which `createSessions()` made.
 * @throws SessionError OPTION_INVALID for a misspelt option; USER_INVALID as a login does; 503 when the store fails.
 * @example
 * const ann = await loginAs(sessions, { id: 1, name: 'Ann' })
 * await request(app).get('/account').set(ann.headers).expect(200) // supertest
 * await fetch(url, { headers: ann.headers })
 * await context.addCookies(ann.cookies) // Playwright
 */
export async function loginAs(
  sessions: Sessions,
  user: object,
  options: LoginAsOptions = {},
): Promise<TestLogin> {
  const wiring = wiringOf(sessions)
  if (wiring === undefined) throw invalid('loginAs() needs the manager that createSessions() made.')
  const given = readOptions(
    options,
    ofFunction('loginAs()', "{ url: 'http://127.0.0.1:3000' }"),
    loginAsOptions,
  )
  const client = { userAgent: cleanUserAgent(given.userAgent), ip: given.ip }
  const terms = { methods: given.method, lifetime: lifetimeFor(wiring, given.lifetime) }
  const { token, record } = await start(wiring, user, client, toData(given.data), terms)

  const { cookie } = wiring.settings
  const url = new URL(given.url)
  const choice = cookieFor(cookie, cookie.byRequest && url.protocol === 'https:')
  const value = cookie.form === undefined ? token : cookie.form.valueOf(token)
  const pair = `${choice.name}=${value}`
  return {
    session: wiring.engine.infoOf(record, false),
    headers: { Cookie: pair, ...(client.userAgent === '' ? {} : { 'User-Agent': client.userAgent }) },
    cookie: pair,
    setCookie: serializeToken(
      cookie,
      choice,
      token,
      record.absoluteExpiresAt - Date.now(),
      record.lifetime?.persistent,
    ),
    cookies: [forBrowser(cookie, choice, value, url)],
  }
}

async function start({ engine }: Wiring, user: object, client: Client, data: JsonObject, terms: LoginTerms) {
  const { token, record } = await engine.login(user, client, [], terms)
  if (Object.keys(data).length === 0) return { token, record }
  const edit = (current: SessionRecord) => ({ ...current, data: { ...current.data, ...data } })
  return { token, record: (await engine.change(record, edit, client)) ?? record }
}

/** As a login has it: its own lifetime, else that of the manager. */
function lifetimeFor({ settings }: Wiring, given: RecordLifetime | undefined): RecordLifetime | undefined {
  const { lifetime } = settings
  return keptLifetime(given ?? (typeof lifetime === 'function' ? undefined : lifetime), settings)
}

function toData(given: object): JsonObject {
  return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, dataValue(key, value)]))
}

const sameSites = { lax: 'Lax', strict: 'Strict', none: 'None' } as const

function forBrowser(settings: CookieSettings, choice: CookieChoice, value: string, url: URL): BrowserCookie {
  const { domain, path, sameSite } = settings
  return {
    ...choice,
    value,
    domain: domain === undefined ? url.hostname : `.${domain}`,
    path,
    httpOnly: true,
    sameSite: sameSites[sameSite],
  }
}
