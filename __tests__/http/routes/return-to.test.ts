import { array, assert, constantFrom, property, string } from 'fast-check'
import { login } from 'express-sid'
import { localPath, loginPageFor, returnToOf } from '../../../src/http/routes/return-to.js'
import { ann } from '../../support/people.js'
import { expresses, site } from '../../support/site.js'
import { isWide } from '../../support/wide.js'

const away = [
  '//evil.example',
  '///evil.example',
  '////evil.example',
  '/\\evil.example',
  '\\/evil.example',
  '\\\\evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '/\r/evil.example',
  '\t//evil.example',
  ' //evil.example',
  '/\0/evil.example',
  '/\u007f/evil.example',
  'http://evil.example',
  'https:evil.example',
  'https:/evil.example',
  'http:\\\\evil.example',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'data:text/html,hi',
  'evil.example',
  '@evil.example',
  '?returnTo=/x',
  '#x',
  '',
  ' ',
  '/x\r\nSet-Cookie: sid=1',
  `/${'x'.repeat(3000)}`,
]

const ours = [
  '/',
  '/home',
  '/a?b=c&d=%2F%2Fevil.example',
  '/a#b',
  '/@evil.example',
  '/%0d%0aSet-Cookie:x',
  '/%09/evil.example',
  '/%5cevil.example',
  '/%2f/evil.example',
  '/.//evil.example',
  '/..//evil.example',
  '/a//b',
  '/:80',
  '/ü/日本',
  '/redirect?to=https://elsewhere.example',
]

/** Where a browser goes from a page of ours. */
const resolved = (path: string) => new URL(path, 'https://our.example/login').origin

test.each(away)('%j is no path of this site', (path) => {
  expect(localPath(path)).toBeUndefined()
})

test.each([undefined, null, 1, {}, ['/x'], ['/x', '/y'], { toString: () => '/x' }])(
  '%p is no path, since it is no text',
  (value) => {
    expect(localPath(value)).toBeUndefined()
  },
)

test.each(ours)('%j is a path of this site', (path) => {
  expect(localPath(path)).toBe(path)
  expect(resolved(path)).toBe('https://our.example')
})

test('no text that passes leads to another origin', () => {
  const pieces = constantFrom(
    '/',
    '\\',
    '.',
    '..',
    '%2f',
    '%5c',
    '\t',
    '\n',
    '\r',
    '\0',
    ' ',
    ':',
    '@',
    '#',
    '?',
    'http',
    'evil.example',
    '／',
    '\u2028',
    '\ufeff',
    '\ud800',
  )
  const texts = array(pieces, { maxLength: 8 }).map((parts) => `/${parts.join('')}`)
  const leadsAway = (text: string) =>
    localPath(text) !== undefined && resolved(text) !== 'https://our.example'
  assert(
    property(texts, (text) => !leadsAway(text)),
    { numRuns: isWide ? 3000 : 600 },
  )
  assert(
    property(string({ unit: 'binary' }), (text) => !leadsAway(`/${text}`)),
    { numRuns: isWide ? 2000 : 400 },
  )
})

test('a path that was asked for comes back from the query of the login page as it was', () => {
  assert(
    property(string(), string(), (path, query) => {
      const url = new URL(`http://our.example/${encodeURIComponent(path)}?${encodeURIComponent(query)}`)
      const asked = url.pathname + url.search
      const page = loginPageFor({ method: 'GET', headers: {}, originalUrl: asked } as never, '/sign-in')
      return returnToOf({ originalUrl: page } as never) === localPath(asked)
    }),
    { numRuns: isWide ? 500 : 200 },
  )
})

test('two returnTo values count as none', () => {
  expect(returnToOf({ originalUrl: '/login?returnTo=/a&returnTo=/b' } as never)).toBeUndefined()
  expect(returnToOf({ originalUrl: '/login?returnTo[]=/a' } as never)).toBeUndefined()
  expect(returnToOf({ url: '/login?returnTo=/a' } as never)).toBe('/a')
  expect(returnToOf({} as never)).toBeUndefined()
})

describe.each(expresses)('a login on %s', (_name, module) => {
  const { visitor } = site(module, {}, (routes) => {
    routes.post(
      '/login',
      login(() => ann, { redirect: '/home' }),
    )
  })
  const asPage = { Accept: 'text/html' }
  const logInTo = (path: string) => visitor().post(`/login?returnTo=${encodeURIComponent(path)}`, asPage)

  test.each(away)('goes to the default page, not to %j', async (path) => {
    const res = await logInTo(path)
    expect([res.status, res.headers.location]).toEqual([303, '/home'])
  })

  test.each([
    '/login?returnTo=//evil.example',
    '/login?returnTo=/%0a/evil.example',
    '/login?returnTo=/a&returnTo=//evil.example',
    '/login?returnTo[]=/a',
    '/login?returnTo[x]=/a',
    '/login?returnTo',
    '/login?RETURNTO=/a',
    '/login?x=%&returnTo=%%',
  ])('goes to the default page at %s', async (path) => {
    const res = await visitor().post(path, asPage)
    expect([res.status, res.headers.location]).toEqual([303, '/home'])
  })

  test.each(ours)('goes to %j, and that is on this site', async (path) => {
    const res = await logInTo(path)
    expect(res.status).toBe(303)
    expect(resolved(res.headers.location!)).toBe('https://our.example')
    expect(new URL(res.headers.location!, 'https://our.example').href).toBe(
      new URL(path, 'https://our.example').href,
    )
  })

  test('tells JSON clients the same', async () => {
    const ask = (path: string) => visitor().post(`/login?returnTo=${path}`, { Accept: 'application/json' })
    expect((await ask('/a')).body.redirectTo).toBe('/a')
    expect((await ask('//evil.example')).body.redirectTo).toBe('/home')
  })
})
