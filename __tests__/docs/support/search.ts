import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import MiniSearch from 'minisearch'
import { readText, root } from './page.js'

/** A part of a page, from one heading to the next. */
interface Section {
  readonly id: string
  readonly page: string
  readonly title: string
  readonly titles: string
  readonly text: string
}

// Pages for those who work on the package are not on the site.
const left = new Set(['decisions', 'design'])

const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.md'))
  .map((name) => name.slice(0, -3))
  .filter((name) => !left.has(name))

/** What is read on the page: links without their addresses, no marks of code. */
const plain = (markdown: string) => markdown.replace(/\]\([^)]*\)/g, '').replace(/[`*[\]|]/g, '')

/** The sections of a page, each with the headings that it stands under. */
function sectionsOf(page: string): Section[] {
  const code: string[] = []
  // A `#` in code is no heading.
  const outside = readText(`docs/${page}.md`).replace(
    /^```.*?^```$/gms,
    (block) => `@@${code.push(block) - 1}@@`,
  )
  const above: string[] = []
  return outside.split(/^(?=#+ )/m).flatMap((part, index) => {
    const [, marks, heading] = /^(#+) (.+)/.exec(part) ?? []
    if (marks === undefined) return []
    const title = plain(heading!)
    above.splice(marks.length - 1, Infinity, title)
    const body = part
      .slice(part.indexOf('\n') + 1)
      .replace(/@@(\d+)@@/g, (_, at: string) => code[Number(at)]!)
    return [{ id: `${page}#${index}`, page, title, titles: above.slice(0, -1).join(' '), text: plain(body) }]
  })
}

/** The search of the site: the same library, fields and weights as VitePress has for `provider: 'local'`. */
export function siteSearch(): (words: string) => string[] {
  const index = new MiniSearch<Section>({
    fields: ['title', 'titles', 'text'],
    storeFields: ['page'],
    searchOptions: { fuzzy: 0.2, prefix: true, boost: { title: 4, text: 2, titles: 1 } },
  })
  index.addAll(pages.flatMap(sectionsOf))
  return (words) => [...new Set(index.search(words).map(({ page }) => String(page)))]
}
