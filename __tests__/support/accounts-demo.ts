import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { startApp, type App } from './app-process.js'
import { fitsWidth, seriousFaults } from './axe.js'
import { launchChromium } from './chromium.js'
import { safari } from './people.js'

// The accounts demo with browsers in front of it.

export const laptop = { viewport: { width: 1200, height: 850 }, colorScheme: 'light' } as const
export const phone = {
  viewport: { width: 390, height: 844 },
  colorScheme: 'dark',
  userAgent: safari.userAgent,
} as const

/** Who signs up. */
export interface Person {
  readonly name: string
  readonly email: string
  readonly password: string
}

export const support = { email: 'support@example.com', password: 'let me help you now' }

export class AccountsDemo {
  /** What a Content-Security-Policy has refused, in any browser. */
  readonly refused: string[] = []
  readonly #open: BrowserContext[] = []

  private constructor(
    readonly app: App,
    private readonly browser: Browser,
  ) {}

  /** @param idle how long a login without "remember me" may be left alone. */
  static async start(database: string, idle: string): Promise<AccountsDemo> {
    const env = { DEMO_DATABASE: database, PORT: '0', IDLE: idle }
    const [app, browser] = await Promise.all([startApp('demo/accounts/server.ts', env), launchChromium()])
    return new AccountsDemo(app, browser)
  }

  async stop(): Promise<void> {
    await this.browser.close()
    await this.app.stop()
  }

  /** A browser with a profile of its own. */
  async profile(options: BrowserContextOptions): Promise<Page> {
    const baseURL = `http://localhost:${this.app.port}`
    const context = await this.browser.newContext({ ...options, locale: 'en-US', baseURL })
    this.#open.push(context)
    const page = await context.newPage()
    page.on('console', (message) => {
      if (message.text().includes('Content Security')) this.refused.push(message.text())
    })
    return page
  }

  /** Closes all profiles. */
  async leave(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((one) => one.close()))
  }
}

export async function signUp(page: Page, { name, email, password }: Person): Promise<void> {
  await page.goto('/sign-up')
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Sign up' }).click()
  await page.waitForURL('**/')
}

/** With "remember me", so that no test idles out by being slow. */
export async function signIn(
  page: Page,
  { email, password }: { readonly email: string; readonly password: string },
): Promise<void> {
  await page.goto('/sign-in')
  await page.getByLabel('Email').fill(email)
  await page.getByLabel('Password').fill(password)
  await page.getByLabel('Remember me').check()
  // As most people do.
  await page.getByLabel('Password').press('Enter')
}

/** Waits for a text on the page. */
export const sees = (page: Page, text: string | RegExp): Promise<void> =>
  page.getByText(text).first().waitFor()

/** What is wrong with a page: it is another one, it is too wide, or axe has found a serious fault. */
export async function faultsOf(page: Page, path: string): Promise<string[]> {
  await page.goto(path)
  const { pathname } = new URL(page.url())
  return [
    ...(pathname === path ? [] : [`${path} leads to ${pathname}`]),
    ...((await fitsWidth(page)) ? [] : [`${path} is too wide`]),
    ...(await seriousFaults(page)).map((fault) => `${path}: ${fault}`),
  ]
}
