import express from 'express'
import { login, oauthState, refuse, sessionMiddleware } from 'express-sid'
import type { Browser } from 'playwright-core'
import { launchChromium } from '../../support/chromium.js'
import { listen } from '../../support/listen.js'
import { needs } from '../../support/needs.js'

// A provider's page posts to us in a real browser: our site is localhost, the provider's 127.0.0.1.

jest.setTimeout(60_000)

needs('chromium')('a form of another site in a browser', () => {
  let browser: Browser
  beforeAll(async () => (browser = await launchChromium()))
  afterAll(() => browser.close())

  test.each([
    ['finds the state that the browser has begun, where its path is named', ['/auth/callback'], 200],
    ['is refused everywhere else', ['/elsewhere'], 403],
  ])('%s', async (_name, crossSitePaths, expected) => {
    const logins = oauthState()
    const shop = express()
    shop.use(sessionMiddleware({ cookie: { sameSite: 'none' }, crossSitePaths }))
    shop.get('/auth', async (req, res) => {
      const state = await logins.begin(req, { nonce: 'n1' })
      res.send(
        `<form method="post" action="${idp.url}/login"><input name="state" value="${state}"><button>Go</button></form>`,
      )
    })
    const callback = login(
      async (req) => {
        const begun = await logins.finish<{ nonce: string }>(req, req.body.state)
        return begun?.nonce === 'n1' && req.user === undefined ? { id: 'ann' } : refuse()
      },
      { crossSite: true },
    )
    shop.post('/auth/callback', express.urlencoded({ extended: false }), callback)
    shop.get('/me', (req, res) => void res.json(req.user ?? null))
    const provider = express()
    provider.use(express.urlencoded({ extended: false }))
    provider.post('/login', (req, res) => {
      res.send(`<form method="post" action="${home}/auth/callback">
        <input name="state" value="${req.body.state}"><button>Back</button></form>`)
    })
    const [site, idp] = [await listen(shop), await listen(provider)]
    const home = site.url.replace('127.0.0.1', 'localhost')
    const page = await browser.newPage()
    try {
      await page.goto(`${home}/auth`)
      await page.click('text=Go')
      await page.waitForSelector('text=Back')
      const [response] = await Promise.all([
        page.waitForResponse((one) => one.url().endsWith('/auth/callback')),
        page.click('text=Back'),
      ])
      expect(response.status()).toBe(expected)
      await page.goto(`${home}/me`)
      expect(JSON.parse(await page.innerText('body'))).toEqual(expected === 200 ? { id: 'ann' } : null)
    } finally {
      await page.context().close()
      await site.close()
      await idp.close()
    }
  })
})
