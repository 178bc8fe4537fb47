import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import express, { type Express } from 'express'
import * as sid from 'express-sid'
import { createSessions, type SessionOptions, type Sessions } from 'express-sid'
import { loginAs } from 'express-sid/testing'
import type { Browser } from 'playwright-core'
import request from 'supertest'
import { WebSocket, WebSocketServer } from 'ws'
import { launchChromium } from '../support/chromium.js'
import { listen } from '../support/listen.js'
import { needs } from '../support/needs.js'
import { codeBlocks, readText, root } from './support/page.js'

// docs/testing.md: its code runs as it stands there, under the runners that it names (Vitest: testing.long.test.ts).

const page = readText('docs/testing.md')
const blocks = codeBlocks(page)

function blockWith(...texts: string[]): string {
  const found = blocks.filter((code) => texts.every((text) => code.includes(text)))
  if (found.length !== 1) throw new Error(`${found.length} blocks of the page hold ${texts.join(', ')}`)
  return found[0]!
}

/** Runs a module of the page with these names in place of its imports. */
function run(code: string, names: object, result = ''): unknown {
  const body = code.replaceAll(/^import .*$/gm, '').replaceAll(/^export /gm, '')
  // oxlint-disable-next-line typescript/no-implied-eval -- the code is a block of our own page
  return new Function(...Object.keys(names), `${body}; ${result}`)(...Object.values(names)) as unknown
}

const createApp = run(blockWith('export function createApp'), { express, ...sid }, 'return createApp') as (
  options?: SessionOptions,
) => { app: Express; sessions: Sessions }

describe('in Jest', () => {
  run(blockWith("'@jest/globals'", 'a cart is there'), { test, expect, request, loginAs, createApp })
})

describe('in Jest, with a fake clock', () => {
  const clock = { jest, beforeEach, afterEach }
  run(blockWith("'@jest/globals'", 'useFakeTimers'), { test, expect, request, loginAs, createApp, ...clock })
})

test('in node:test, with fetch, and with a fake clock', async () => {
  const folder = join(root, '.tmp/docs-testing')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const files = {
    'app.js': blockWith('export function createApp'),
    'fetch.test.js': blockWith("'node:test'", 'fetch('),
    'clock.test.js': blockWith("'node:test'", 'mock.timers'),
  }
  for (const [name, code] of Object.entries(files)) writeFileSync(join(folder, name), code)
  const tests = Object.keys(files).filter((name) => name.includes('.test.'))
  const words = ['--import', 'tsx', '--test', ...tests.map((name) => join(folder, name))]
  // TSX reads the paths of this configuration for files of JavaScript too, if they are named in it.
  const env = {
    ...process.env,
    NODE_OPTIONS: '',
    NODE_TEST_CONTEXT: undefined,
    TSX_TSCONFIG_PATH: join(folder, 'tsconfig.json'),
  }
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({ extends: '../../tsconfig.json', compilerOptions: { allowJs: true }, include: ['.'] }),
  )
  const { stdout } = await promisify(execFile)(process.execPath, words, { cwd: root, env })
  expect(stdout).toMatch(/^(?:ℹ|#) pass 2$/m)
  expect(stdout).toMatch(/^(?:ℹ|#) fail 0$/m)
}, 60_000)

test('over a WebSocket', async () => {
  const sessions = createSessions()
  const sockets = new WebSocketServer({ noServer: true })
  const { server, url, close } = await listen(() => undefined)
  const opened: unknown[] = []
  server.on('upgrade', (req, socket, head) => {
    void sid.authenticateUpgrade(sessions, req).then((found) => {
      opened.push(found?.user)
      sockets.handleUpgrade(req, socket, head, () => undefined)
    })
  })
  const code = `return (async () => { ${blockWith("from 'ws'").replaceAll(/^import .*$/gm, '')}; return socket })()`
  const names = { WebSocket, loginAs, sessions, url }
  // oxlint-disable-next-line typescript/no-implied-eval -- the code is a block of our own page
  const socket = (await new Function(...Object.keys(names), code)(...Object.values(names))) as WebSocket
  await once(socket, 'open')
  expect(opened).toEqual([{ id: 1, name: 'Ann' }])
  socket.terminate()
  await close()
})

needs('chromium')('in a browser', () => {
  let browser: Browser
  beforeAll(async () => (browser = await launchChromium()), 60_000)
  afterAll(() => browser.close())

  test.each([{}, { cookie: { secure: true } }])(
    'by Playwright, with %j',
    async (options) => {
      const { app, sessions } = createApp(options)
      const { url, close } = await listen(app)
      const context = await browser.newContext()
      const tests: ((fixtures: object) => Promise<void>)[] = []
      const text = (locator: { textContent(): Promise<string> }) => ({
        toContainText: async (part: string) => expect(await locator.textContent()).toContain(part),
      })
      const collect = (_name: string, body: (fixtures: object) => Promise<void>) => void tests.push(body)
      run(blockWith('context.addCookies', 'page.goto'), {
        test: collect,
        expect: text,
        loginAs,
        sessions,
        url,
      })
      await tests[0]!({ page: await context.newPage(), context })
      await context.close()
      await close()
    },
    60_000,
  )
})
