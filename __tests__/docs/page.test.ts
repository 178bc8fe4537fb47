import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createSessions, memoryStore } from 'express-sid'
import {
  anchorsOf,
  citations,
  codeBlocks,
  page,
  readText,
  root,
  runBlock,
  testNames,
} from './support/page.js'

// docs/security.md says what shows each of its claims. This keeps it from saying what is no longer so.

test('cites tests by file and name', () => {
  expect(citations().length).toBeGreaterThan(80)
  // A file that is named with no name beside it would go unchecked.
  const files = new Set(citations().map(({ file }) => file))
  for (const [, file] of page.matchAll(/`([\w/-]+\.test\.ts)`/g)) {
    expect(existsSync(join(root, '__tests__', file!.replace('__tests__/', '')))).toBe(true)
  }
  expect(files.size).toBeGreaterThan(15)
})

test.each(citations())('$file has a test "$name"', ({ file, name }) => {
  const path = `__tests__/${file}`
  expect(existsSync(join(root, path)) && testNames(readText(path))).toContain(name)
})

test('leaves out no requirement of ASVS V7, nor a section of NIST §5', () => {
  const v7 = ['7.1.1', '7.1.2', '7.1.3', '7.2.1', '7.2.2', '7.2.3', '7.2.4', '7.3.1', '7.3.2']
  const more = ['7.4.1', '7.4.2', '7.4.3', '7.4.4', '7.4.5', '7.5.1', '7.5.2', '7.5.3', '7.6.1', '7.6.2']
  const cookies = ['3.3.1', '3.3.2', '3.3.3', '3.3.4', '3.3.5']
  const nist = ['5.1', '5.1.1', '5.1.2', '5.2', '5.3']
  for (const number of [...v7, ...more, ...cookies, ...nist]) expect(page).toContain(`\n| ${number} `)
})

test('has every place that is linked to, here and in the README', () => {
  const anchors = anchorsOf(page)
  const links = [
    ...page.matchAll(/\]\(#([^)]+)\)/g),
    ...readText('README.md').matchAll(/docs\/security\.md#([\w-]+)/g),
  ]
  for (const [, anchor] of links) expect(anchors).toContain(anchor)
  for (const [, path] of page.matchAll(/\]\(\.\.\/([^)#]+)\)/g))
    expect(existsSync(join(root, path!))).toBe(true)
})

test('shows only options that exist', () => {
  const made = codeBlocks().filter((code) => code.includes('createSessions('))
  expect(made).toHaveLength(4)
  const globals = { createSessions, store: memoryStore(), findActiveUser: () => undefined }
  for (const code of made) expect(() => runBlock(code, globals)).not.toThrow()
})
