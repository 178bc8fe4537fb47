import type { Browser, Page } from 'playwright-core'
import { app, passkeys, sessions, site } from '../../examples/passkeys.js'
import { codeBlocks, readText } from '../docs/support/page.js'
import { launchChromium } from '../support/chromium.js'
import { listen } from '../support/listen.js'
import { needs } from '../support/needs.js'

// The app of docs/guides/passkeys.md, with the script of that page in a browser that has an authenticator of software.

jest.setTimeout(60_000)

const script = codeBlocks(readText('docs/guides/passkeys.md'))[1]!

needs('chromium')('in Chromium', () => {
  let browser: Browser
  let server: Awaited<ReturnType<typeof listen>>
  beforeAll(async () => {
    server = await listen(app)
    site.origin = `http://localhost:${server.port}`
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    await server.close()
    await sessions.close()
  })
  beforeEach(() => passkeys.clear())

  /** A page of the site, where Ann has logged in by her password; each with an authenticator of its own. */
  async function pageOfAnn(): Promise<Page> {
    const page = await (await browser.newContext({ bypassCSP: true })).newPage()
    const devtools = await page.context().newCDPSession(page)
    await devtools.send('WebAuthn.enable')
    await devtools.send('WebAuthn.addVirtualAuthenticator', {
      options: { protocol: 'ctap2', transport: 'usb', automaticPresenceSimulation: true },
    })
    await page.goto(`${site.origin}/`)
    await page.addScriptTag({ content: script })
    expect(await run(page, "post('/login', { name: 'ann', password: 'tea' })")).toBe(200)
    return page
  }

  /** The status that a call of the page's script comes to. */
  const run = (page: Page, call: string): Promise<number> =>
    page.evaluate(`${call}.then(({ status }) => status)`)

  test('the account opens by the password and the passkey, not by the password alone', async () => {
    const page = await pageOfAnn()
    expect(await run(page, "fetch('/account')")).toBe(401)
    expect(await run(page, 'addPasskey()')).toBe(201)
    expect(await run(page, "fetch('/account')")).toBe(401)
    // A copy of the cookie that the password alone has opened.
    const thief = await browser.newContext()
    await thief.addCookies(await page.context().cookies())
    const stolen = async () => (await thief.request.post(`${site.origin}/confirm/options`)).status()
    expect(await stolen()).toBe(200)
    expect(await run(page, 'confirmWithPasskey()')).toBe(200)
    expect(await run(page, "fetch('/account')")).toBe(200)
    const [session, ...others] = await sessions.list('ann')
    expect(others).toEqual([])
    expect(session!.methods.map(({ method }) => method)).toEqual(['passkey', 'password'])
    expect(await stolen()).toBe(401)
    await sessions.revokeAll('ann')
  })

  test('a challenge counts once', async () => {
    const page = await pageOfAnn()
    await run(page, 'addPasskey()')
    await page.evaluate(`(async () => {
      const options = await (await post('/confirm/options')).json()
      const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options)
      window.signed = await navigator.credentials.get({ publicKey })
    })()`)
    expect(await run(page, "post('/confirm', signed)")).toBe(200)
    // An authenticator that does not count its signatures, as most of today.
    passkeys.get('ann')![0]!.counter = 0
    expect(await run(page, "post('/confirm', signed)")).toBe(401)
    await sessions.revokeAll('ann')
  })

  test('who has the password alone adds no passkey beside the one that is there', async () => {
    await run(await pageOfAnn(), 'addPasskey()')
    const thief = await pageOfAnn()
    expect(await run(thief, "post('/passkeys/options')")).toBe(401)
    expect(await run(thief, "post('/passkeys')")).toBe(401)
    expect(passkeys.get('ann')).toHaveLength(1)
    await sessions.revokeAll('ann')
  })
})
