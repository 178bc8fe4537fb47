// `npm run docs`: makes the site in site/dist from the pages in docs/. Nothing is written twice: the pages are copied, and
// links into the repository, which is not on the site, become plain text.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vitepress'
import { llmsOf } from '../scripts/llms.js'
import { home } from './home.js'

const site = fileURLToPath(new URL('.', import.meta.url))
const docs = join(site, '../docs')
const pages = join(site, '.pages')
/** For contributors: in the repository only. */
const left = new Set(['decisions.md', 'design.md'])

/** Pages of the repository that the site has as well, by their path from docs/. SECURITY.md would meet docs/security.md. */
const besides = { '../CHANGELOG.md': 'changelog.md', '../SECURITY.md': 'report.md' }

const beside = new Map()

rmSync(pages, { recursive: true, force: true })
mkdirSync(join(pages, 'public'), { recursive: true })

const files = readdirSync(docs, { recursive: true, encoding: 'utf8' }).filter((file) => !left.has(file))
for (const file of files.filter((one) => one.endsWith('.md'))) copyPage(join(docs, file), file)
for (const [file, page] of Object.entries(besides)) copyPage(join(docs, file), page)
for (const file of files.filter((one) => /\.(?:svg|json|yml)$/.test(one))) {
  cpSync(join(docs, file), join(pages, file.endsWith('.svg') ? file : `public/${file}`))
}
writeFileSync(join(pages, 'index.md'), home)
const { list, full } = llmsOf(join(site, '..'))
writeFileSync(join(pages, 'public/llms.txt'), list.replaceAll('](docs/', ']('))
writeFileSync(join(pages, 'public/llms-full.txt'), full)
await build(site)
// Written last: VitePress takes every Markdown file that it finds for a page.
for (const [name, text] of beside) writeFileSync(join(site, 'dist', name), text)

function copyPage(from, to) {
  const text = readFileSync(from, 'utf8')
  // As a page, and as it is beside it: agents read the Markdown.
  const page = join(pages, to)
  mkdirSync(dirname(page), { recursive: true })
  writeFileSync(page, onSite(text, from))
  beside.set(to, text)
}

/** The page with its links as the site has them. Code is left as it is. */
function onSite(text, from) {
  const parts = text.split(/(^ *```.*?^ *```$)/gms)
  return parts
    .map((part, at) => (at % 2 === 1 ? part : part.replace(/(!?)\[([^\]]*)\]\(([^)\s]+)\)/g, link)))
    .join('')

  function link(all, isImage, words, target) {
    if (isImage !== '' || /^(?:https?:|mailto:|#)/.test(target)) return all
    const [path, anchor] = target.split('#')
    const file = normalize(join(dirname(from), path))
    const inDocs = relative(docs, file)
    if (inDocs in besides) {
      const isBelow = dirname(relative(docs, from)) !== '.' && from.startsWith(docs)
      return `[${words}](${isBelow ? '../' : './'}${besides[inDocs]})`
    }
    if (inDocs.startsWith('..') || left.has(inDocs) || !existsSync(file)) return words
    // VitePress looks for pages only; a file is linked from the root, and not followed by its router.
    if (/\.(?:json|yml)$/.test(path)) return `<a href="./${inDocs}" target="_self" download>${words}</a>`
    return from.startsWith(docs) ? all : `[${words}](./${inDocs}${anchor === undefined ? '' : `#${anchor}`})`
  }
}
