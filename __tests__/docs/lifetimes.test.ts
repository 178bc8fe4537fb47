import express from 'express'
import { createSessions, login, nistLifetimes, sessionStatus, type SessionOptions } from 'express-sid'
import request from 'supertest'
import { DAY, HOUR, MINUTE, moveTheClock, SECOND, stopTheClock } from '../support/core.js'
import { ann } from '../support/people.js'
import { express5, site, type Site } from '../support/site.js'
import { FaultyStore } from '../support/faulty-store.js'
import { setCookies } from '../support/visitor.js'
import { readText, runBlock } from './support/page.js'

// docs/lifetimes.md: its code runs, and does what the page says.

beforeEach(() => stopTheClock())
afterEach(() => jest.useRealTimers())

const text = readText('docs/lifetimes.md')

describe('the example of "remember me"', () => {
  const open = () =>
    site(express5, {}, (app) => {
      const authenticate = (req: { body: { email?: string } }) => req.body.email === 'ann@example.com' && ann
      runBlock('req.body.remember', { app, express, login, authenticate }, text)
    })
  const enter = async ({ visitor }: Site, form: object) => {
    const browser = visitor()
    const res = await browser
      .post('/login')
      .type('form')
      .send({ email: 'ann@example.com', ...form })
    expect([res.status, res.headers.location]).toEqual([303, '/account'])
    return { browser, line: setCookies(res)[0]! }
  }

  test('without the box ends with the window, or after an hour without use', async () => {
    const { browser, line } = await enter(open(), {})
    expect(line).not.toContain('Max-Age')
    moveTheClock(HOUR - 1)
    expect(await browser.user()).toEqual(ann)
    moveTheClock(HOUR)
    expect(await browser.user()).toBeNull()
  })

  test('with the box lasts for a month without use', async () => {
    const { browser, line } = await enter(open(), { remember: 'yes' })
    expect(line).toContain(`Max-Age=${(90 * DAY) / 1000};`)
    moveTheClock(30 * DAY - 1)
    expect(await browser.user()).toEqual(ann)
    moveTheClock(30 * DAY)
    expect(await browser.user()).toBeNull()
  })

  test('has the box in its form', () => {
    expect(text).toContain('name="remember" type="checkbox" value="yes"')
  })
})

/** How long a login lives that the page's manager makes: unused, and at most. */
async function lifeOf(block: string, user: object, host = 'example.com') {
  const store = new FaultyStore()
  const made: SessionOptions[] = []
  runBlock(
    block,
    { store, nistLifetimes, createSessions: (options: SessionOptions) => made.push(options) },
    text,
  )
  const { app } = site(express5, createSessions(made[0]), (routes) => {
    routes.post(
      '/enter',
      login(() => user),
    )
  })
  const res = await request(app).post('/enter').set('Host', host)
  const [, id] = /sid=([^.]+)/.exec(setCookies(res)[0]!)!
  const { createdAt, expiresAt, absoluteExpiresAt } = (await store.get(id!))!
  return [expiresAt - createdAt, absoluteExpiresAt - createdAt]
}

const root = { id: 'root', role: 'admin' }

test('the example of roles and places does what it says', async () => {
  const block = 'kiosk.example.com'
  expect(await lifeOf(block, root)).toEqual([HOUR / 4, DAY / 2])
  expect(await lifeOf(block, ann, 'kiosk.example.com')).toEqual([HOUR / 30, HOUR / 2])
  expect(await lifeOf(block, ann)).toEqual([7 * DAY, 30 * DAY])
})

test('the example of levels, and their table', async () => {
  const block = 'nistLifetimes.aal3 :'
  expect(await lifeOf(block, root)).toEqual([HOUR / 4, DAY / 2])
  expect(await lifeOf(block, ann)).toEqual([HOUR, DAY])
  for (const [level, { idle, absolute }] of Object.entries(nistLifetimes)) {
    const row = new RegExp(`^\\| \`${level}\` +\\| (\\S+) +\\| (\\S+) `, 'm').exec(text)!.slice(1, 3)
    expect(row).toEqual([idle === undefined ? '`idleTimeout`' : `\`'${idle}'\``, `\`'${absolute}'\``])
  }
})

