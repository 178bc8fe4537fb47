import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Express, Request } from 'express'
import { createSessions, login, sessionMiddleware, type SessionOptions } from 'express-sid'
import type { Browser, Page } from 'playwright-core'
import { launchChromium } from '../support/chromium.js'
import { needs } from '../support/needs.js'
import { ann } from '../support/people.js'
import { widely } from '../support/wide.js'
import { root } from './support/page.js'
import { bareApp, recipes, runRecipe } from './support/recipes.js'

// The recipes of docs/recipes.md that a browser decides about, as they stand there.

jest.setTimeout(60_000)

/** With the line for frames of Turbo that the page gives. */
const [, turboLine] = /^```html\n(.*?)\n```$/ms.exec(recipes)!
const loginPage = `<head>${turboLine!}</head><body>Please log in</body>`

const bankPage = (req: Request) => encodeURI(req.query.pay as string)

const withLogin = (app: Express) =>
  void app.all(
    '/login',
    login((req) => req.query.as === 'ann' && ann, { redirect: '/' }),
  )

needs('chromium')('in a browser', () => {
  let browser: Browser
  let page: Page
  const servers: Server[] = []
  beforeAll(async () => (browser = await launchChromium()))
  beforeEach(async () => (page = await browser.newPage()))
  afterEach(async () => {
    await page.context().close()
    for (const server of servers.splice(0)) server.close()
  })
  afterAll(() => browser.close())

  /** Serves the app on all of this machine's names, and resolves to its port. */
  async function serve(app: Express): Promise<number> {
    const server = createServer(app)
    servers.push(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return (server.address() as AddressInfo).port
  }

  describe('the way back from a payment', () => {
    const paymentOf = async (user: { id: string }, order: string) => ({ of: user.id, order })

    /** A shop on 127.0.0.1, and a bank on localhost: another site. */
    async function shopAndBank(build: (app: Express) => void) {
      const shop = `http://127.0.0.1:${await serve(bareApp(build, withLogin))}`
      const bank = bareApp((app) => {
        app.get('/pay', (_req, res) => {
          res.send(`<form method="post" action="${shop}/payment/return"><input name="order" value="7 & 8">
            <button>Pay</button></form>`)
        })
      })
      await page.goto(`${shop}/login?as=ann`)
      return { shop, pay: `http://localhost:${await serve(bank)}/pay` }
    }
    /** Replaces the first block's route by another block's, which stands above the middleware as well. */
    function withSecondWay(options: SessionOptions) {
      const sessions = createSessions(options)
      return (app: Express) => {
        runRecipe('goOnTo', { app })
        app.get('/framed', (req, res) => void res.send(`<iframe src="${bankPage(req)}"></iframe>`))
        runRecipe("'/payment/result', requireUser", { app, sessions, paymentOf })
      }
    }
    const paid = async (expected: string) => {
      await page.waitForURL(expected)
      expect(JSON.parse(await page.innerText('body'))).toEqual({ of: 'ann', order: '7 & 8' })
    }

    test('finds the visitor logged in after a redirect', async () => {
      const sessions = createSessions()
      const { shop, pay } = await shopAndBank(
        (app) => void runRecipe("'/payment/result', requireUser", { app, sessions, paymentOf }),
      )
      await page.goto(pay)
      await page.click('button')
      await paid(`${shop}/payment/result?order=7%20%26%208`)
    })

    test('finds nobody in the POST itself, as the problem says', async () => {
      const { pay } = await shopAndBank((app) => {
        app.use(sessionMiddleware())
        app.post('/payment/return', (req, res) => void res.send(`user: ${JSON.stringify(req.user)}`))
      })
      await page.goto(pay)
      await page.click('button')
      expect(await page.innerText('body')).toBe('user: undefined')
    })

    test('finds the visitor logged in after a page, with sameSite strict', async () => {
      const { shop, pay } = await shopAndBank(withSecondWay({ cookie: { sameSite: 'strict' } }))
      await page.goto(pay)
      await page.click('button')
      await paid(`${shop}/payment/result?order=7%20%26%208`)
    })

    test('leads the whole window on, out of a frame', async () => {
      const { shop, pay } = await shopAndBank(withSecondWay({}))
      await page.goto(`${shop}/framed?pay=${encodeURIComponent(pay)}`)
      await page.frameLocator('iframe').locator('button').click()
      await paid(`${shop}/payment/result?order=7%20%26%208`)
    })
  })

  describe('a script that asks for a guarded page', () => {
    const files: Record<string, string> = {
      '/htmx.js': 'node_modules/htmx.org/dist/htmx.min.js',
      '/turbo.js': 'node_modules/@hotwired/turbo/dist/turbo.es2017-umd.js',
    }
    const pages: Record<string, string> = {
      '/htmx': '<script src="/htmx.js"></script><button hx-get="/cart">Cart</button>',
      '/turbo': '<head><script src="/turbo.js"></script></head><body><a href="/cart">Cart</a></body>',
      '/frame':
        '<head><script src="/turbo.js"></script></head><body><turbo-frame id="cart" src="/cart"></turbo-frame></body>',
    }
    async function site() {
      const port = await serve(
        bareApp((app) => {
          for (const [path, file] of Object.entries(files))
            app.get(path, (_req, res) => res.sendFile(join(root, file)))
          for (const [path, html] of Object.entries(pages)) app.get(path, (_req, res) => void res.send(html))
          app.use(sessionMiddleware())
          runRecipe('HX-Redirect', {
            app,
            showCart: (_req: unknown, res: { send: (text: string) => void }) =>
              res.send('<turbo-frame id="cart">your cart</turbo-frame>'),
          })
          app.get('/login', (req, res, next) =>
            req.query.as === undefined ? void res.send(loginPage) : next(),
          )
        }, withLogin),
      )
      return `http://127.0.0.1:${port}`
    }

    test.each([
      ['htmx', '/htmx', '/login?returnTo=%2Fhtmx'],
      ['Turbo', '/turbo', '/login?returnTo=%2Fturbo'],
      ['a frame of Turbo', '/frame', '/login?returnTo=%2Fframe'],
    ])('is led to the login page as a whole: %s', async (_name, path, expected) => {
      const base = await site()
      await page.goto(base + path)
      if (path !== '/frame') await page.click('button, a')
      await page.waitForURL(base + expected)
      expect(await page.innerText('body')).toBe('Please log in')
    })

    test.each(widely(['/htmx', '/turbo', '/frame'], (path) => path === '/turbo'))(
      'is served when the visitor is logged in: %s',
      async (path) => {
        const base = await site()
        await page.goto(`${base}/login?as=ann`)
        await page.goto(base + path)
        if (path !== '/frame') await page.click('button, a')
        await page.waitForSelector('text=your cart')
        expect(page.url()).not.toContain('/login')
      },
    )
  })
})
