import { once } from 'node:events'
import type { Browser, Page } from 'playwright-core'
import { startApp, type App } from '../support/app-process.js'
import { launchChromium } from '../support/chromium.js'
import { needs } from '../support/needs.js'
import { scratchFolder } from '../support/scratch.js'

const env = { DEMO_DATABASE: scratchFolder()('sessions.sqlite') }
let app: App
const start = async (port = '0') => (app = await startApp('demo/server.ts', { ...env, PORT: port }))
afterEach(() => app.stop())

test('prints its address and the five steps', async () => {
  await start()
  while (!app.output().includes('5. Open /')) await once(app.process.stdout, 'data')
  expect(app.output()).toContain(`http://localhost:${app.port}`)
})

test('says Not Found with 404 elsewhere', async () => {
  await start()
  const response = await fetch(`${app.url}/elsewhere`)
  expect([response.status, await response.text()]).toEqual([404, 'Not Found'])
})

needs('chromium')('in a browser', () => {
  let browser: Browser
  beforeAll(async () => {
    browser = await launchChromium()
  })
  afterAll(() => browser.close())

  const visit = async (page: Page, path: string) => {
    await page.goto(`http://localhost:${app.port}${path}`)
    return page.textContent('body')
  }

  test('the five steps of the article, with a restart of the server between steps 3 and 4', async () => {
    const { port } = await start()
    const context = await browser.newContext()
    const page = await context.newPage()
    const sid = async () => (await context.cookies()).filter(({ name }) => name === 'sid')

    expect(await visit(page, '/')).toBe('Welcome Stranger!')
    expect(await context.cookies()).toEqual([])

    expect(await visit(page, '/login')).toBe('Logged In')
    const [cookie] = await sid()
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax', path: '/', domain: 'localhost' })
    expect(cookie!.value).toMatch(/^[0-9a-f-]{36}\.[\w-]{65}$/)

    expect(await visit(page, '/')).toBe('Welcome User!')
    await app.stop()
    await start(String(port))
    expect(await visit(page, '/')).toBe('Welcome User!')

    expect(await visit(page, '/logout')).toBe('Logged Out')
    expect(await sid()).toEqual([])

    expect(await visit(page, '/')).toBe('Welcome Stranger!')
    // The article's own server would let the old cookie in again; ours has forgotten it.
    await context.addCookies([cookie!])
    expect(await visit(page, '/')).toBe('Welcome Stranger!')
    expect(await visit(page, '/logout')).toBe("Can't Log Out: No User Logged In")
    await context.close()
  }, 30_000)
})
