import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createSessions, memoryStore } from 'express-sid'
import { citations, codeBlocks, page, readText, root, runBlock, testNames } from './support/page.js'

// docs/security.md, docs/security-standards.md and docs/stolen-cookies.md name the tests that show their claims. This keeps them true.

const standards = readText('docs/security-standards.md')
const stolen = readText('docs/stolen-cookies.md')
const cited = [page, standards, stolen].flatMap(citations)
const unique = [...new Map(cited.map((one) => [`${one.file} ${one.name}`, one])).values()]

test('cites tests by file and name', () => {
  expect(citations(page).length).toBeGreaterThan(15)
  expect(citations(standards).length).toBeGreaterThan(65)
  expect(citations(stolen).length).toBeGreaterThan(15)
  expect(new Set(cited.map(({ file }) => file)).size).toBeGreaterThan(15)
})

test.each([
  ['security.md', page],
  ['security-standards.md', standards],
  ['stolen-cookies.md', stolen],
])('names only test files that exist: %s', (_name, text) => {
  // A file that is named without the name of a test would go unchecked.
  for (const [, file] of text.matchAll(/`([\w/-]+\.test\.ts)`/g)) {
    expect(existsSync(join(root, '__tests__', file!.replace('__tests__/', '')))).toBe(true)
  }
})

test.each(unique)('$file has a test "$name"', ({ file, name }) => {
  const path = `__tests__/${file}`
  expect(existsSync(join(root, path)) && testNames(readText(path))).toContain(name)
})

test('leaves out no requirement of ASVS V7, nor a section of NIST §5', () => {
  const v7 = ['7.1.1', '7.1.2', '7.1.3', '7.2.1', '7.2.2', '7.2.3', '7.2.4', '7.3.1', '7.3.2']
  const more = ['7.4.1', '7.4.2', '7.4.3', '7.4.4', '7.4.5', '7.5.1', '7.5.2', '7.5.3', '7.6.1', '7.6.2']
  const cookies = ['3.3.1', '3.3.2', '3.3.3', '3.3.4', '3.3.5']
  const nist = ['5.1', '5.1.1', '5.1.2', '5.2', '5.3']
  for (const number of [...v7, ...more, ...cookies, ...nist]) {
    expect(standards).toContain(`\n- **${number} `)
  }
})

test('shows only options that exist', () => {
  const made = codeBlocks().filter((code) => code.includes('createSessions('))
  expect(made).toHaveLength(4)
  const globals = { createSessions, store: memoryStore(), findActiveUser: () => undefined }
  for (const code of made) expect(() => runBlock(code, globals)).not.toThrow()
})
