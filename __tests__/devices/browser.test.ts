import { login, sessionMiddleware } from 'express-sid'
import { deviceRoutes } from 'express-sid/devices'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { fitsWidth, seriousFaults } from '../support/axe.js'
import { launchChromium } from '../support/chromium.js'
import { listen } from '../support/listen.js'
import { needs } from '../support/needs.js'
import { ann, safari } from '../support/people.js'
import { express5 } from '../support/site.js'
import { Visitor } from '../support/visitor.js'
import { widely } from '../support/wide.js'

needs('chromium')('the page in a real browser', () => {
  let browser: Browser
  let server: { url: string; close(): Promise<void> }
  let context: BrowserContext
  let page: Page
  let refused: string[]

  beforeAll(async () => {
    const app = express5()
    app.use(sessionMiddleware())
    app.get(
      '/',
      (_req, res) => void res.send('<form method="post" action="/login"><button>In</button></form>'),
    )
    app.get('/theme.css', (_req, res) => {
      res.type('css').send(':root{--devices-accent:#a00040;--devices-radius:0px;color-scheme:light}')
    })
    app.post(
      '/login',
      login(() => ann, { redirect: '/devices' }),
    )
    app.use('/devices', deviceRoutes({ loginPage: '/' }))
    app.use('/themed', deviceRoutes({ stylesheet: '/theme.css' }))
    server = await listen(app)
    browser = await launchChromium()
  })
  afterAll(async () => {
    await browser.close()
    await server.close()
  })
  beforeEach(async () => {
    context = await browser.newContext({ locale: 'en-US' })
    page = await context.newPage()
    refused = []
    page.on('console', (message) => /Content Security/.test(message.text()) && refused.push(message.text()))
    await new Visitor(server.url, safari).login()
    await page.goto(server.url)
    await page.click('text=In')
  })
  afterEach(async () => {
    await new Visitor(server.url).login()
    await context.close()
  })

  test('shows both devices, ends the other one by keyboard alone, and says so', async () => {
    const phone = new Visitor(server.url, safari)
    await phone.login()
    await page.reload()
    const button = page.getByRole('button', { name: 'Sign out Safari on iOS' }).first()
    await button.focus()
    await page.keyboard.press('Enter')
    await page.waitForURL('**/devices/?done=one')
    expect(await page.getByRole('status').textContent()).toBe('The device is signed out.')
    await page.getByRole('button', { name: 'Sign out everywhere else' }).click()
    await page.waitForURL('**/devices/?done=others')
    expect(await page.getByRole('listitem').count()).toBe(1)
    expect((await phone.get('/devices', { Accept: 'application/json' })).status).toBe(401)
    // Its own device: the browser is led to the login page.
    await page.getByRole('button', { name: 'Sign out Chrome' }).click()
    await page.waitForURL(`${server.url}/`)
    expect(refused).toEqual([])
  })

  test.each(widely(['light', 'dark'] as const, (scheme) => scheme === 'dark'))(
    'has no serious fault for axe in %s, on a phone too',
    async (colorScheme) => {
      await page.emulateMedia({ colorScheme })
      for (const width of [1200, 390]) {
        await page.setViewportSize({ width, height: 844 })
        expect([width, await fitsWidth(page)]).toEqual([width, true])
        expect(await seriousFaults(page)).toEqual([])
        if (process.env.SID_SHOTS)
          await page.screenshot({ path: `${process.env.SID_SHOTS}/devices-${colorScheme}-${width}.png` })
      }
      expect(refused).toEqual([])
    },
  )

  test("takes the app's variables from its stylesheet", async () => {
    await page.goto(`${server.url}/themed`)
    const look = await page.evaluate(`[
      getComputedStyle(document.querySelector('button.main')).backgroundColor,
      getComputedStyle(document.querySelector('li')).borderRadius,
    ]`)
    expect(look).toEqual(['rgb(160, 0, 64)', '0px'])
    expect(refused).toEqual([])
  })
})
