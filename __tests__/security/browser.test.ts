import { createServer } from 'node:http'
import express, { type Express } from 'express'
import { login, logout, requireUser, sessionMiddleware, sessionOf, type CookieOptions } from 'express-sid'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { launchChromium } from '../support/chromium.js'
import { listen } from '../support/listen.js'
import { needs } from '../support/needs.js'
import { ann, safari } from '../support/people.js'

/** An app whose pages show who is asking and what is in the cart; `/cart` works for guests as well. */
function shop(cookie: CookieOptions = {}): Express {
  const app = express()
  app.use(sessionMiddleware({ cookie: { secure: true, ...cookie } }))
  app.get('/', (req, res) => {
    const cart = JSON.stringify(sessionOf(req).get('cart') ?? [])
    const form = '<form method="post" action="/cart"><button name="own">Add</button></form>'
    res.send(`<p>${req.user ? 'Ann' : 'Stranger'}, cart ${cart}</p>${form}`)
  })
  app.get(
    '/login',
    login(() => ann, { redirect: '/' }),
  )
  app.get('/logout', logout())
  app.get('/account', requireUser(), (_req, res) => res.send('<p>balance 100</p>'))
  app.post('/cart', async (req, res) => {
    await sessionOf(req).update<string[]>('cart', (cart = []) => [...cart, 'item'])
    res.redirect(303, '/')
  })
  return app
}

/** A page that posts to the shop as soon as it is opened, and a link for those who click. */
function trap(shopUrl: string) {
  return createServer((req, res) => {
    const target = new URL(req.url ?? '/', shopUrl).href
    res.setHeader('Content-Type', 'text/html')
    res.end(`<form method="post" action="${target}"><button>Win</button></form><a href="${target}">Look</a>`)
  })
}

const atLocalhost = ({ port }: { port: number }) => `http://localhost:${port}`

needs('chromium')('in a real browser', () => {
  let browser: Browser
  let servers: { close(): Promise<void> }[]
  let context: BrowserContext
  let page: Page
  let shopUrl: string
  let trapPort: number
  let strictUrl: string

  beforeAll(async () => {
    browser = await launchChromium()
    const ours = await listen(shop())
    const theirs = await listen(trap(atLocalhost(ours)))
    const strict = await listen(shop({ name: '__Host-Http-sid' }))
    shopUrl = atLocalhost(ours)
    trapPort = theirs.port
    strictUrl = atLocalhost(strict)
    servers = [ours, theirs, strict]
  })
  afterAll(async () => {
    await browser.close()
    for (const server of servers) await server.close()
  })
  beforeEach(async () => {
    context = await browser.newContext()
    page = await context.newPage()
  })
  afterEach(() => context.close())

  const visit = async (path: string) => {
    const response = await page.goto(`${shopUrl}${path}`)
    return [response?.status(), (await page.textContent('body'))?.replace(/Add$/, '')]
  }
  const statusOfClick = async (label: string) => {
    const navigated = page.waitForEvent('response')
    await page.click(`text=${label}`)
    return (await navigated).status()
  }
  const sid = async () => (await context.cookies(shopUrl)).find(({ name }) => name === '__Host-sid')

  test('no script sees the cookie', async () => {
    await visit('/login')
    expect(await sid()).toMatchObject({ httpOnly: true, secure: true, sameSite: 'Lax' })
    expect(await page.evaluate('document.cookie')).toBe('')
  })

  test('a script can plant a cookie of the name __Host-sid, but none of the name __Host-Http-sid', async () => {
    const plantedAt = async (url: string, name: string) => {
      await page.goto(url)
      await page.evaluate(`document.cookie = '${name}=planted; Secure; Path=/'`)
      return (await context.cookies(url)).map((cookie) => cookie.name)
    }
    expect(await plantedAt(strictUrl, '__Host-Http-sid')).toEqual([])
    expect(await plantedAt(shopUrl, '__Host-sid')).toEqual(['__Host-sid'])
    await page.goto(`${strictUrl}/login`)
    expect(await page.textContent('p')).toBe('Ann, cart []')
  })

  test('a form of our own acts for the visitor', async () => {
    await visit('/login')
    await page.click('text=Add')
    expect(await page.textContent('p')).toBe('Ann, cart ["item"]')
  })

  test("a form of another site neither acts for the visitor nor replaces the visitor's session", async () => {
    await visit('/login')
    const before = await sid()
    // 127.0.0.1 is another site than localhost: the browser holds the Lax cookie back, and we see a stranger.
    await page.goto(`http://127.0.0.1:${trapPort}/cart`)
    const status = await statusOfClick('Win')
    expect(await sid()).toEqual(before)
    expect(status).toBe(403)
    expect(await visit('/')).toEqual([200, 'Ann, cart []'])
  })

  test('a form on another port of our host is refused, though the browser sends it our cookie', async () => {
    await visit('/login')
    await page.goto(`http://localhost:${trapPort}/cart`)
    expect(await statusOfClick('Win')).toBe(403)
    expect(await visit('/')).toEqual([200, 'Ann, cart []'])
  })

  test('another site can neither log the visitor in nor out by a link', async () => {
    for (const path of ['/login', '/logout']) {
      await page.goto(`http://127.0.0.1:${trapPort}${path}`)
      expect(await statusOfClick('Look')).toBe(403)
      expect(await visit('/')).toEqual([200, path === '/login' ? 'Stranger, cart []' : 'Ann, cart []'])
      await visit('/login')
    }
  })

  test('a link of another site leads the visitor in as who they are', async () => {
    await visit('/login')
    await page.goto(`http://127.0.0.1:${trapPort}/account`)
    await page.click('text=Look')
    await page.waitForURL(`${shopUrl}/account`)
    expect(await page.textContent('p')).toBe('balance 100')
  })

  test('the back button shows nothing of the account after a logout', async () => {
    await visit('/login')
    expect(await visit('/account')).toEqual([200, 'balance 100'])
    await visit('/logout')
    await page.goBack()
    expect(page.url()).toBe(`${shopUrl}/account`)
    expect(await page.textContent('body')).not.toContain('balance')
  })

  test('device emulation of another engine makes the visitor a stranger for as long as it is on', async () => {
    await visit('/login')
    const tools = await context.newCDPSession(page)
    const emulate = (userAgent: string) => tools.send('Emulation.setUserAgentOverride', { userAgent })
    const own = await page.evaluate<string>('navigator.userAgent')
    await emulate(safari.userAgent)
    expect(await visit('/')).toEqual([200, 'Stranger, cart []'])
    await emulate(own)
    expect(await visit('/')).toEqual([200, 'Ann, cart []'])
  })
})
