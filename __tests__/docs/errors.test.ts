import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { SessionError, type SessionErrorCode } from 'express-sid'
import { readText, root } from './support/page.js'

// Each code has a page, which the message names.

const source = readText('src/errors.ts')
const codes = [...source.matchAll(/^ {2}([A-Z_]+): (\d{3}),$/gm)].map(
  ([, code, status]) => [code as SessionErrorCode, Number(status)] as const,
)
const names = readdirSync(join(root, 'docs/errors'))

test('there is a page for each code, and for no other', () => {
  expect(codes.length).toBeGreaterThan(20)
  expect(names.toSorted()).toEqual([...codes.map(([code]) => `${code}.md`), 'index.md'].toSorted())
})

test.each(codes)(
  'the page of %s (%d) says its status, where it comes from and what to do',
  (code, status) => {
    const page = readText(`docs/errors/${code}.md`)
    expect(page).toContain(`# ${code}\n`)
    expect(page).toContain(`Status ${status} (`)
    for (const part of ['Where it comes from', 'What to do', 'What the visitor gets']) {
      expect(page).toMatch(new RegExp(`^## ${part}\\n\\n.{3,}`, 'm'))
    }
  },
)

test.each(codes)('the list has %s with its status %d', (code, status) => {
  expect(readText('docs/errors/index.md').replaceAll(/\s+/g, ' ')).toContain(
    `[\`${code}\`](${code}.md) (${status}): `,
  )
})

test.each(codes)('an error of %s (%d) has the path of its page', (code, status) => {
  const error = new SessionError(code, 'It went wrong.', { cause: new Error('the disk is full') })
  expect(error.page).toBe(`express-sid/docs/errors/${code}.md`)
  expect(readFileSync(join(root, error.page.replace('express-sid/', '')), 'utf8')).toContain(code)
  // Visitors may see what is below 500. A page of ours is no use to them.
  const named = status < 500 ? '' : ` See express-sid/docs/errors/${code}.md.`
  expect(error.message).toBe(`It went wrong.${named} Cause: the disk is full`)
})

test('the reference leads to the pages', () => {
  expect(readText('docs/reference.md')).toContain('](errors/index.md)')
})
