import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readText, root } from './support/page.js'
import { siteSearch } from './support/search.js'

// Fifty questions of the issues of express-session, passport and better-auth, in other words. A reader types a few
// words, and finds the page that has the answer among the first eight, which is what the search shows without scrolling.

interface Question {
  readonly from: string
  readonly question: string
  readonly search: string
  readonly page: string
  /** Words of the page that are the answer. */
  readonly answer: string
}

const questions = JSON.parse(readText('__tests__/docs/questions.json')) as Question[]
const search = siteSearch()
const plain = (markdown: string) => markdown.replace(/\s+/g, ' ')

test('there are fifty questions, each from another issue', () => {
  expect(new Set(questions.map(({ from }) => from)).size).toBe(50)
  expect(questions.filter(({ from }) => !/^[\w-]+\/[\w-]+#\d+$/.test(from))).toEqual([])
})

test.each(questions)('$from: $question', ({ search: words, page, answer }) => {
  expect(existsSync(join(root, 'docs', `${page}.md`))).toBe(true)
  expect(plain(readText(`docs/${page}.md`))).toContain(answer)
  expect(search(words).slice(0, 8)).toContain(page)
})
