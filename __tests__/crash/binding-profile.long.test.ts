import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContext } from 'playwright-core'
import { flags, TlsSite } from '../security/binding/tls-site.js'
import { launchProfile } from '../support/chromium.js'
import { MINUTE, moveTheClock, stopTheClock } from '../support/core.js'
import { needs } from '../support/needs.js'

// A bound session and the profile of a Chromium that is closed, or dies. It writes its cookies down every 30 s.

const HOUR = 60 * MINUTE
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

needs('chromium')('a bound session', () => {
  let site: TlsSite
  let profile: string
  let context: BrowserContext

  beforeEach(async () => {
    stopTheClock()
    site = new TlsSite()
    await site.start()
    profile = mkdtempSync(join(tmpdir(), 'sid-profile-'))
  })
  afterEach(async () => {
    await context.close()
    await site.stop()
    rmSync(profile, { recursive: true, force: true })
    jest.useRealTimers()
  })

  /** Starts the browser with the profile, opens a page and says whether it is in, and bound. */
  const start = async (path: string) => {
    context = await launchProfile(profile, flags())
    // The server's clock was moved, the browser's was not.
    await context.clearCookies({ name: /^__Host-sid-bound-/ })
    const page = await context.newPage()
    await page.goto(site.url + path)
    await wait(1_000)
    await page.goto(site.url)
    return page.evaluate(async (url) => (await fetch(url)).json() as unknown, `${site.url}/me`)
  }
  const kill = async () => {
    const page = context.pages()[0]!
    const session = await context.newCDPSession(page)
    const closed = new Promise((resolve) => context.once('close', resolve))
    void session.send('Browser.crash').catch(() => undefined)
    await closed
  }

  test('outlives the browser', async () => {
    expect(await start('/login')).toEqual({ in: true, isBound: true })
    await context.close()
    moveTheClock(HOUR)
    expect(await start('/')).toEqual({ in: true, isBound: true })
  }, 60_000)

  test.each([
    ['half a minute after the login: it goes on', 40_000, { in: true, isBound: true }],
    ['at once: the browser has forgotten the login, as any other', 2_000, { in: false, isBound: false }],
  ])(
    'and a browser that dies %s',
    async (_what, lived, expected) => {
      expect(await start('/login')).toEqual({ in: true, isBound: true })
      await wait(lived)
      await kill()
      moveTheClock(HOUR)
      expect(await start('/')).toEqual(expected)
      await context.close()
      // And nobody is locked out.
      expect(await start('/login')).toEqual({ in: true, isBound: true })
    },
    120_000,
  )
})
