// `npm run reference` writes docs/reference.md from the doc comments of the public types. With `--check` it changes
// nothing, and fails where the page is out of date.
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { readEntries } from './reference/declarations.js'
import { pageOf } from './reference/page.js'

const root = fileURLToPath(new URL('..', import.meta.url))
const file = `${root}docs/reference.md`

const options = await resolveConfig(file)
const page = await format(pageOf(readEntries(root)), { ...options, parser: 'markdown', proseWrap: 'always' })
if (!process.argv.includes('--check')) {
  writeFileSync(file, page)
} else if (readFileSync(file, 'utf8') !== page) {
  console.error('docs/reference.md is out of date: the doc comments of the source say something else.')
  console.error('Fix: run npm run reference')
  process.exitCode = 1
}
