import { login, logout, memoryStore, requireUser } from 'express-sid'
import { readText } from './support/page.js'

// What docs/reference.md lists is what the source defines, and nothing is left out.

const page = readText('docs/reference.md')
const section = (heading: string) => page.split(`## ${heading}\n`)[1]!.split('\n## ')[0]!

test('every error code is on the page, with its status, and no other', () => {
  const listed = [...section('Errors').matchAll(/^\| `([A-Z_]+)`\s+\| (\d{3})/gm)].map(([, code, status]) => [
    code,
    status,
  ])
  const [, codes] = /const statusByCode = \{(.*?)\n\} as const/s.exec(readText('src/errors.ts'))!
  const defined = [...codes!.matchAll(/^ {2}([A-Z_]+): (\d{3}),$/gm)].map(([, code, status]) => [
    code,
    status,
  ])
  expect(defined.length).toBeGreaterThan(10)
  expect(listed).toEqual(defined)
})

test('every event is on the page, and no other', () => {
  const listed = [...section('Events').matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name)
  const [, events] = /export interface SessionEvents \{(.*?)\n\}/s.exec(readText('src/core/events.ts'))!
  const defined = [...events!.matchAll(/^ {2}(\w+): /gm)].map(([, name]) => name)
  expect(defined.length).toBeGreaterThan(5)
  expect(listed).toEqual(defined)
})

const misspelt = { zebra: 1 } as object

test.each([
  ['login(authenticate, options?)', () => login(() => undefined, misspelt)],
  ['logout(options?)', () => logout(misspelt)],
  ['requireUser(options?)', () => requireUser(misspelt)],
  ['memoryStore(options?)', () => memoryStore(misspelt)],
])('every option of %s is on the page, and no other', (signature, make) => {
  // The table that comes next after the signature.
  const [, table] = page.split(`\`${signature}\``)[1]!.split(/\n\n(?=\|)/)
  const listed = [...table!.split('\n\n')[0]!.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name)
  expect(listed).not.toEqual([])
  expect(make).toThrow(`Its options are ${listed.join(', ')}.`)
})
