import type { Browser, BrowserContext, Page } from 'playwright-core'
import { launchChromium } from '../support/chromium.js'
import { needs } from '../support/needs.js'
import { startRotatingSite, type RotatingSite } from '../support/rotation-site.js'

/** What a page keeps of a fetch under way. */
interface Fetching {
  readonly abort: AbortController
  /** Resolves when the headers are there. */
  readonly headers: Promise<unknown>
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const GRACE = 5 * MINUTE

/** A script of a page: loads what pages embed, and waits until each is there or has failed. */
const loadsOfAPage = `Promise.all(
  [
    ['img', 'src', 'asset/image'],
    ['script', 'src', 'asset/script'],
    ['video', 'src', 'asset/video'],
    ['link', 'href', 'asset/style', 'stylesheet'],
    ['link', 'href', 'page?prefetched', 'prefetch'],
  ].map(([tag, name, url, rel]) => {
    const element = document.createElement(tag)
    if (rel !== undefined) element.setAttribute('rel', rel)
    element.setAttribute(name, url)
    const done = new Promise((resolve) => {
      for (const event of ['load', 'error', 'loadeddata']) element.addEventListener(event, resolve)
    })
    document.body.append(element)
    return Promise.race([done, new Promise((resolve) => setTimeout(resolve, 3000))])
  }),
).then(() => undefined)`

needs('chromium')('a rotation in a real browser', () => {
  let browser: Browser
  let context: BrowserContext
  let page: Page
  let site: RotatingSite
  let before: { rotate: number; reuse: number }

  beforeAll(async () => {
    ;[browser, site] = await Promise.all([launchChromium(), startRotatingSite()])
  }, 60_000)
  afterAll(async () => {
    await browser.close()
    await site.stop()
  })
  beforeEach(async () => {
    context = await browser.newContext()
    page = await context.newPage()
    await page.goto(`${site.url}/login-page`)
    expect(await page.textContent('p')).toBe('Ann')
    await site.seen()
    before = await site.events()
  })
  afterEach(async () => {
    await site.release()
    await context.close()
  })

  /** The end of the cookie in the jar. */
  const jar = async () =>
    (await context.cookies(site.url)).find(({ name }) => name === 'sid')?.value.slice(-8)
  /** So many fetches at once, with what each of them was: `in`, `out`. */
  const fetches = (count: number, path: string) =>
    page.evaluate<string[], [number, string]>(
      ([many, target]) => {
        // Each with an address of its own: Chromium lets requests for the same one wait for each other.
        const one = async (_: unknown, at: number) => {
          const response = await fetch(`${target}${target.includes('?') ? '&' : '?'}at=${at}`)
          const { user } = (await response.json()) as { user: unknown }
          return user === null ? 'out' : 'in'
        }
        return Promise.all(Array.from({ length: many }, one))
      },
      [count, path],
    )
  const rotations = async () => (await site.events()).rotate - before.rotate
  const expectNoReuse = async () => expect((await site.events()).reuse).toBe(before.reuse)
  const whoAmI = async () => new Set(await fetches(5, 'me'))

  test('reaches the jar once an hour, with a page or a fetch', async () => {
    const first = await jar()
    await site.pass(HOUR)
    await page.reload()
    const second = await jar()
    expect(second).not.toBe(first)
    await site.pass(GRACE)
    await page.reload()
    await site.pass(HOUR)
    await fetches(1, 'me')
    expect(await jar()).not.toBe(second)
    expect(await rotations()).toBe(2)
  })

  test('goes with no image, style, script, prefetch or prerender', async () => {
    const first = await jar()
    await site.pass(HOUR)
    await page.evaluate(loadsOfAPage)
    const seen = await site.seen()
    const paths = seen.map(({ path }) => path).toSorted()
    expect([...new Set(paths)]).toEqual([
      '/asset/image',
      '/asset/script',
      '/asset/style',
      '/asset/video',
      '/page',
    ])
    expect(seen.map(({ cookie }) => cookie)).toEqual(seen.map(() => first))
    expect(seen.filter(({ given }) => given !== undefined)).toEqual([])
    await fetches(1, 'me')
    expect(await jar()).not.toBe(first)
  })

  test('while 60 fetches wait for six sockets signs nobody out: late ones still have the cookie before', async () => {
    // Ten times faster: handlers of 0.5 s take 5 s of the server's time, and the queue most of a minute.
    await site.pass(HOUR)
    await site.goFaster(10)
    const first = await jar()
    expect(new Set(await fetches(60, 'me?ms=500'))).toEqual(new Set(['in']))
    await site.goFaster(1)
    expect(await jar()).not.toBe(first)
    const seen = await site.seen()
    const rotated = seen.findIndex(({ given }) => given !== undefined)
    // Otherwise this has not shown what it is to show.
    expect(seen.slice(rotated + 1).filter(({ cookie }) => cookie === first).length).toBeGreaterThan(10)
    expect(await rotations()).toBe(1)
    await site.pass(GRACE)
    expect(await whoAmI()).toEqual(new Set(['in']))
    await expectNoReuse()
  }, 60_000)

  test('whose response is held back for four minutes signs nobody out, before it comes and after it', async () => {
    const first = await jar()
    await site.pass(HOUR)
    const late = fetches(1, 'held')
    await site.holds(1)
    for (let minute = 0; minute < 4; minute += 1) {
      expect(await whoAmI()).toEqual(new Set(['in']))
      await site.pass(MINUTE)
    }
    expect(await jar()).toBe(first)
    await site.release()
    expect(await late).toEqual(['in'])
    expect(await jar()).not.toBe(first)
    for (let times = 0; times < 4; times += 1) {
      await site.pass(GRACE / 2)
      expect(await whoAmI()).toEqual(new Set(['in']))
    }
    expect(await rotations()).toBe(1)
    await expectNoReuse()
  })

  test.each([
    ['before its headers: the cookie is lost, and the next period brings another one', 'held', false],
    ['after its headers: the cookie is kept', 'streamed', true],
  ])('whose fetch is aborted %s', async (_, path, isKept) => {
    const first = await jar()
    await site.pass(HOUR)
    await page.evaluate((target) => {
      const abort = new AbortController()
      const headers = fetch(target, { signal: abort.signal }).catch(() => undefined)
      Object.assign(globalThis, { abort, headers })
    }, path)
    await site.holds(1)
    if (isKept) await page.evaluate(async () => void (await (globalThis as unknown as Fetching).headers))
    await page.evaluate(() => (globalThis as unknown as Fetching).abort.abort())
    // Aborted in the page is not yet hung up on the wire: headers that left before it would bring the cookie.
    await site.loses(1)
    await site.release()
    expect(await whoAmI()).toEqual(new Set(['in']))
    expect((await jar()) === first).toBe(!isKept)
    await site.pass(GRACE)
    expect(await whoAmI()).toEqual(new Set(['in']))
    await site.pass(HOUR)
    const last = await jar()
    expect(await whoAmI()).toEqual(new Set(['in']))
    expect(await jar()).not.toBe(last)
    expect(await rotations()).toBe(2)
    await expectNoReuse()
  })

  test('cuts off a copy of the cookie, and shows that there was one', async () => {
    const { value } = (await context.cookies(site.url)).find(({ name }) => name === 'sid')!
    const userAgent = await page.evaluate<string>('navigator.userAgent')
    const thief = async () => {
      const headers = { cookie: `sid=${value}`, 'user-agent': userAgent }
      return ((await (await fetch(`${site.url}/me`, { headers })).json()) as { user: unknown }).user !== null
    }
    expect(await thief()).toBe(true)
    await site.pass(HOUR)
    await page.reload()
    expect(await thief()).toBe(true)
    await site.pass(GRACE)
    await page.reload()
    await site.pass(GRACE)
    expect(await whoAmI()).toEqual(new Set(['in']))
    expect(await thief()).toBe(false)
    expect((await site.events()).reuse).toBe(before.reuse + 1)
    expect(await whoAmI()).toEqual(new Set(['out']))
  })
})
