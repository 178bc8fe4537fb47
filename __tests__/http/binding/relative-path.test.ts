import * as fc from 'fast-check'
import { relativePath } from '../../../src/http/binding/relative-path.js'

const BINDING = '/_session/binding'

test.each([
  ['/login', BINDING, '_session/binding'],
  ['/login?returnTo=/a/b#c', BINDING, '_session/binding'],
  ['/login/', BINDING, '../_session/binding'],
  ['/auth/login', BINDING, '../_session/binding'],
  ['/app/auth/login', `/app${BINDING}`, '../_session/binding'],
  ['/app/login', `/app${BINDING}`, '_session/binding'],
  ['/_session/login', BINDING, 'binding'],
  ['//login', BINDING, '../_session/binding'],
  ['/', '/a:b', './a:b'],
])('from %s to %s is %s', (from, to, relative) => {
  expect(relativePath(from, to)).toBe(relative)
})

const segment = fc.stringMatching(/^[a-z:]{1,3}$/)
const path = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => `/${parts.join('/')}`)

test('leads there from every page, also behind a proxy that puts a prefix before both or takes it away', () => {
  fc.assert(
    fc.property(path, path, fc.constantFrom('', '/prefix', '/a/b'), (from, to, prefix) => {
      const url = new URL(relativePath(from, to), `https://host.example${prefix}${from}`)
      expect(url.pathname).toBe(prefix + to)
    }),
  )
})
