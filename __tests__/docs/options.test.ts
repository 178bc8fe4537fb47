import { sessionOptions } from '../../src/http/check-options.js'
import { cookieOptions } from '../../src/http/cookie/options.js'
import type { Option, Table } from '../../src/lib/options/options.js'
import { readText } from './support/page.js'

// The README's table of options against the tables of the source that check them.

/** A value as JavaScript writes it. */
function literal(value: unknown): string {
  return typeof value === 'string' ? `'${value}'` : JSON.stringify(value)
}

/** The default as the README says it. */
function defaultOf(option: Option<unknown>): string {
  return option.defaultText ?? `\`${literal(option.default)}\``
}

function rowsOf(table: Table, prefix = ''): [string, string][] {
  return Object.entries(table).map(([name, option]) => [prefix + name, defaultOf(option)])
}

const { cookie: _, ...others } = sessionOptions
const inSource = [...rowsOf(others), ...rowsOf(cookieOptions, 'cookie.')]

const [section] = /^## Options\n.*?(?=^## )/ms.exec(readText('README.md'))!
/** Rows whose first cell is an option's name: name, default, meaning. */
const rows = [...section.matchAll(/^\| `([\w.]+)`\s*\| (.*?)\s*\| (.*?)\s*\|$/gm)].map(
  ([, name, text, meaning]) => ({ name: name!, text: text!, meaning: meaning! }),
)

test('the README has a row for each option, and for no other', () => {
  expect(rows.map(({ name }) => name).toSorted()).toEqual(inSource.map(([name]) => name).toSorted())
})

test.each(inSource)('the README says the default of %s: %s', (name, text) => {
  expect(rows.find((row) => row.name === name)?.text).toBe(text)
})

test('every option has a line of documentation, in the source and in the README', () => {
  for (const option of [...Object.values(others), ...Object.values(cookieOptions)]) {
    expect(option.doc).toMatch(/^.{10,100}$/)
  }
  for (const { meaning } of rows) expect(meaning).not.toBe('')
})
