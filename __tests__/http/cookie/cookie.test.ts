import { parseCookie } from 'cookie'
import * as fc from 'fast-check'
import { ServerResponse, type IncomingMessage } from 'node:http'
import { carryCookie } from '../../../src/http/cookie/carry.js'
import { resolveCookie, type CookieOptions } from '../../../src/http/cookie/options.js'
import { cookieFor, readCookie as readValues } from '../../../src/http/cookie/read.js'
import { serializeCleared, serializeToken } from '../../../src/http/cookie/write.js'

const day = 86_400_000

const readCookie = (header: string | undefined, name: string) =>
  readValues(header, name, 5, (value): value is string => value !== undefined)

function invalid(part: string): Error {
  return expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(part) }) as Error
}

describe('cookieFor', () => {
  /** What is chosen: [on a plain request, on a secure one]. */
  function choices(options?: CookieOptions, production = false): string[] {
    const settings = resolveCookie(options, production)
    return [false, true].map((isSecure) => {
      const { name, secure } = cookieFor(settings, isSecure)
      return secure ? `${name} Secure` : name
    })
  }

  test('is sid on a plain request and __Host-sid on a secure one', () => {
    expect(choices()).toEqual(['sid', '__Host-sid Secure'])
    expect(choices({ path: '/' })).toEqual(['sid', '__Host-sid Secure'])
  })

  test('is always Secure in production', () => {
    expect(choices({}, true)).toEqual(['__Host-sid Secure', '__Host-sid Secure'])
  })

  test('is always Secure with secure: true, and never with secure: false', () => {
    expect(choices({ secure: true })).toEqual(['__Host-sid Secure', '__Host-sid Secure'])
    expect(choices({ secure: false }, true)).toEqual(['sid', 'sid'])
  })

  test('is __Secure-sid with a domain or another path, which __Host- forbids', () => {
    expect(choices({ domain: 'example.com' })).toEqual(['sid', '__Secure-sid Secure'])
    expect(choices({ path: '/app' }, true)).toEqual(['__Secure-sid Secure', '__Secure-sid Secure'])
    expect(choices({ domain: 'example.com', secure: false })).toEqual(['sid', 'sid'])
  })

  test('is the given name, as given', () => {
    expect(choices({ name: 'login' })).toEqual(['login', 'login Secure'])
    expect(choices({ name: 'login', domain: 'example.com' }, true)).toEqual(['login Secure', 'login Secure'])
  })

  test.each<CookieOptions>([
    { name: '__Host-login' },
    { name: '__host-login' },
    { name: '__Secure-login' },
    { name: '__Http-login' },
    { name: 'login', sameSite: 'none' },
    { name: 'login', partitioned: true },
  ])('is always Secure where browsers refuse it otherwise: %j', (options) => {
    expect(choices(options)).toEqual([`${options.name} Secure`, `${options.name} Secure`])
  })

  test('makes no object for a request', () => {
    const settings = resolveCookie(undefined, false)
    expect(cookieFor(settings, true)).toBe(cookieFor(settings, true))
    expect(cookieFor(settings, false)).toBe(cookieFor(settings, false))
  })

  test('asks a request only where its answer matters', () => {
    const asks = (options?: CookieOptions, production = false) => resolveCookie(options, production).byRequest
    expect(asks()).toBe(true)
    expect(asks({ name: 'login' })).toBe(true)
    expect(asks({}, true)).toBe(false)
    expect(asks({ secure: true })).toBe(false)
    expect(asks({ secure: false })).toBe(false)
    expect(asks({ sameSite: 'none' })).toBe(false)
  })
})

