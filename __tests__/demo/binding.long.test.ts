import type { Browser } from 'playwright-core'
import { startApp, type App } from '../support/app-process.js'
import { launchChromium } from '../support/chromium.js'
import { needs } from '../support/needs.js'

needs('chromium')('the demo of device binding', () => {
  let app: App
  let browser: Browser

  beforeAll(async () => {
    app = await startApp('demo/binding/server.ts', { PORT: '0', DEMO_BROWSER: 'none' })
    // It prints how to start a browser for it.
    const printed = () => [...app.output().matchAll(/'(--[^']+)'/g)].map(([, flag]) => flag!)
    while (printed().length < 2) await new Promise((resolve) => setTimeout(resolve, 20))
    browser = await launchChromium(printed())
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    await app.stop()
  })

  test('shows that a copy of the cookies dies, and that the browser goes on', async () => {
    const page = await browser.newPage()
    const problems: string[] = []
    page.on('pageerror', ({ message }) => problems.push(message))
    await page.goto(`https://localhost:${app.port}/`)
    await page.click('#login')
    await page.waitForSelector('[data-state=bound].now')
    expect(await page.locator('.cookie b').allTextContents()).toEqual([
      '__Host-sid',
      expect.stringMatching(/^__Host-sid-bound-/),
    ])
    await page.click('#copy')
    await page.waitForSelector('#thief.in')
    // At most 15 minutes of the server, which are 15 seconds.
    await page.waitForSelector('#thief.out', { timeout: 40_000 })
    expect(await page.textContent('#browser')).toBe('let in')
    expect(await page.textContent('#hint')).toBe('The copy is dead. Nothing has changed for this browser.')
    expect(await page.textContent('#drawing')).toContain('the copy is dead')
    await page.click('#logout')
    await page.waitForSelector('#browser.out')
    expect(problems).toEqual([])
  }, 90_000)

  test('fits a phone', async () => {
    const page = await browser.newPage({ viewport: { width: 320, height: 640 } })
    await page.goto(`https://localhost:${app.port}/`)
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(320)
  })
})
