import { execFile } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { codeBlocks, readText, root } from './support/page.js'

// The files of docs/testing.md that Vitest runs, and the one that it shares with Jest.

const blocks = codeBlocks(readText('docs/testing.md'))
const blockWith = (text: string) => blocks.find((code) => code.includes(text))!

const config = `import { defineConfig } from 'vitest/config'
export default defineConfig({
  root: ${JSON.stringify(join(root, '.tmp/docs-vitest'))},
  resolve: {
    alias: [
      { find: /^express-sid\\/testing$/, replacement: ${JSON.stringify(join(root, 'src/testing/index.ts'))} },
      { find: /^express-sid$/, replacement: ${JSON.stringify(join(root, 'src/index.ts'))} },
    ],
  },
})`

test('runs them all', async () => {
  const folder = join(root, '.tmp/docs-vitest')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const shared = blockWith('a cart is there from the start').replace("'@jest/globals'", "'vitest'")
  const files = {
    'app.js': blockWith('export function createApp'),
    'account.test.js': shared,
    'clock.test.js': blockWith('vi.useFakeTimers'),
    'vitest.config.mjs': config,
  }
  for (const [name, code] of Object.entries(files)) writeFileSync(join(folder, name), code)
  const words = [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--config',
    join(folder, 'vitest.config.mjs'),
  ]
  const { stdout } = await promisify(execFile)(process.execPath, words, {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, NO_COLOR: '1' },
  })
  expect(stdout).toMatch(/Tests\s+3 passed \(3\)/)
}, 120_000)
