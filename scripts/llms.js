// llms.txt and llms-full.txt (https://llmstxt.org), for agents that read the installed package: made at each build from the
// pages that the package holds, and not kept in the repository.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** For contributors, or figures: not for somebody who writes an app. */
const left = new Set([
  'docs/decisions.md',
  'docs/design.md',
  'docs/performance.md',
  'docs/security-standards.md',
])
/** What an agent reads first. The others follow by name. */
const first = [
  'docs/agents.md',
  'docs/start.md',
  'docs/concepts.md',
  'docs/recipes.md',
  'docs/troubleshooting.md',
]

/** The pages, in the order in which they are listed. */
export function pagesOf(folder) {
  const names = readdirSync(join(folder, 'docs'), { recursive: true, encoding: 'utf8' })
  const all = names.filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)
  const kept = all.filter((name) => !left.has(name)).toSorted()
  return [...first.filter((name) => kept.includes(name)), ...kept.filter((name) => !first.includes(name))]
}

/** The title of a page, and its first sentence. */
export function aboutOf(markdown) {
  const [, title = ''] = /^# (.+)$/m.exec(markdown) ?? []
  const prose = markdown
    .replaceAll(/^```.*?^```$/gms, '')
    .split('\n\n')
    .map((part) => part.trim())
  const paragraph = prose.find((part) => part !== '' && !/^(?:#|-|\||!|>|Status \d)/.test(part)) ?? ''
  const plain = paragraph.replaceAll(/\s+/g, ' ').replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
  return { title, summary: /^.*?[.:](?= |$)/.exec(plain)?.[0].replace(/:$/, '.') ?? plain }
}

/** The two texts. */
export function llmsOf(folder) {
  const { description, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const pages = pagesOf(folder).map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }))
  const line = ({ name, text }) => {
    const { title, summary } = aboutOf(text)
    return `- [${title}](${name}): ${summary}`
  }
  const isError = ({ name }) => name.startsWith('docs/errors/')
  const head = `# express-sid\n\n> ${description}\n\nVersion ${version}. Paths are relative to the installed package, \`node_modules/express-sid\`.\n`
  const listed = pages.filter((page) => !isError(page))
  const list = `${head}\n## Pages\n\n${listed.map(line).join('\n')}\n\n## Error codes\n\n${pages.filter(isError).map(line).join('\n')}\n`
  const full = pages.map(({ name, text }) => `<!-- ${name} -->\n\n${text.trim()}\n`).join('\n')
  return { list, full: `${head}\n${full}` }
}

/** Writes both beside package.json. */
export function writeLlms(folder = root) {
  const { list, full } = llmsOf(folder)
  writeFileSync(join(folder, 'llms.txt'), list)
  writeFileSync(join(folder, 'llms-full.txt'), full)
}
