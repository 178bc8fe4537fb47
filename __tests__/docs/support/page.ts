import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'

export const root = join(__dirname, '../../..')

export const readText = (path: string) => readFileSync(join(root, path), 'utf8')

export const page = readText('docs/security.md')

/** What a page claims to be shown by: a test file, and the name of a test in it. */
export function citations(markdown: string): { file: string; name: string }[] {
  const text = markdown.replaceAll('\\_', '_').replace(/\s+/g, ' ')
  return [...text.matchAll(/`([\w/-]+\.test\.ts)`: ((?:"[^"]+"(?:, )?)+)/g)].flatMap(([, file, names]) =>
    [...names!.matchAll(/"([^"]+)"/g)].map(([, name]) => ({ file: file!, name: name! })),
  )
}

/** The names of the tests in the source of a test file. */
export function testNames(source: string): string[] {
  const call = /(?<!describe)\(\s*(['"`])((?:\\.|(?!\1).)+)\1,\s*(?:async\s*)?(?:\(|\w+\s*=>)/g
  return [...source.matchAll(call)].map(([, , name]) => name!.replaceAll('\\', ''))
}

/** The code on the page, or on another one. */
export function codeBlocks(markdown = page): string[] {
  return [...markdown.matchAll(/^```[jt]s\n(.*?)^```$/gms)].map(([, code]) => code!)
}

/** Runs the page's block of code that holds this text, with these globals. */
export function runBlock(text: string, globals: object, markdown = page): void {
  const found = codeBlocks(markdown).filter((code) => code.includes(text))
  if (found.length !== 1) throw new Error(`${found.length} blocks of the page hold ${JSON.stringify(text)}`)
  runInNewContext(found[0]!, { Date, ...globals })
}

/** The anchors that GitHub gives to the headings of a page. It numbers those that would be alike. */
export function anchorsOf(markdown: string): string[] {
  const uses = new Map<string, number>()
  return [...markdown.replace(/^```.*?^```$/gms, '').matchAll(/^#+ (.+)$/gm)].map(([, heading]) => {
    const anchor = heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
    const before = uses.get(anchor) ?? 0
    uses.set(anchor, before + 1)
    return before === 0 ? anchor : `${anchor}-${before}`
  })
}
