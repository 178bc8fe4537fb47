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

/** Without code, in which brackets are no links. */
const proseOf = (text: string) => text.replace(/^( *)```.*?^\1```$/gms, '').replace(/`[^`\n]+`/g, '``')

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