describe('the warning before the end', () => {
  /** The page's script in a browser of which only what it uses is there. A step runs its timer. */
  const open = async () => {
    const made = site(express5, { idleTimeout: '10m' }, (app) => {
      runBlock("app.all('/session'", { app, sessionStatus }, text)
    })
    const browser = await made.logIn()
    const dialog = { open: false, showModal: () => (dialog.open = true), close: () => (dialog.open = false) }
    const output = { textContent: '' }
    const stay: { click: () => Promise<void> } = { click: async () => undefined }
    const button = { addEventListener: (_: string, click: () => Promise<void>) => (stay.click = click) }
    const parts = { querySelector: (name: string) => (name === 'output' ? output : button) }
    const at: { timer?: () => Promise<void>; delay?: number; page?: string } = {}
    let isDone = (): void => undefined
    runBlock(
      'ending.js',
      {
        document: { querySelector: () => Object.assign(dialog, parts) },
        fetch: async (
          path: string,
          { method, headers }: { method: string; headers: Record<string, string> },
        ) => {
          const res = await browser.ask(method, path, headers)
          return { status: res.status, ok: res.ok, json: async () => res.body as unknown }
        },
        location: { assign: (page: string) => ((at.page = page), isDone()) },
        clearTimeout: () => undefined,
        setTimeout: (timer: () => Promise<void>, delay: number) => (
          Object.assign(at, { timer, delay }),
          isDone()
        ),
      },
      text,
    )
    await new Promise<void>((resolve) => (isDone = resolve))
    const step = async () => {
      moveTheClock(at.delay!)
      await at.timer!()
    }
    return { browser, dialog, output, stay, at, step }
  }

  test('comes two minutes before, counts down, and leads to the login page', async () => {
    const { dialog, output, at, step } = await open()
    expect([dialog.open, at.delay]).toEqual([false, 5 * MINUTE])
    await step()
    expect([dialog.open, at.delay]).toEqual([false, 3 * MINUTE])
    await step()
    expect([dialog.open, output.textContent, at.delay]).toEqual([true, 120, 10 * SECOND])
    await step()
    expect([dialog.open, output.textContent]).toEqual([true, 110])
    for (let steps = 0; steps < 11; steps += 1) await step()
    expect(at.page).toBe('/login')
  })

  test('goes away by a click, and by another tab', async () => {
    const { browser, dialog, stay, at, step } = await open()
    await step()
    await step()
    expect(dialog.open).toBe(true)
    await stay.click()
    expect([dialog.open, at.delay]).toEqual([false, 5 * MINUTE])
    await step()
    await step()
    expect(dialog.open).toBe(true)
    await browser.get()
    await step()
    expect(dialog.open).toBe(false)
  })
})

test('the example of what is no activity lets a page that polls time out', async () => {
  const made: SessionOptions[] = []
  const store = new FaultyStore()
  runBlock(
    "startsWith('/poll/')",
    { store, createSessions: (options: SessionOptions) => made.push(options) },
    text,
  )
  const { logIn } = site(express5, createSessions({ ...made[0], idleTimeout: '1h' }), (app) => {
    for (const path of ['/poll/news', '/telemetry', '/page'])
      app.get(path, (req, res) => void res.json(req.user ?? null))
  })
  for (const [path, isIn] of [
    ['/poll/news', false],
    ['/telemetry', false],
    ['/page', true],
  ] as const) {
    const browser = await logIn()
    for (let count = 0; count < 3; count += 1) {
      await browser.get(path)
      moveTheClock(30 * MINUTE)
    }
    expect([path, (await browser.user()) !== null]).toEqual([path, isIn])
  }
})
