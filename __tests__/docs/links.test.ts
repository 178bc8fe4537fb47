import { existsSync, readdirSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { anchorsOf, readText, root } from './support/page.js'

// The pages for people: their links lead somewhere, and their lines can be reviewed.

const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.md'),
)
const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'CHANGELOG.md',
  ...docs.map((name) => `docs/${name}`),
]

const withoutBlocks = (text: string) => text.replace(/^ *(?:- )?```.*?^ *```$/gms, '')

/** Without code, in which brackets are no links. */
const proseOf = (text: string) => withoutBlocks(text).replace(/`[^`\n]+`/g, '``')

test.each(pages)('every link of %s leads to a file and a heading that exist', (path) => {
  const links = [...proseOf(readText(path)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!)
  for (const target of links.filter((one) => !/^(?:https?:|mailto:)/.test(one))) {
    const [file, anchor] = target.split('#') as [string, string | undefined]
    const linked = file === '' ? path : normalize(join(dirname(path), file))
    if (!existsSync(join(root, linked)))
      throw new Error(`${path} links to ${target}, and there is no such file`)
    if (anchor !== undefined && !anchorsOf(readText(linked)).includes(anchor)) {
      throw new Error(`${path} links to ${target}, and there is no such heading`)
    }
  }
})

// What the bench writes into its page is as wide as its tables.
test.each(pages.filter((path) => path !== 'docs/performance.md'))(
  'no line of %s is too long to review',
  (path) => {
    const long = readText(path)
      .split('\n')
      .filter((line) => line.length > 160)
    expect(long).toEqual([])
  },
)

// The site is made by VitePress, which compiles a page as a Vue template: a tag, even one inside a code span that was broken
// over lines, is an element that must end, and `{{` begins an expression.
test.each(pages)('%s has no tag and no braces that the site would compile', (path) => {
  const text = withoutBlocks(readText(path)).replace(/<!--.*?-->/gs, '')
  expect(proseOf(text).match(/<\/?[a-z][^\n]*|\{\{[^\n]*/gi)).toBeNull()
})
