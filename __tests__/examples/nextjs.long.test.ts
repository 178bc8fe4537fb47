import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { IncomingHttpHeaders } from 'node:http'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { sessionOf } from 'express-sid'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import request from 'supertest'
import { app, sessions } from '../../examples/nextjs.js'
import { readText } from '../docs/support/page.js'
import { startNode, type App } from '../support/app-process.js'
import { launchChromium } from '../support/chromium.js'
import { listen } from '../support/listen.js'
import { needs } from '../support/needs.js'
import { firefox } from '../support/people.js'
import { scratchFolder } from '../support/scratch.js'
import { tlsFront } from '../support/tls-front.js'

// The app of docs/guides/nextjs.md: the files of the page, built and served by Next.js itself, in a browser. Next.js comes
// from npm and takes 340 MB, so it is installed here and is no devDependency. nextjs.test.ts is the part that needs none.

jest.setTimeout(300_000)

const run = promisify(execFile)
const HOUR = 3_600_000
const packages = ['next@16.4.6', 'react@19.3.1', 'react-dom@19.3.1']
/** The addresses that the proxy in front sees, and that the API must see as well. */
const visitor = '203.0.113.7'

const guide = readText('docs/guides/nextjs.md')
/** The files of the guide, by the path that each names in its first line. */
const filesOfGuide = Object.fromEntries(
  [...guide.matchAll(/^```js\n\/\/ (\S+)\n(.*?)^```$/gms)].map(([, path, code]) => [path!, code!]),
)

const ofAnn = `{
  method: 'POST',
  headers: { Accept: 'application/json' },
  body: new URLSearchParams({ name: 'ann', password: 'tea' }),
}`
/** Pages beside those of the guide, each for one of its sentences. */
const filesBeside = {
  'app/members/page.js': `
    import { getUser } from '../user'
    export default async () => <p>member {(await getUser())?.id ?? 'nobody'}</p>`,

  'app/by-fetch/page.js': `
    import { getUser } from '../user'
    import { Button } from './button'
    export default async () => <p>fetched {(await getUser())?.id ?? 'nobody'} <Button /></p>`,
  'app/by-fetch/button.js': `
    'use client'
    import { useRouter } from 'next/navigation'
    export function Button() {
      const router = useRouter()
      const logIn = () => fetch('/api/login', ${ofAnn})
      return <>
        <button onClick={logIn}>only log in</button>
        <button onClick={() => router.refresh()}>refresh</button>
      </>
    }`,

  'app/by-action/page.js': `
    async function logIn() {
      'use server'
      const response = await fetch('http://127.0.0.1:3001/api/login', ${ofAnn})
      console.log('the action got', response.status)
    }
    export default () => <form action={logIn}><button>log in by an action</button></form>`,

  'app/writes/page.js': `
    import { headers } from 'next/headers'
    export default async function Page() {
      const response = await fetch('http://127.0.0.1:3001/api/seen', {
        method: 'POST',
        headers: [...(await headers())].filter(([name]) => ['cookie', 'user-agent', 'x-forwarded-proto'].includes(name)),
      })
      return <p>seen {await response.text()}</p>
    }`,

  'app/kept/page.js': `
    import { headers } from 'next/headers'
    export default async function Page() {
      const response = await fetch('http://127.0.0.1:3001/api/me', {
        headers: [...(await headers())].filter(([name]) => ['cookie', 'user-agent', 'x-forwarded-proto'].includes(name)),
        cache: 'force-cache',
      })
      return <p>kept {(await response.json()).id ?? 'nobody'}</p>
    }`,
}

// A page writes data while it is rendered, of a guest as well.
app.post('/api/seen', async (req, res) => {
  const session = sessionOf(req)
  const seen = Number(session.get('seen') ?? 0) + 1
  await session.set('seen', seen)
  res.send(String(seen))
})