describe('resolveCookie', () => {
  test.each<[unknown, string]>([
    // Names: RFC 6265bis §4.1.1 wants a token.
    [{ name: '' }, 'cookie.name is ""'],
    [{ name: 'my sid' }, 'cookie.name is "my sid"'],
    [{ name: 'sid;' }, 'cookie.name'],
    [{ name: 'a=b' }, 'cookie.name'],
    [{ name: 'sid\n' }, 'cookie.name'],
    [{ name: 'sïd' }, 'cookie.name'],
    [{ name: '[sid]' }, 'cookie.name'],
    [{ name: 7 }, 'cookie.name is 7: it must be a string'],
    // Prefixes: §4.1.3 and §5.7, whatever their case.
    [{ name: '__Host-sid', domain: 'example.com' }, 'cookie.name __Host-sid'],
    [{ name: '__Host-sid', path: '/app' }, 'cookie.name __Host-sid'],
    [{ name: '__HOST-sid', path: '/app' }, 'cookie.name __HOST-sid'],
    [{ name: '__Host-sid', secure: false }, `cookie.secure can't be false with the name __Host-sid`],
    [{ name: '__secure-sid', secure: false }, 'cookie.secure'],
    [{ name: '__Http-sid', secure: false }, 'cookie.secure'],
    [{ sameSite: 'none', secure: false }, `cookie.secure can't be false with sameSite 'none'`],
    [{ partitioned: true, secure: false }, `cookie.secure can't be false with partitioned`],
    // Domains.
    [{ domain: '' }, 'cookie.domain is ""'],
    [{ domain: '.example.com' }, 'cookie.domain is ".example.com"'],
    [{ domain: 'example.com.' }, 'cookie.domain'],
    [{ domain: 'example..com' }, 'cookie.domain'],
    [{ domain: 'https://example.com' }, 'cookie.domain'],
    [{ domain: 'example.com:3000' }, 'cookie.domain'],
    [{ domain: 'example.com/' }, 'cookie.domain'],
    [{ domain: '-example.com' }, 'cookie.domain'],
    [{ domain: 'bücher.example' }, 'cookie.domain'],
    [{ domain: 'example.com; Secure' }, 'cookie.domain'],
    [{ domain: `${'a'.repeat(64)}.example` }, 'cookie.domain'],
    [{ domain: `${'a.'.repeat(127)}com` }, 'cookie.domain'],
    [{ domain: 'example.com\n' }, 'cookie.domain'],
    // Paths.
    [{ path: '' }, 'cookie.path is ""'],
    [{ path: 'app' }, 'cookie.path is "app"'],
    [{ path: '/app; Secure' }, 'cookie.path'],
    [{ path: '/app\n' }, 'cookie.path'],
    [{ path: '/é' }, 'cookie.path'],
    [{ path: `/${'a'.repeat(1024)}` }, 'cookie.path'],
    // Types and values.
    [{ secure: 'auto' }, 'cookie.secure is "auto": it must be a boolean'],
    [{ secure: null }, 'cookie.secure'],
    [{ sameSite: 'Lax' }, `cookie.sameSite is "Lax": it must be one of 'lax', 'strict', 'none'`],
    [{ sameSite: true }, 'cookie.sameSite'],
    [{ priority: 'urgent' }, 'cookie.priority'],
    [{ partitioned: 1 }, 'cookie.partitioned'],
    [{ persistent: 'yes' }, 'cookie.persistent'],
    // Names that do not exist, and names that other packages have.
    [{ samesite: 'lax' }, 'cookie has no option "samesite". Did you mean sameSite?'],
    [{ color: 'red' }, 'Its options are name, secure'],
    [{ maxAge: 1000 }, 'absoluteTimeout'],
    [{ expires: new Date() }, 'absoluteTimeout'],
    [{ httpOnly: false }, 'always HttpOnly'],
    ['sid', 'cookie must be an object'],
    [['sid'], 'cookie must be an object'],
    [true, 'cookie must be an object'],
  ])('refuses %p and says %s', (options, part) => {
    expect(() => resolveCookie(options as CookieOptions, false)).toThrow(invalid(part))
    expect(() => resolveCookie(options as CookieOptions, true)).toThrow(invalid(part))
  })

  test.each<CookieOptions>([
    { name: 'sid' },
    { name: `!#$%&'*+-.^_\`|~09AZaz` },
    { name: '__Host-sid', path: '/', secure: true },
    { name: '__Secure-sid', domain: 'example.com', path: '/app' },
    { domain: 'localhost' },
    { domain: '127.0.0.1' },
    { domain: 'Sub-1.example.co.uk' },
    { domain: `${'a'.repeat(63)}.example` },
    { path: `/${'a'.repeat(1023)}` },
    { path: '/a b/%3B~:=?' },
    { name: undefined, secure: undefined, sameSite: undefined, domain: undefined, path: undefined },
    { priority: undefined, partitioned: undefined, persistent: undefined },
  ])('takes %j, and what it takes can be written', (options) => {
    const settings = resolveCookie(options, false)
    for (const isSecure of [false, true]) {
      expect(serializeToken(settings, cookieFor(settings, isSecure), 'token', day)).toContain('=token; ')
    }
  })

  test('takes only what can be written, whatever comes', () => {
    const some = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 1 })
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: fc.constantFrom('a', 'Z', '-', '.', '/', '_', ';', '<') }),
    )
    const options = fc.record({
      name: some(text),
      secure: some(fc.boolean()),
      domain: some(text),
      path: some(text.map((rest) => `/${rest}`)),
    })
    fc.assert(
      fc.property(options, (given) => {
        let settings
        try {
          settings = resolveCookie(given, false)
        } catch (error) {
          expect(error).toMatchObject({ code: 'OPTION_INVALID' })
          return
        }
        expect(typeof serializeToken(settings, cookieFor(settings, true), 'token', day)).toBe('string')
      }),
      { numRuns: 1_000 },
    )
  })
})

