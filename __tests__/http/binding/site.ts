import { requireUser, sessionOf } from 'express-sid'
import request from 'supertest'
import { ann, eventsOf } from '../../support/core.js'
import { Device } from '../../support/device.js'
import { express5, site as base, type SiteOptions } from '../../support/site.js'
import { setCookies } from '../../support/visitor.js'

export const PATH = '/_session/binding'

/** An app with device binding, on a store that says what it was asked. */
export function site(options: SiteOptions = {}) {
  const binding = {
    cookie: { secure: true },
    deviceBinding: true,
    refused: (_req: unknown, _res: unknown, next: (error: unknown) => void, error: unknown) => next(error),
  } as const
  const made = base(express5, { ...binding, ...options }, (app) => {
    app.get('/', (req, res) => {
      const { id, isBound } = sessionOf(req)
      res.json({ user: req.user ?? null, id: id ?? null, isBound })
    })
    app.post('/login-and-out', async (req, res) => {
      await sessionOf(req).login(ann)
      await sessionOf(req).logout()
      res.sendStatus(204)
    })
    app.get('/guarded', requireUser(), (_req, res) => res.send('in'))
    app.get('/page', requireUser({ loginPage: '/login' }), (_req, res) => res.send('in'))
    app.get('/bound', requireUser({ bound: true }), (_req, res) => res.send('in'))
    app.post('/cart', async (req, res) => {
      await sessionOf(req).set('cart', ['item'])
      res.sendStatus(204)
    })
    app.get('/list', async (req, res) => res.json(await sessionOf(req).list()))
  })
  const browser = (device?: Device) => new Browser(made.app, device)
  return { ...made, seen: eventsOf(made.sessions), browser }
}

export type Site = ReturnType<typeof site>

/** The two cookies of a browser, or what a thief copied of them. */
export interface Jar {
  readonly sid?: string | undefined
  readonly bound?: string | undefined
}

/** A browser that can bind sessions, in software. It does only what a test tells it to. */
export class Browser {
  jar: Jar = {}
  /** The challenge to prove next. */
  challenge = ''

  constructor(
    private readonly app: Parameters<typeof request>[0],
    readonly device = new Device(),
  ) {}

  get sessionId(): string {
    return (this.jar.sid ?? '').slice(0, 36)
  }

  /** A request with these cookies; by default those of the browser. */
  async get(path: string, jar: Jar = this.jar, headers: Record<string, string> = {}) {
    return request(this.app)
      .get(path)
      .set({ ...cookieHeader(jar), ...headers })
  }

  async post(path: string, jar: Jar = this.jar, headers: Record<string, string> = {}) {
    const res = await request(this.app)
      .post(path)
      .set({ ...cookieHeader(jar), ...headers })
    this.#take(res)
    return res
  }

  /** Logs in, and keeps the offer. */
  async login(headers: Record<string, string> = {}) {
    const res = await this.post('/login', this.jar, headers)
    this.challenge = offerIn(res).challenge
    return res
  }

  /** Sends the device's key, or another proof. Browsers send no cookies with it after a login by another site. */
  async register(proof = this.device.registration(this.challenge), path = PATH) {
    const res = await request(this.app).post(path).set('Secure-Session-Response', proof)
    if (res.status === 200) this.#takeChallenge(res)
    return res
  }

  /** Proves the key, or sends another proof; `undefined`: none. */
  async refresh(
    proof: string | undefined = this.device.proof(this.challenge),
    headers: Record<string, string> = {},
  ) {
    const res = await request(this.app)
      .post(PATH)
      .set({
        'Sec-Secure-Session-Id': this.sessionId,
        ...(proof && { 'Secure-Session-Response': proof }),
        ...headers,
      })
    this.#take(res)
    this.#takeChallenge(res)
    return res
  }

  /** Login, registration and first proof. */
  async bind() {
    await this.login()
    await this.register()
    return this.refresh()
  }

  #take(res: { headers: Record<string, unknown> }): void {
    for (const line of setCookies(res)) {
      const [, name, value = ''] = /^([^=]+)=([^;]*)/.exec(line)!
      const which = name === '__Host-sid' ? 'sid' : 'bound'
      this.jar = { ...this.jar, [which]: value === '' ? undefined : value }
    }
  }

  #takeChallenge(res: { headers: Record<string, unknown> }): void {
    const header = res.headers['secure-session-challenge'] as string | undefined
    if (header !== undefined) this.challenge = /^"([^"]+)";id="[^"]+"$/.exec(header)![1]!
  }
}

/** Each session has a bound cookie of its own. */
export function boundName(sid = ''): string {
  return `__Host-sid-bound-${sid.slice(24, 36)}`
}

function cookieHeader({ sid, bound }: Jar): Record<string, string> {
  const pairs = [sid && `__Host-sid=${sid}`, bound && `${boundName(sid)}=${bound}`].filter(Boolean)
  return pairs.length === 0 ? {} : { cookie: pairs.join('; ') }
}

/** The offer of a login's response. Fails where there is none. */
export function offerIn(res: { headers: Record<string, unknown> }): { path: string; challenge: string } {
  const header = String(res.headers['secure-session-registration'])
  const [, path, challenge] = /^\(ES256 RS256\);path="([^"]+)";challenge="([^"]+)"$/.exec(header)!
  return { path: path!, challenge: challenge! }
}
