import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { isPrefetch, isSafeMethod } from '../../../src/http/request/fetch-metadata.js'

const asked = (headers: IncomingHttpHeaders) => isPrefetch({ headers } as IncomingMessage)

test.each(['prefetch', 'prefetch;prerender', 'prefetch; prerender', 'prefetch;anonymous-client-ip'])(
  'Sec-Purpose: %s is a prefetch',
  (purpose) => {
    expect(asked({ 'sec-purpose': purpose })).toBe(true)
  },
)

test('Purpose: prefetch, as older browsers say it, is a prefetch', () => {
  expect(asked({ purpose: 'prefetch' })).toBe(true)
})

test.each(['', 'prefetching', 'prefetch-later', 'preview', 'not prefetch', 'Xprefetch'])(
  'Sec-Purpose: %s is none',
  (purpose) => {
    expect(asked({ 'sec-purpose': purpose })).toBe(false)
  },
)

test('a request without a purpose is no prefetch', () => {
  expect(asked({})).toBe(false)
})

test('GET, HEAD and OPTIONS change nothing, all else may', () => {
  for (const method of ['GET', 'HEAD', 'OPTIONS']) expect(isSafeMethod(method)).toBe(true)
  for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'QUERY', 'get', '', undefined]) {
    expect(isSafeMethod(method)).toBe(false)
  }
})