describe('readCookie', () => {
  test.each<[string | undefined, string[]]>([
    [undefined, []],
    ['', []],
    ['sid=a', ['a']],
    ['x=1; sid=a; y=2', ['a']],
    ['x=1;sid=a;y=2', ['a']],
    ['x=1; \t sid=a', ['a']],
    [' sid=a', ['a']],
    ['sid= \ta\t ; x=1', ['a']],
    ['sid=', ['']],
    ['sid=;', ['']],
    ['sid=a=b', ['a=b']],
    // Never decoded, never unquoted.
    ['sid=%61', ['%61']],
    ['sid="a"', ['"a"']],
    ['sid="a; b"', ['"a']],
    // Exactly this name.
    ['my-sid=a', []],
    ['__Host-sid=a', []],
    ['sid2=a', []],
    ['SID=a', []],
    ['sid', []],
    ['sid; x=1', []],
    ['sid =a', []],
    ['=sid=a', []],
    ['"sid=a"', []],
    ['x,sid=a', []],
    // Only the blanks of HTTP come before a name: JavaScript's trim would make these ours.
    ['\u00a0sid=a', []],
    ['\u2000sid=a', []],
    ['\u000bsid=a', []],
    ['\r\nsid=a', []],
    // Not from within another cookie's value.
    ['x=sid=a', []],
    ['x= sid=a', []],
    ['x=1 sid=a', []],
    ['x="; sid=a"', ['a"']],
    ['sidsid=a; sid=b', ['b']],
    ['sid=sid=a', ['sid=a']],
    // Several.
    ['sid=a; sid=b', ['a', 'b']],
    ['sid=b; x=1; sid=a; sid=b', ['b', 'a']],
    ['sid=a; sid=a; sid=a; sid=a; sid=a; sid=a', ['a']],
    ['sid=1; sid=2; sid=3; sid=4', ['1', '2', '3', '4']],
    ['sid=1; sid=2; sid=3; sid=4; sid=5; sid=6', ['1', '2', '3', '4', '5']],
  ])('of %j is %j', (header, values) => {
    expect(readCookie(header, 'sid')).toEqual(values)
  })

  test('is one and the same where nothing is found', () => {
    expect(readCookie(undefined, 'sid')).toBe(readCookie('x=1', 'sid'))
  })

  /** The same rule, said slowly. */
  function reference(header: string, name: string): string[] {
    const values = header
      .split(';')
      .map((pair) => pair.replace(/^[ \t]+/, ''))
      .filter((pair) => pair.startsWith(`${name}=`))
      .map((pair) => pair.slice(name.length + 1).replace(/^[ \t]+|[ \t]+$/g, ''))
    return [...new Set(values)].slice(0, 5)
  }

  const piece = fc.constantFrom(
    'sid',
    's',
    '=',
    ';',
    '; ',
    ' ',
    '\t',
    '"',
    'a',
    '%41',
    '__Host-',
    '\u00a0',
    'ss',
  )
  const headers = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join('')),
  )

  test('agrees with a slow and plain reader about any header', () => {
    fc.assert(
      fc.property(headers, fc.constantFrom('sid', '__Host-sid', 's', 'ss'), (header, name) => {
        expect(readCookie(header, name)).toEqual(reference(header, name))
      }),
      { numRuns: 5_000 },
    )
  })

  test('agrees with the cookie package about what browsers send', () => {
    const name = fc.constantFrom('sid', '__Host-sid', 'my-sid', 'sid2', 'theme', 'SID')
    const value = fc.string({ unit: fc.constantFrom('a', 'B', '0', '-', '_', '.', '='), maxLength: 8 })
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (cookies) => {
        const header = cookies.map((pair) => pair.join('=')).join('; ')
        expect(readCookie(header, 'sid')[0]).toBe(parseCookie(header).sid)
      }),
    )
  })

  test('takes time in proportion to a hostile header, and no more', () => {
    // Were it quadratic, each of these would take seconds.
    for (const part of ['sid', 'sid=', ' ', ';', 'sid=a;', '\tsid', 'sid = ;']) {
      const header = part.repeat(1_000_000 / part.length)
      const before = performance.now()
      readCookie(header, 'sid')
      expect(performance.now() - before).toBeLessThan(1_000)
    }
  })
})

