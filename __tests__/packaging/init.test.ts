import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { startNode } from '../support/app-process.js'
import { launchChromium } from '../support/chromium.js'
import { has } from '../support/needs.js'
import { widely } from '../support/wide.js'
import { makeConsumer, type Consumer } from './support/packed.js'

// `npx express-sid init` of the real tarball, in apps as people have them: the app's tests pass, it starts, and a browser
// signs up, logs out and logs in.

jest.setTimeout(60_000)

const bin = 'node_modules/express-sid/dist/cli/express-sid.js'

/** Runs `init`, the tests that it has written, and the app. */
async function initialised(consumer: Consumer, testFile: string, start: readonly string[]) {
  const said = await consumer.node([bin, 'init', '--yes', '--no-install', '--json'])
  const isTypeScript = testFile.endsWith('.ts')
  await consumer.node([...(isTypeScript ? ['--import', 'tsx'] : []), '--test', testFile])
  const app = await startNode(start, { cwd: consumer.folder, env: { PATH: process.env.PATH } })
  return { said: JSON.parse(said) as { written: string[]; script: string }, app }
}

async function logsInWithBrowser(origin: string): Promise<void> {
  const browser: Browser = await launchChromium()
  try {
    const page = await browser.newPage()
    const send = async (path: string, button: string) => {
      await page.goto(origin + path)
      await page.getByLabel('Name').fill('ann')
      await page.getByLabel('Password').fill('correct horse')
      await page.getByRole('button', { name: button }).click()
    }
    await send('/signup', 'Sign up')
    expect(await page.textContent('body')).toContain('Hello ann')
    await page.getByRole('button', { name: 'Log out' }).click()
    await page.goto(`${origin}/account`)
    expect(page.url()).toContain('/login')
    await send('/login', 'Log in')
    expect(await page.textContent('body')).toContain('Hello ann')
    await page.goto(origin)
    expect(await page.textContent('body')).toContain('Hello ann')
  } finally {
    await browser.close()
  }
}

const apps: [name: string, make: () => Promise<Consumer>, test: string, start: readonly string[]][] = [
  [
    'an app of express-generator',
    () => makeConsumer('init-generator', [], { express: 'express4' }),
    'auth.test.js',
    ['bin/www'],
  ],
  [
    'a TypeScript app',
    () => makeConsumer('init-typescript', ['express', '@types/express', '@types/node', 'tsx', 'typescript']),
    'src/auth.test.ts',
    ['--import', 'tsx', 'src/server.ts'],
  ],
]

test.each(widely(apps, ([name]) => name.includes('generator')))(
  'init in %s',
  async (name, make, testFile, start) => {
    const consumer = await make()
    const { said, app } = await initialised(consumer, testFile, start)
    try {
      expect(said.written).toContain(testFile)
      expect(said.script).toBe('test')
      if (name.includes('TypeScript')) await consumer.node(['node_modules/typescript/bin/tsc', '-p', '.'])
      if (has('chromium')) await logsInWithBrowser(`http://localhost:${app.port}`)
      await expect(consumer.node([bin, 'init', '--yes', '--no-install'])).rejects.toThrow(
        'has a login already',
      )
    } finally {
      await app.stop()
      await consumer.remove()
    }
  },
)

test('the command needs nothing but the package, and says its version', async () => {
  const consumer = await makeConsumer('init-generator', [])
  const { version, bin: bins } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    version: string
    bin: Record<string, string>
  }
  expect(await consumer.node([join('node_modules/express-sid', bins['express-sid']!), '--version'])).toBe(
    `${version}\n`,
  )
  await consumer.remove()
})
