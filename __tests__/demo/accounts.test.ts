import { join } from 'node:path'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { startApp, type App } from '../support/app-process.js'
import { fitsWidth, seriousFaults } from '../support/axe.js'
import { launchChromium } from '../support/chromium.js'
import { needs } from '../support/needs.js'
import { safari } from '../support/people.js'
import { scratchFolder } from '../support/scratch.js'

// The accounts demo as two people would use it, or one person with two devices.

const file = scratchFolder()
const shots = process.env.SID_SHOTS
const laptop = { viewport: { width: 1200, height: 850 }, colorScheme: 'light' } as const
const phone = {
  viewport: { width: 390, height: 844 },
  colorScheme: 'dark',
  userAgent: safari.userAgent,
} as const
const ann = { email: 'ann@example.com', password: 'three words and a dot.', name: 'Ann' }
const newPassword = 'four other words here'

needs('chromium')('the accounts demo, in a browser', () => {
  let app: App
  let browser: Browser
  let open: BrowserContext[] = []
  let refused: string[] = []
  beforeAll(async () => {
    const env = { DEMO_DATABASE: file('accounts.sqlite'), PORT: '0', IDLE: '8s' }
    ;[app, browser] = await Promise.all([startApp('demo/accounts/server.ts', env), launchChromium()])
  }, 30_000)
  afterAll(async () => {
    await browser.close()
    await app.stop()
  })
  afterEach(async () => {
    await Promise.all(open.map((one) => one.close()))
    open = []
    expect(refused).toEqual([])
    refused = []
  })

  /** A browser with a profile of its own. */
  async function profile(options: BrowserContextOptions): Promise<Page> {
    const context = await browser.newContext({
      ...options,
      locale: 'en-US',
      baseURL: `http://localhost:${app.port}`,
    })
    open.push(context)
    const page = await context.newPage()
    page.on('console', (message) => /Content Security/.test(message.text()) && refused.push(message.text()))
    return page
  }
  const button = (page: Page, name: string | RegExp) =>
    page.getByRole('button', { name, exact: typeof name === 'string' })

  async function signUp(page: Page, { name, email, password } = ann): Promise<void> {
    await page.goto('/sign-up')
    await page.getByLabel('Name').fill(name)
    await page.getByLabel('Email').fill(email)
    await page.getByLabel('Password').fill(password)
    await button(page, 'Sign up').click()
    await page.waitForURL('**/')
  }
  async function signIn(page: Page, { email, password }: { email: string; password: string }) {
    await page.goto('/sign-in')
    await page.getByLabel('Email').fill(email)
    await page.getByLabel('Password').fill(password)
    await page.getByLabel('Remember me').check()
    // As most people do.
    await page.getByLabel('Password').press('Enter')
  }
  const until = (page: Page, text: string) => page.getByText(text).first().waitFor()

  test('two devices: each is listed, one ends the other, whose open page closes at once', async () => {
    const [one, other] = [await profile(laptop), await profile(phone)]
    await signUp(one)
    await signIn(other, ann)
    await Promise.all([until(one, 'Live on 2 devices'), until(other, 'Live on 2 devices')])

    await one.getByRole('link', { name: 'Devices' }).first().click()
    const names = await one.getByRole('heading', { level: 2 }).allTextContents()
    expect(names).toEqual([expect.stringMatching(/^(?:Headless )?Chrome.* on Linux$/), 'Safari on iOS'])
    await button(one, /^Sign out Safari/).click()
    await until(one, 'The device is signed out.')
    // It has done nothing meanwhile: its stream told it.
    await other.getByRole('heading', { name: 'You are signed out' }).waitFor({ timeout: 2_000 })
    expect(await other.locator('main').textContent()).toBe('')
    await other.goto('/account')
    expect(new URL(other.url()).pathname).toBe('/sign-in')
  }, 30_000)

  test('a new password asks for the old one, and signs out the other device at its next click', async () => {
    const [one, other] = [await profile(laptop), await profile(phone)]
    await signIn(one, ann)
    await signIn(other, ann)
    await other.goto('/account')
    await one.goto('/account/password')
    await one.getByLabel('Old password').fill('not the password')
    await one.getByLabel('New password').fill(newPassword)
    await button(one, 'Change it').click()
    await until(one, 'The old password is wrong.')
    await one.getByLabel('Old password').fill(ann.password)
    await one.getByLabel('New password').fill(newPassword)
    await button(one, 'Change it').click()
    await until(one, 'The password is changed.')
    const before = { ...ann }
    ann.password = newPassword
    await other.getByRole('link', { name: 'Devices' }).first().click()
    await other.waitForURL('**/sign-in?returnTo=*')

    await signIn(other, before)
    await until(other, 'Wrong email or password.')
    await one.goto('/account/activity')
    const lines = await one.locator('.activity b').allTextContents()
    expect(lines[0]).toBe('Wrong password')
    expect(lines).toContain('Changed the password')
    expect(lines).toContain('Signed out by a new password')
  }, 30_000)

  test('a login that is not used is warned, and goes on with one click', async () => {
    const page = await profile(laptop)
    await signUp(page, { ...ann, name: 'Cleo', email: 'cleo@example.com' })
    const warning = page.getByRole('dialog', { name: 'Are you still there?' })
    await warning.waitFor({ timeout: 8_000 })
    expect(await warning.textContent()).toMatch(/signed out in [1-4] seconds?/)
    expect(await seriousFaults(page)).toEqual([])
    await shoot(page, 'warning')
    // By keyboard alone: the dialog has the focus.
    await page.keyboard.press('Enter')
    await warning.waitFor({ state: 'hidden' })
    const { idleSeconds } = (await page.evaluate("fetch('/session').then((res) => res.json())")) as {
      idleSeconds: number
    }
    expect(idleSeconds).toBeGreaterThan(4)
  }, 30_000)

  test('no page has a serious fault for axe, on a laptop in light and on a phone in dark', async () => {
    const [one, other] = [await profile(laptop), await profile(phone)]
    const bob = { ...ann, name: 'Bob', email: 'bob@example.com' }
    await signUp(one, bob)
    await signIn(one, bob)
    await until(one, 'Live on')
    await signIn(other, { email: 'support@example.com', password: 'let me help you now' })
    await until(other, 'Live on')
    const stranger = await profile({ ...phone, colorScheme: 'light' })
    for (const path of ['/', '/sign-in', '/sign-up']) await look(stranger, path)
    for (const path of ['/', '/account', '/account/password']) await look(one, path)
    for (const path of ['/', '/account/activity', '/account/devices', '/support']) await look(other, path)
  }, 60_000)

  async function look(page: Page, path: string): Promise<void> {
    await page.goto(path)
    const seen = [new URL(page.url()).pathname, await fitsWidth(page), await seriousFaults(page)]
    expect(seen).toEqual([path, true, []])
    await shoot(page, path.replaceAll('/', '-').slice(1) || 'home')
  }

  /** For people to look at: SID_SHOTS names a folder. */
  async function shoot(page: Page, name: string): Promise<void> {
    if (shots === undefined) return
    for (const colorScheme of ['light', 'dark'] as const)
      for (const [width, height] of [
        [1200, 800],
        [390, 844],
      ] as const) {
        await page.emulateMedia({ colorScheme })
        await page.setViewportSize({ width, height })
        await page.screenshot({ path: join(shots, `${name}-${colorScheme}-${width}.png`) })
      }
  }
})
