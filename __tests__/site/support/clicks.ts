import type { Page } from 'playwright-core'

// How many clicks a reader needs to get to a page. Only what can be clicked counts: a link that is there but hidden, beside
// the window or under something else is none.

/** The buttons that open a menu of the whole site, where the window is too narrow to show it. */
const menus = ['button.VPNavBarHamburger', 'button.menu']

/** A script of a page: the addresses of the links that a pointer can hit, once they are scrolled to. */
const hitLinks = `[...document.querySelectorAll('a[href]')]
  .filter((link) => {
    if (!link.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return false
    link.scrollIntoView({ block: 'center', inline: 'nearest', behavior: 'instant' })
    // A link that breaks over lines has nothing in the middle of its box.
    const { left, top, width, height } = link.getClientRects()[0]
    const hit = document.elementFromPoint(left + width / 2, top + height / 2)
    return hit !== null && link.contains(hit)
  })
  .map(({ href }) => href)`

/** Where a reader gets from an open page by one click. */
export async function linksOn(page: Page): Promise<Set<string>> {
  const links: string[] = await page.evaluate(hitLinks)
  const { origin } = new URL(page.url())
  const paths = links.filter((one) => one.startsWith(origin)).map((one) => new URL(one).pathname)
  return new Set(paths.map((path) => (path.endsWith('/') ? `${path}index.html` : path)))
}

/** Where a reader gets from an open page by a click on a menu button, and another one. */
export async function linksBehindMenus(page: Page): Promise<Set<string>> {
  const found = new Set<string>()
  for (const menu of menus) {
    const button = page.locator(menu)
    if (!(await button.isVisible())) continue
    await button.click()
    // It slides in.
    await page.waitForTimeout(300)
    await page.waitForFunction('document.getAnimations().length === 0')
    for (const path of await linksOn(page)) found.add(path)
    await page.reload({ waitUntil: 'networkidle' })
  }
  return found
}

/** Which of these pages a reader does not get to from the start page within two clicks. */
export async function beyondTwoClicks(page: Page, url: string, wanted: readonly string[]): Promise<string[]> {
  const start = '/index.html'
  const open = (path: string) => page.goto(url + path, { waitUntil: 'networkidle' })
  await open(start)
  const first = await linksOn(page)
  const found = new Set([start, ...first, ...(await linksBehindMenus(page))])
  const missing = () => wanted.filter((path) => !found.has(path))
  for (const path of first) {
    if (missing().length === 0) break
    await open(path)
    for (const next of await linksOn(page)) found.add(next)
  }
  return missing()
}
