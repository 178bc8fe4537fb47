import type { Browser, BrowserContext, Page } from 'playwright-core'
import { launchChromium } from '../../support/chromium.js'
import { MINUTE, moveTheClock, stopTheClock } from '../../support/core.js'
import { needs } from '../../support/needs.js'
import { wide, widely } from '../../support/wide.js'
import { curl, flags, otherSite, TlsSite } from './tls-site.js'

// Device binding with the browser that has it. The server's clock is moved. The browser's is not, so a bound cookie that
// would have expired there is taken away.

const HOUR = 60 * MINUTE
const BOUND = /^__Host-sid-bound-/

needs('chromium')('a session in Chromium', () => {
  let browser: Browser
  let other: Awaited<ReturnType<typeof otherSite>>
  let site: TlsSite
  let context: BrowserContext
  let page: Page

  beforeAll(async () => {
    browser = await launchChromium(flags())
    other = await otherSite()
  })
  afterAll(async () => {
    await browser.close()
    other.stop()
  })
  beforeEach(async () => {
    stopTheClock()
    site = new TlsSite()
    await site.start()
    context = await browser.newContext()
    page = await context.newPage()
  })
  afterEach(async () => {
    await context.close()
    await site.stop()
    jest.useRealTimers()
  })

  /** Gives the browser a moment for what it does beside the page. */
  const settled = (ms = 500) => new Promise((resolve) => setTimeout(resolve, ms))
  const me = async (on = page) =>
    on.evaluate(async (url) => (await fetch(url)).json() as unknown, `${site.url}/me`)
  const isIn = { in: true, isBound: true }

  /** Waits until the server has seen so many calls. */
  const until = async (isDone: () => boolean | Promise<boolean>) => {
    for (let count = 0; count < 500 && !(await isDone()); count += 1) await settled(25)
    expect(await isDone()).toBe(true)
  }
  const open = (path: string, on = page) => on.goto(site.url + path)
  /** Logs in, and lets the browser bind the session. */
  const bind = async (path = '/login') => {
    await open(path)
    await until(() => site.count('registration', 200) === 1)
    await open('/')
    expect(await me()).toEqual(isIn)
  }
  /** Lets time pass on the server, and the bound cookie expire in the browser. */
  const pass = async (ms: number) => {
    moveTheClock(ms)
    await context.clearCookies({ name: BOUND })
    site.forget()
  }
  const cookies = async () =>
    new Map((await context.cookies(site.url)).map(({ name, value }) => [name, value]))
  const boundValue = async () => [...(await cookies())].find(([name]) => BOUND.test(name))![1]
  const cookieHeader = async () => [...(await cookies())].map((pair) => pair.join('=')).join('; ')

  test('is bound with the first request after the login, and renewed when its bound cookie is gone', async () => {
    await bind()
    expect([...(await cookies()).keys()].toSorted()).toEqual(['__Host-sid', expect.stringMatching(BOUND)])
    expect(site.namesOfEvents()).toEqual(['login', 'bind'])
    const first = await boundValue()
    await pass(HOUR)
    expect(await me()).toEqual(isIn)
    expect(await boundValue()).not.toBe(first)
    // The challenge that came with the last renewal is too old after an hour: one more round.
    expect([site.count('refresh', 403), site.count('refresh', 200)]).toEqual([1, 1])
    await pass(11 * MINUTE)
    expect(await me()).toEqual(isIn)
    expect([site.count('refresh', 403), site.count('refresh', 200)]).toEqual([0, 1])
    expect(site.namesOfEvents()).toEqual(['login', 'bind'])
  })

  test('that was copied is refused 15 minutes later, to curl with the browser’s own User-Agent', async () => {
    await bind()
    const agent = await page.evaluate<string>('navigator.userAgent')
    const copy = await cookieHeader()
    const thief = () => curl(`${site.url}/me`, agent, copy)
    expect(JSON.parse(await thief())).toEqual(isIn)
    await pass(10 * MINUTE)
    expect(await me()).toEqual(isIn)
    expect(JSON.parse(await thief())).toEqual(isIn)
    await pass(5 * MINUTE)
    expect(JSON.parse(await thief())).toEqual({ in: false, isBound: false })
    expect(await curl(`${site.url}/guarded`, agent, copy)).toContain('is bound to its device')
    // The long-lived cookie alone, also a copy of now, is no better.
    const sid = `__Host-sid=${(await cookies()).get('__Host-sid')}`
    expect(JSON.parse(await curl(`${site.url}/me`, agent, sid))).toMatchObject({ in: false })
    expect(await me()).toEqual(isIn)
    expect(site.namesOfEvents()).toContain('stale')
  })

  wide.test('goes on when a link of another site leads here', async () => {
    await bind()
    await pass(HOUR)
    await page.goto(other.url(`${site.url}/guarded`))
    await page.click('text=Go')
    await page.waitForURL(`${site.url}/guarded`)
    expect(await page.textContent('p')).toBe('in')
    // That is why the endpoint looks at no cookie.
    expect(site.calls).toEqual([
      expect.objectContaining({ status: 403 }),
      expect.objectContaining({ status: 200 }),
    ])
    expect(site.calls.map(({ hasCookie }) => hasCookie)).toEqual([false, false])
  })

  wide.test('is bound after a login that came from another site', async () => {
    await page.goto(other.url(`${site.url}/callback`))
    await page.click('text=Go')
    await page.waitForURL(`${site.url}/`)
    await until(() => site.count('registration', 200) === 1)
    await open('/')
    expect(await me()).toEqual(isIn)
  })

  wide.test('whose registration was answered, but not heard, is an ordinary one', async () => {
    site.lose.registration = Infinity
    await open('/login')
    await until(() => site.calls.length >= 1)
    await settled()
    site.lose.registration = 0
    for (let hour = 0; hour < 3; hour += 1) {
      moveTheClock(HOUR)
      await open('/')
      expect(await me()).toEqual({ in: true, isBound: false })
    }
    expect(site.count('refresh', 200)).toBe(0)
    // The next login is bound.
    site.forget()
    await bind()
  })

  wide.test(
    'is bound where the connection broke before the response: the browser sends its key again',
    async () => {
      await open('/')
      await me()
      site.lose.registration = 1
      await open('/login')
      await until(() => site.calls.length === 2)
      expect(site.count('registration', 200)).toBe(2)
      await open('/')
      expect(await me()).toEqual(isIn)
    },
  )

  wide.test('goes on after a renewal whose response was lost', async () => {
    await bind()
    await pass(10 * MINUTE)
    site.lose.refresh = 1
    await until(async () => JSON.stringify(await me()) === JSON.stringify(isIn))
    // It has sent the same proof again, and then signed another challenge.
    expect([site.count('refresh', 200), site.count('refresh', 403)]).toEqual([2, 1])
  })

  test('goes on after an outage of the renewal', async () => {
    await bind()
    await pass(10 * MINUTE)
    site.lose.refresh = Infinity
    expect(await me()).toEqual({ in: false, isBound: false })
    expect(site.skipped[0]).toContain('unreachable')
    site.lose.refresh = 0
    await until(async () => JSON.stringify(await me()) === JSON.stringify(isIn))
  })

  test('renews once for 40 requests at the same time', async () => {
    await bind()
    await pass(HOUR)
    const all = await page.evaluate(() =>
      Promise.all(Array.from({ length: 40 }, async () => (await fetch('/me')).json() as unknown)),
    )
    expect(all).toEqual(Array.from({ length: 40 }, () => isIn))
    expect(site.count('refresh', 200)).toBe(1)
  })

  wide.test('renews once for two tabs', async () => {
    await bind()
    const second = await context.newPage()
    await open('/', second)
    await pass(HOUR)
    expect(await Promise.all([me(), me(second)])).toEqual([isIn, isIn])
    expect(site.count('refresh', 200)).toBe(1)
  })

  const channels: [name: string, script: string][] = [
    [
      'a WebSocket',
      "new Promise((say) => { new WebSocket('wss://' + location.host).onmessage = (e) => say(e.data) })",
    ],
    ['an EventSource', "new Promise((say) => { new EventSource('/stream').onmessage = (e) => say(e.data) })"],
    ['a beacon', "navigator.sendBeacon('/beacon') && 'sent'"],
  ]
  test.each(widely(channels, ([name]) => name === 'a WebSocket'))(
    'is renewed before %s asks',
    async (_what, script) => {
      await bind()
      await pass(HOUR)
      const said = await page.evaluate(script)
      if (said !== 'sent') return expect(said).toBe('in')
      await until(() => site.beacons.length === 1)
      expect(site.beacons).toEqual([true])
    },
  )

  wide.test('is renewed before a service worker asks', async () => {
    await bind()
    await page.evaluate(
      "navigator.serviceWorker.register('/worker.js').then(() => navigator.serviceWorker.ready).then(() => 0)",
    )
    await open('/')
    expect(await page.evaluate('navigator.serviceWorker.controller !== null')).toBe(true)
    await pass(HOUR)
    expect(await me()).toEqual(isIn)
  })

  wide.test('of a login over another login is bound as well', async () => {
    await bind()
    const first = (await cookies()).get('__Host-sid')!
    site.forget()
    await bind()
    expect((await cookies()).get('__Host-sid')).not.toBe(first)
    expect(site.namesOfEvents().filter((name) => name === 'bind')).toHaveLength(2)
    await pass(HOUR)
    expect(await me()).toEqual(isIn)
  })

  const ways: [how: string, again: () => Promise<unknown>][] = [
    ['', async () => open('/login')],
    [
      ', also where a link of another site leads to the login',
      async () => {
        await page.goto(other.url(`${site.url}/callback`))
        await page.click('text=Go')
        await page.waitForURL(`${site.url}/`)
      },
    ],
  ]
  test.each(widely(ways, ([how]) => how === ''))(
    'of a login after the browser has lost its cookies is bound, and the old one is let go%s',
    async (_how, again) => {
      await bind()
      const old = (await cookies()).get('__Host-sid')!.slice(0, 36)
      await context.clearCookies()
      site.forget()
      await again()
      await until(() => site.count('registration', 200) === 1)
      await open('/')
      expect(await me()).toEqual(isIn)
      for (let count = 0; count < 3; count += 1) {
        await pass(10 * MINUTE)
        await page.goto(other.url(`${site.url}/guarded`))
        await page.click('text=Go')
        await page.waitForURL(`${site.url}/guarded`)
        expect(await page.textContent('p')).toBe('in')
        expect(await me()).toEqual(isIn)
      }
      // Nothing has ended the old session. But once the browser has renewed beside its new cookie, it signs for that alone.
      expect(site.store.inner.get(old)).toBeDefined()
      await pass(10 * MINUTE)
      await me()
      await pass(10 * MINUTE)
      expect(await me()).toEqual(isIn)
      expect(site.calls).toHaveLength(1)
    },
  )

  test('is over after a logout, and the next login is bound', async () => {
    await bind()
    await open('/logout')
    expect(await page.textContent('p')).toBe('Stranger')
    expect([...(await cookies()).keys()]).toEqual([])
    expect(await me()).toEqual({ in: false, isBound: false })
    // The browser was told that its session has ended, and asks no more.
    expect(site.count('refresh', 400)).toBe(1)
    await pass(HOUR)
    expect(await me()).toEqual({ in: false, isBound: false })
    expect(site.calls).toEqual([])
    await bind()
  })

  wide.test('is over in the browser when an administrator has revoked it', async () => {
    await bind()
    await site.sessions.revoke((await cookies()).get('__Host-sid')!.slice(0, 36))
    await pass(HOUR)
    expect(await me()).toEqual({ in: false, isBound: false })
    expect(site.count('refresh', 400)).toBe(1)
    await bind()
  })

  test('survives a store that fails during the renewal: 503, and in again afterwards', async () => {
    await bind()
    await pass(10 * MINUTE)
    site.store.breakAt('update', 'rejects')
    const during = await open('/guarded')
    expect([during?.status(), await page.textContent('p')]).toEqual([503, 'BINDING_UNAVAILABLE'])
    expect(site.skipped[0]).toMatch(/^[a-z_]+; ?session_identifier="[\w-]{36}"/)
    site.store.mend()
    for (let count = 0; count < 20 && (await open('/guarded'))?.status() !== 200; count += 1) {
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
    expect(await me()).toEqual(isIn)
  })

  test('survives a restart of the server', async () => {
    await bind()
    await site.restart()
    await pass(HOUR)
    await open('/')
    expect(await me()).toEqual(isIn)
  })

  wide.test('is bound on two nodes behind a proxy that takes a prefix off the path', async () => {
    await site.stop()
    site = new TlsSite({}, { prefix: '/prefix', nodes: 2 })
    await site.start()
    await bind()
    await pass(HOUR)
    expect(await me()).toEqual(isIn)
  })

  test('does not hinder a browser that binds no sessions', async () => {
    const plain = await launchChromium(flags({ binds: false }))
    try {
      const there = await plain.newPage()
      await open('/login', there)
      for (let hour = 0; hour < 3; hour += 1) {
        moveTheClock(HOUR)
        await open('/', there)
        expect(await me(there)).toEqual({ in: true, isBound: false })
      }
      expect(site.calls).toEqual([])
    } finally {
      await plain.close()
    }
  })

  wide.test(
    'is never locked out by the browser’s limit on signatures: a login past it is an ordinary one',
    async () => {
      const limited = await launchChromium(flags({ quota: true }))
      try {
        const there = await limited.newPage()
        const bound: unknown[] = []
        for (let count = 0; count < 5; count += 1) {
          await open('/login', there)
          await new Promise((resolve) => setTimeout(resolve, 300))
          await open('/guarded', there)
          expect(await there.textContent('p')).toBe('in')
          bound.push(((await me(there)) as { isBound: boolean }).isBound)
        }
        // This browser signs six times in nine minutes, and a binding costs two. The logins past that are ordinary ones.
        expect(bound).toContain(true)
        expect(bound.at(-1)).toBe(false)
        moveTheClock(HOUR)
        await open('/guarded', there)
        expect(await there.textContent('p')).toBe('in')
      } finally {
        await limited.close()
      }
    },
  )
})