describe('carryCookie', () => {
  function response(earlier?: string | string[]): ServerResponse {
    const res = new ServerResponse({ method: 'GET' } as IncomingMessage)
    if (earlier !== undefined) res.setHeader('Set-Cookie', earlier)
    return res
  }

  test.each<[string | string[] | undefined, string[]]>([
    [undefined, ['sid=new; Path=/']],
    ['theme=dark', ['theme=dark', 'sid=new; Path=/']],
    [
      ['theme=dark', 'lang=en'],
      ['theme=dark', 'lang=en', 'sid=new; Path=/'],
    ],
    // In place of an earlier one of ours.
    ['sid=old; Path=/', ['sid=new; Path=/']],
    [
      ['sid=old', 'theme=dark', 'sid=; Max-Age=0'],
      ['theme=dark', 'sid=new; Path=/'],
    ],
    // Look-alikes stay.
    [
      ['my-sid=1', 'sid2=1', 'SID=1', 'x=sid=1'],
      ['my-sid=1', 'sid2=1', 'SID=1', 'x=sid=1', 'sid=new; Path=/'],
    ],
  ])('after %j the response has %j', (earlier, cookies) => {
    const res = response(earlier)
    carryCookie(res, 'sid', 'sid=new; Path=/')
    expect(res.getHeader('Set-Cookie')).toEqual(cookies)
  })
})

describe('what is written', () => {
  const token = '0190163d-8694-739b-aea5-966c26f8ad91.QUJD-_'

  function written(options?: CookieOptions, isSecure = true, maxAgeMs = day): string {
    const settings = resolveCookie(options, false)
    return serializeToken(settings, cookieFor(settings, isSecure), token, maxAgeMs)
  }

  function cleared(options?: CookieOptions, isSecure = true): string {
    const settings = resolveCookie(options, false)
    return serializeCleared(settings, cookieFor(settings, isSecure))
  }

  test('is safe by default', () => {
    expect(written()).toBe(`__Host-sid=${token}; Max-Age=86400; Path=/; HttpOnly; Secure; SameSite=Lax`)
    expect(written({}, false)).toBe(`sid=${token}; Max-Age=86400; Path=/; HttpOnly; SameSite=Lax`)
  })

  test('says every option', () => {
    const options: CookieOptions = {
      name: 'login',
      sameSite: 'none',
      domain: 'example.com',
      path: '/app',
      priority: 'high',
      partitioned: true,
    }
    const attributes = `Path=/app; HttpOnly; Secure; Partitioned; Priority=High; SameSite=None`
    expect(written(options)).toBe(`login=${token}; Max-Age=86400; Domain=example.com; ${attributes}`)
  })

  test('rounds the lifetime down to whole seconds, and never to the zero that would delete it', () => {
    expect(written({}, true, 1_999)).toContain('; Max-Age=1;')
    expect(written({}, true, 2_000)).toContain('; Max-Age=2;')
    for (const late of [999, 1, 0, -5_000]) expect(written({}, true, late)).toContain('; Max-Age=1;')
  })

  test('ends with the browser where it is not persistent', () => {
    expect(written({ persistent: false })).not.toMatch(/Max-Age|Expires/)
  })

  test('is cleared with the same attributes, and a date for those who know no Max-Age', () => {
    const expired = 'Expires=Thu, 01 Jan 1970 00:00:00 GMT'
    expect(cleared()).toBe(`__Host-sid=; Max-Age=0; Path=/; ${expired}; HttpOnly; Secure; SameSite=Lax`)
    expect(cleared({ domain: 'example.com', path: '/app', partitioned: true, persistent: false })).toBe(
      `__Secure-sid=; Max-Age=0; Domain=example.com; Path=/app; ${expired}; HttpOnly; Secure; Partitioned; SameSite=Lax`,
    )
  })

  test('encodes nothing, as nothing is decoded', () => {
    const settings = resolveCookie({}, true)
    expect(serializeToken(settings, cookieFor(settings, true), 'a%b=', day)).toContain('__Host-sid=a%b=;')
  })

  test('is read back as it was', () => {
    const pair = written().split(';')[0]
    expect(readCookie(`theme=dark; ${pair}`, '__Host-sid')).toEqual([token])
  })
})