needs(
  'chromium',
  'registry',
  'openssl',
)('the guide to Next.js', () => {
  const file = scratchFolder()
  const folder = file('app')
  /** What came to the API, last first. */
  const arrived: { path: string; headers: IncomingHttpHeaders }[] = []
  const last = (path: string) => arrived.find((one) => one.path === path)!.headers
  const changes = jest.fn()
  let api: Awaited<ReturnType<typeof listen>>
  let next: App
  let front: Awaited<ReturnType<typeof tlsFront>>
  let browser: Browser
  let page: Page
  /** Everywhere that the page asked. */
  let asked: Set<string>

  beforeAll(async () => {
    api = await listen((req, res) => {
      arrived.unshift({ path: req.url!, headers: { ...req.headers } })
      app(req, res)
    })
    for (const [path, code] of Object.entries({ ...filesOfGuide, ...filesBeside })) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), code.replaceAll(':3001/', `:${api.port}/`))
    }
    writeFileSync(join(folder, 'package.json'), '{ "private": true }')
    const npm = ['install', '--prefer-offline', '--no-audit', '--no-fund', '--save-exact']
    await run('npm', [...npm, ...packages], { cwd: folder })
    // Jest's own environment would make Next.js a test.
    const env = { PATH: process.env.PATH, HOME: process.env.HOME, NEXT_TELEMETRY_DISABLED: '1' }
    const program = join(folder, 'node_modules/next/dist/bin/next')
    await run(process.execPath, [program, 'build'], { cwd: folder, env })
    next = await startNode([program, 'start', '-H', '127.0.0.1', '-p', '0'], { cwd: folder, env })
    front = await tlsFront(file, next.port, visitor)
    browser = await launchChromium()
    sessions.on('clientChange', changes)
  })
  afterAll(async () => {
    await browser?.close()
    await front?.close()
    await next?.stop()
    await api?.close()
    await sessions.close()
  })
  beforeEach(async () => {
    asked = new Set()
    changes.mockClear()
    page = await visit(front.url)
  })
  afterEach(async () => {
    jest.restoreAllMocks()
    app.set('trust proxy', 'loopback')
    await Promise.all(browser.contexts().map((context) => context.close()))
  })

  /** The first page, in a browser with a profile of its own. */
  async function visit(url: string, options: Parameters<Browser['newContext']>[0] = {}): Promise<Page> {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, baseURL: url, ...options })
    const opened = await context.newPage()
    opened.on('request', (one) => asked.add(new URL(one.url()).origin))
    await opened.goto('/')
    return opened
  }

  async function logIn(on = page, name = 'ann'): Promise<void> {
    await on.getByLabel('Name').fill(name)
    await on.getByLabel('Password').fill('tea')
    await on.getByRole('button', { name: 'Log in' }).click()
    await on.getByText(`You are ${name}.`).waitFor()
  }

  /** What a page of the app shows. */
  const shownAt = async (path: string, on = page) => {
    await on.goto(path)
    return on.locator('body').innerText()
  }
  const cookiesOf = (on: Page | BrowserContext = page) => ('context' in on ? on.context() : on).cookies()
  const statusOf = (path: string, { method = 'GET' } = {}, on = page) =>
    on.evaluate(async ([url, how]) => (await fetch(url!, { method: how! })).status, [path, method])
  /** A POST of a browser without Sec-Fetch-Site, for which the proxy in front has set these headers. */
  const olderLogin = (headers: Record<string, string>, at = next.url) =>
    request(at)
      .post('/api/login')
      .set({ Origin: 'https://shop.example.com', Accept: 'application/json', ...headers })
      .send({ name: 'ann', password: 'tea' })
  const proxied = { Host: 'shop.example.com', 'X-Forwarded-Proto': 'https', 'X-Forwarded-For': visitor }

  test('has every file that the test builds', () => {
    const files = ['next.config.mjs', 'app/user.js', 'app/page.js', 'app/layout.js', 'proxy.js']
    expect(Object.keys(filesOfGuide)).toEqual(files)
    expect(packages[0]).toContain(/Next\.js ([\d.]+)/.exec(guide)![1])
  })

  test('shows a stranger the login, the user to the user, and the login after the logout', async () => {
    expect(await page.locator('body').innerText()).not.toContain('You are')
    expect([await cookiesOf(), await statusOf('/api/me')]).toEqual([[], 401])
    await logIn()
    expect([await shownAt('/'), await statusOf('/api/me')]).toEqual([
      expect.stringContaining('You are ann.'),
      200,
    ])
    const kept = await cookiesOf()
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.getByRole('button', { name: 'Log in' }).waitFor()
    expect(await cookiesOf()).toEqual([])
    // Who has kept the cookie has nothing.
    await page.context().addCookies(kept)
    expect(await shownAt('/')).toContain('Log in')
  })

  test('a wrong password logs nobody in', async () => {
    await page.getByLabel('Password').fill('coffee')
    await page.getByRole('button', { name: 'Log in' }).click()
    await page.getByText('Login Failed').waitFor()
    expect([await shownAt('/'), await cookiesOf()]).toEqual([expect.stringContaining('Log in'), []])
  })

  test('over https the cookie is __Host-sid, of this host, and out of the reach of scripts; the browser knows one origin', async () => {
    await logIn()
    expect(await cookiesOf()).toEqual([
      expect.objectContaining({
        name: '__Host-sid',
        domain: 'localhost', // Without a dot before it: of no other host.
        path: '/',
        httpOnly: true,
        secure: true,
        sameSite: 'Lax',
      }),
    ])
    expect(await page.evaluate('document.cookie')).toBe('')
    expect([...asked]).toEqual([front.url])
  })

  test('without a proxy in front it works as well, by http', async () => {
    const plain = await visit(next.url)
    await logIn(plain)
    const [cookie] = await cookiesOf(plain)
    expect(cookie).toMatchObject({ name: 'sid', domain: '127.0.0.1', httpOnly: true, secure: false })
    expect(await shownAt('/', plain)).toContain('You are ann.')
    await plain.getByRole('button', { name: 'Log out' }).click()
    await plain.getByRole('button', { name: 'Log in' }).waitFor()
    expect(changes).not.toHaveBeenCalled()
  })

  test('the API hears of the same visitor by a page as by a call', async () => {
    await logIn()
    await shownAt('/')
    const [byCall, byPage] = arrived
      .filter(({ path }) => path === '/api/me' || path === '/api/login')
      .toReversed()
    for (const { headers } of [byCall!, byPage!]) {
      expect(headers).toMatchObject({ 'x-forwarded-for': visitor, 'x-forwarded-proto': 'https' })
    }
    const [session] = await sessions.list('ann')
    expect(session!.ip).toBe(visitor)
    expect(changes).not.toHaveBeenCalled()
  })

  test('a cookie in another browser is refused, on a page as on a call', async () => {
    await logIn()
    const other = await visit(front.url, { userAgent: firefox.userAgent })
    await other.context().addCookies(await cookiesOf())
    expect([await statusOf('/api/me', {}, other), await shownAt('/', other)]).toEqual([
      401,
      expect.stringContaining('Log in'),
    ])
  })

  test('a page gets no new cookie, the old one stays good, and the next call of the browser brings one', async () => {
    await logIn()
    const before = await cookiesOf()
    const start = Date.now()
    const clock = jest.spyOn(Date, 'now')
    for (let hours = 1; hours <= 3; hours += 1) {
      clock.mockReturnValue(start + hours * 1.1 * HOUR)
      expect(await shownAt('/')).toContain('You are ann.')
    }
    expect(await cookiesOf()).toEqual(before)
    // At the same time, so the pages have not taken what is given once in each period.
    expect(await statusOf('/api/me')).toBe(200)
    expect((await cookiesOf())[0]!.value).not.toBe(before[0]!.value)
    expect(await shownAt('/')).toContain('You are ann.')
  })

  test('a page may write data while it is rendered, and not log in: that cookie is lost as well', async () => {
    await logIn()
    expect([await shownAt('/writes'), await shownAt('/writes')]).toEqual(['seen 1', 'seen 2'])
    const stranger = await visit(front.url)
    expect([await shownAt('/writes', stranger), await shownAt('/writes', stranger)]).toEqual([
      'seen 1',
      'seen 1',
    ])
    expect(await cookiesOf(stranger)).toEqual([])
  })

  test('a login by fetch shows after a refresh', async () => {
    expect(await shownAt('/by-fetch')).toContain('fetched nobody')
    const answered = page.waitForResponse('**/api/login')
    await page.getByRole('button', { name: 'only log in' }).click()
    await answered
    expect(await page.locator('body').innerText()).toContain('fetched nobody')
    await page.getByRole('button', { name: 'refresh' }).click()
    await page.getByText('fetched ann').waitFor()
  })

  test('a login by a server action does not get to the browser, and has no origin to check', async () => {
    await page.goto('/by-action')
    const answered = page.waitForResponse((response) => response.request().method() === 'POST')
    await page.getByRole('button').click()
    await answered
    expect(next.output()).toContain('the action got 200')
    expect(await cookiesOf()).toEqual([])
    expect(last('/api/login').origin).toBeUndefined()
    expect(last('/api/login')['sec-fetch-site']).toBeUndefined()
  })

  test('each user sees what is theirs, and no cache keeps it', async () => {
    const bob = await visit(front.url)
    await Promise.all([logIn(), logIn(bob, 'bob')])
    const seen: string[] = []
    for (const on of [page, bob, page, bob]) seen.push(await shownAt('/', on))
    expect(seen.map((text) => /You are (\w+)/.exec(text)?.[1])).toEqual(['ann', 'bob', 'ann', 'bob'])
    const response = await page.goto('/')
    expect(response!.headers()['cache-control']).toMatch(/private.*no-store/)
  })

  test('a call that Next.js keeps shows the user after the logout', async () => {
    await logIn()
    const kept = await cookiesOf()
    expect(await shownAt('/kept')).toBe('kept ann')
    await statusOf('/api/logout', { method: 'POST' })
    await page.context().addCookies(kept)
    expect(await shownAt('/kept')).toBe('kept ann')
    expect(await shownAt('/')).toContain('Log in')
  })

  test('proxy.js sends away who has no cookie, and lets one in whose session has ended', async () => {
    await page.goto('/members')
    expect(page.url()).toBe(`${front.url}/`)
    await logIn()
    expect(await shownAt('/members')).toBe('member ann')
    await sessions.revokeAll('ann')
    expect(await shownAt('/members')).toBe('member nobody')
  })

  test('a page of another origin changes nothing', async () => {
    await logIn()
    const evil = await listen((_req, res) => {
      res.setHeader('Content-Type', 'text/html')
      res.end(`<form method="post" action="${front.url}/api/logout"><button>Look</button></form>`)
    })
    const { port } = evil
    await page.goto(`http://localhost:${port}`)
    const answered = page.waitForResponse('**/api/logout')
    await page.getByRole('button').click()
    expect((await answered).status()).toBe(403)
    expect(await shownAt('/')).toContain('You are ann.')
    await evil.close()
  })

  test('a rewrite sends the host as X-Forwarded-Host, and what the proxy in front has said; it adds no more', async () => {
    await olderLogin(proxied).expect(200)
    expect(last('/api/login')).toMatchObject({
      host: `127.0.0.1:${api.port}`,
      'x-forwarded-host': 'shop.example.com',
      'x-forwarded-proto': 'https',
      'x-forwarded-for': visitor,
    })
    await olderLogin({ Host: 'shop.example.com' }).expect(200)
    expect(Object.keys(last('/api/login')).filter((name) => name.startsWith('x-'))).toEqual([
      'x-forwarded-host',
    ])
  })

  test('an older browser is refused where the proxy in front changes the host, or the API does not trust Next.js', async () => {
    const secure = async () => (await olderLogin(proxied).expect(200)).headers['set-cookie']![0]
    expect(await secure()).toMatch(/^__Host-sid=.*; Secure/)
    await olderLogin({ ...proxied, Host: 'next.internal:3000' }).expect(403)
    // Next.js does not read what the proxy says of the host.
    const said = { Host: 'next.internal:3000', 'X-Forwarded-Host': 'shop.example.com' }
    await olderLogin({ ...proxied, ...said }).expect(403)
    for (const trusted of [false, '192.0.2.1']) {
      app.set('trust proxy', trusted)
      await olderLogin(proxied).expect(403)
    }
    app.set('trust proxy', '127.0.0.1')
    expect(await secure()).toMatch(/^__Host-sid=.*; Secure/)
  })

  test('without trust proxy the cookie is not Secure', async () => {
    app.set('trust proxy', false)
    await logIn()
    expect(await cookiesOf()).toEqual([expect.objectContaining({ name: 'sid', secure: false })])
  })

  test('where the API fails, the page does, and takes nobody for a stranger', async () => {
    await logIn()
    await sessions.close()
    const response = await page.goto('/')
    expect(response!.status()).toBe(500)
    expect(await page.locator('body').innerText()).not.toContain('Log in')
  })
})
