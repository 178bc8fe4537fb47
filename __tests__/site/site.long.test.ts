import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import express from 'express'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { readText, root } from '../docs/support/page.js'
import { fitsWidth, seriousFaults } from '../support/axe.js'
import { launchChromium } from '../support/chromium.js'
import { listen } from '../support/listen.js'
import { needs } from '../support/needs.js'
import { beyondTwoClicks, linksBehindMenus, linksOn } from './support/clicks.js'

// The site that `npm run docs` makes, in a browser: every link, both themes, a phone, the search. Pictures of some pages
// are in .tmp/site, to be looked at.

jest.setTimeout(600_000)

const dist = join(root, 'site/dist')
const shots = join(root, '.tmp/site')

const questions = JSON.parse(readText('__tests__/docs/questions.json')) as { search: string; page: string }[]

interface Seen {
  readonly links: string[]
  readonly ids: string[]
}

needs('chromium', 'registry')('the site', () => {
  let browser: Browser
  let url: string
  let close: () => Promise<void>
  const pages: string[] = []
  const seen = new Map<string, Seen>()
  /** Everything that was asked for somewhere else. */
  const foreign: string[] = []

  beforeAll(async () => {
    // `.ci/run` builds it anyway; a contributor gets it made here.
    if (!existsSync(join(dist, 'index.html')) || process.env.SID_SITE_BUILD === '1') {
      execFileSync('npm', ['run', 'docs'], { cwd: root, stdio: 'inherit' })
    }
    ;({ url, close } = await listen(express().use(express.static(dist))))
    browser = await launchChromium()
    mkdirSync(shots, { recursive: true })
    for (const file of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
      if (file.endsWith('.html') && file !== '404.html') pages.push(`/${file}`)
    }
  })
  afterAll(async () => {
    await browser.close()
    await close()
  })

  async function open(
    path: string,
    options: Parameters<Browser['newContext']>[0] = {},
  ): Promise<{ page: Page; context: BrowserContext; errors: string[] }> {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(error.message))
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith('data:')) foreign.push(request.url())
    })
    await page.goto(url + path, { waitUntil: 'load' })
    return { page, context, errors }
  }

  test('has every page of the docs', () => {
    const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    const expected = docs
      .filter((file) => file.endsWith('.md') && !['design.md', 'decisions.md'].includes(file))
      .map((file) => `/${file.replace(/\.md$/, '.html')}`)
    expect(pages).toEqual(expect.arrayContaining(expected))
    expect(pages.length).toBeGreaterThan(50)
  })

  test('every page loads without an error, and nothing from elsewhere', async () => {
    const context = await browser.newContext()
    const page = await context.newPage()
    const errors: string[] = []
    page.on('pageerror', (error) => errors.push(`${page.url()}: ${error.message}`))
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(`${page.url()}: ${message.text()}`)
    })
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith('data:')) foreign.push(request.url())
    })
    for (const path of pages) {
      await page.goto(url + path, { waitUntil: 'load' })
      seen.set(path, {
        links: await page.evaluate('[...document.querySelectorAll("a[href]")].map((a) => a.href)'),
        ids: await page.evaluate('[...document.querySelectorAll("[id]")].map(({ id }) => id)'),
      })
    }
    await context.close()
    expect(errors).toEqual([])
    expect(foreign).toEqual([])
  })

  test('every link leads to a page that is there, and to a heading on it', async () => {
    const broken: string[] = []
    const files = new Set<string>()
    for (const [from, { links }] of seen) {
      for (const link of links.filter((one) => one.startsWith(url))) {
        const { pathname, hash } = new URL(link)
        const path = pathname.endsWith('/') ? `${pathname}index.html` : pathname
        const target = seen.get(path)
        if (target === undefined) files.add(`${path} from ${from}`)
        else if (hash !== '' && !target.ids.includes(decodeURIComponent(hash.slice(1)))) {
          broken.push(`${from} -> ${path}${hash}`)
        }
      }
    }
    for (const file of files) {
      const [path] = file.split(' ')
      if ((await fetch(url + path!)).status !== 200) broken.push(file)
    }
    expect(broken).toEqual([])
  })

  test('has the Markdown of each page beside it, and llms.txt', async () => {
    const list = await (await fetch(`${url}/llms.txt`)).text()
    const paths = [...list.matchAll(/\]\(([^)]+\.md)\)/g)].map(([, path]) => path!)
    expect(paths.length).toBeGreaterThan(50)
    for (const path of paths) expect(await (await fetch(`${url}/${path}`)).text()).toMatch(/^# /)
  })

  test.each(['light', 'dark'] as const)('axe finds nothing serious in the %s theme', async (colorScheme) => {
    const faults: string[] = []
    const some = [
      '/index.html',
      '/start.html',
      '/concepts.html',
      '/glossary.html',
      '/errors/STORE_FAILED.html',
    ]
    for (const path of [...some, '/reference.html', '/troubleshooting.html', '/operating.html']) {
      const { page, context } = await open(path, { colorScheme })
      faults.push(...(await seriousFaults(page)).map((fault) => `${path}: ${fault}`))
      await page.screenshot({ path: join(shots, `${colorScheme}${path.replaceAll('/', '-')}.png`) })
      await context.close()
    }
    expect(faults).toEqual([])
  })

  test('every page fits a phone', async () => {
    const { page, context } = await open('/index.html', { viewport: { width: 360, height: 740 } })
    const wide: string[] = []
    for (const path of pages) {
      await page.goto(url + path, { waitUntil: 'load' })
      if (!(await fitsWidth(page))) wide.push(path)
      if (['/start.html', '/concepts.html'].includes(path)) {
        await page.screenshot({ path: join(shots, `phone${path.replaceAll('/', '-')}.png`) })
      }
    }
    await context.close()
    expect(wide).toEqual([])
  })

  test('the search finds the page of each of the fifty questions among what it shows', async () => {
    const { page, context } = await open('/start.html')
    await openSearch(page)
    const missed: string[] = []
    for (const { search, page: wanted } of questions) {
      // The results of the question before must be gone first.
      await page.locator('#localsearch-input').fill('')
      await page.locator('#localsearch-list a').first().waitFor({ state: 'detached' })
      await page.locator('#localsearch-input').fill(search)
      const found = page.locator(`#localsearch-list a[href*="/${wanted}.html"]`).first()
      await found.waitFor({ timeout: 15_000 }).catch(() => missed.push(search))
    }
    await context.close()
    expect([questions.length, missed]).toEqual([50, []])
  })

  const desk = { viewport: { width: 1280, height: 800 } }
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true }

  test.each([
    ['a desk', desk],
    ['a phone', phone],
  ])(
    'every page, and so that of each question, is two clicks from the start page at most: on %s',
    async (_, look) => {
      const { page, context } = await open('/index.html', look)
      const asked = questions.map((one) => `/${one.page}.html`)
      expect(await beyondTwoClicks(page, url, [...new Set([...pages, ...asked])])).toEqual([])
      await context.close()
    },
  )

  test('the sidebar has every page, in sight on a desk, and behind one button on a phone', async () => {
    // The codes are on a page of their own.
    const listed = pages.filter((path) => path !== '/index.html' && !/^\/errors\/[A-Z]/.test(path))
    for (const [look, read] of [
      [desk, linksOn],
      [phone, linksBehindMenus],
    ] as const) {
      const { page, context } = await open('/start.html', look)
      expect([...(await read(page))]).toEqual(expect.arrayContaining(listed))
      await context.close()
    }
  })

  test.each([
    ['STORE_TIMEOUT', 'STORE_TIMEOUT'],
    ['remember me', 'Remember me'],
    ['evict', 'Redis'],
  ])('the search finds %s, in the browser alone', async (words, shown) => {
    const { page, context } = await open('/start.html')
    await openSearch(page)
    await page.locator('#localsearch-input').fill(words)
    const first = page.locator('#localsearch-list li').first()
    await first.waitFor()
    expect(await page.locator('#localsearch-list').innerText()).toContain(shown)
    await context.close()
    expect(foreign).toEqual([])
  })
})

/** Opens the search by its keys, which the page hears once its script has run. */
async function openSearch(page: Page): Promise<void> {
  const input = page.locator('#localsearch-input')
  while (!(await input.isVisible())) {
    await page.keyboard.press('Control+k')
    await input.waitFor({ timeout: 2_000 }).catch(() => undefined)
  }
}
