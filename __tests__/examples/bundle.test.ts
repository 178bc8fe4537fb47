import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { codeBlocks, readText, root } from '../docs/support/page.js'
import { scratchFolder } from '../support/scratch.js'

// The bundle of docs/guides/bundle.md: one file, which runs where nothing is installed.

const file = scratchFolder()

test('an app in one file logs in, guards and logs out', async () => {
  const [, options] = codeBlocks(readText('docs/guides/bundle.md'))
  expect(options).toContain("platform: 'node'")
  const bundle = file('app.mjs')
  await build({
    entryPoints: [join(root, 'examples/bundle.ts')],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    alias: { 'express-sid': join(root, 'src/index.ts') },
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)",
    },
  })
  writeFileSync(
    file('visit.mjs'),
    `import { app } from './app.mjs'
const server = app.listen(0, '127.0.0.1', async () => {
  const call = (path, init) => fetch('http://127.0.0.1:' + server.address().port + path, init)
  const { headers } = await call('/login', { method: 'POST' })
  const cookie = headers.get('set-cookie').split(';')[0]
  const me = async () => (await call('/me', { headers: { cookie } })).status
  const before = await me()
  await call('/logout', { method: 'POST', headers: { cookie } })
  console.log(before, await me())
  process.exit(0)
})`,
  )
  expect(execFileSync(process.execPath, [file('visit.mjs')], { encoding: 'utf8' }).trim()).toBe('200 401')
})
