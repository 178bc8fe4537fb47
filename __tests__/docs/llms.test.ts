import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { readText, root } from './support/page.js'
import { packedTarball } from '../packaging/support/packed.js'

// llms.txt and llms-full.txt are made at the build, from the pages that the package holds.

jest.setTimeout(60_000)

const held = async (name: string) =>
  execFileSync('tar', ['-xOzf', await packedTarball(), `package/${name}`], {
    encoding: 'utf8',
    maxBuffer: 10_000_000,
  })

const left = new Set(['decisions.md', 'design.md', 'performance.md', 'security-standards.md'])
const pages = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.md') && !left.has(name),
)

test('llms.txt of the package lists every page once, with what it is about', async () => {
  const text = await held('llms.txt')
  expect(text).toMatch(/^# express-sid\n\n> .{20,}\n/)
  for (const page of pages) {
    const lines = text.split('\n').filter((line) => line.includes(`](docs/${page})`))
    expect([page, lines]).toEqual([
      page,
      [expect.stringMatching(/^- \[.{3,}\]\(docs\/[\w/-]+\.md\): .{10,}/)],
    ])
  }
})

test('every path in llms.txt is in the package', async () => {
  const names = execFileSync('tar', ['-tzf', await packedTarball()], { encoding: 'utf8' }).split('\n')
  const paths = [...(await held('llms.txt')).matchAll(/\]\(([^)]+)\)/g)].map(([, path]) => `package/${path}`)
  expect(paths.length).toBe(pages.length)
  expect(names).toEqual(expect.arrayContaining(paths))
})

test('llms-full.txt of the package has the whole text of every page', async () => {
  const text = await held('llms-full.txt')
  for (const page of pages) {
    expect(text).toContain(`<!-- docs/${page} -->\n\n${readText(`docs/${page}`).trim()}\n`)
  }
})

test('the part for AGENTS.md names only what there is', async () => {
  const page = readText('docs/agents.md')
  const api = readText('docs/reference.md')
  for (const [, name] of page.matchAll(/`(?:await )?(?:sessionOf\(req\)|sessions)\.(\w+)/g)) {
    expect(api).toContain(`- \`${name}`)
  }
  for (const [, name] of page.matchAll(/`(\w+)\(/g)) {
    if (name !== 'sessionOf' && !['get', 'update'].includes(name!)) expect(api).toContain(`\n### ${name}\n`)
  }
})
