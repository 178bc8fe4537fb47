import express from 'express'
import * as fc from 'fast-check'
import { once } from 'node:events'
import { request, type IncomingMessage } from 'node:http'
import * as http2 from 'node:http2'
import type { SessionError } from '../../../src/errors.js'
import { isCrossOrigin, type OriginQuestion } from '../../../src/http/origin/cross-origin.js'
import { hostOf } from '../../../src/http/origin/host.js'
import { crossOriginError, refusalOf, type Action } from '../../../src/http/origin/refusal.js'
import { parseTrustedOrigins } from '../../../src/http/origin/trusted-origins.js'
import { crossOriginCases } from '../../support/cross-origin-cases.js'
import { listen } from '../../support/listen.js'
import { Visitor } from '../../support/visitor.js'

const trusted = new Set(['https://trusted.example'])

const aPost: OriginQuestion = {
  method: 'POST',
  isAction: false,
  secFetchSite: undefined,
  origin: undefined,
  host: 'example.com',
  trustedOrigins: trusted,
}

function ask(question: Partial<OriginQuestion>): boolean {
  return isCrossOrigin({ ...aPost, ...question })
}

describe('isCrossOrigin, in the cases of Go’s CrossOriginProtection', () => {
  test.each(crossOriginCases)(
    'Sec-Fetch-Site %s with Origin %s: refused is %s',
    (secFetchSite, origin, refused) => {
      expect(ask({ secFetchSite, origin })).toBe(refused)
    },
  )

  test.each([
    ['GET', true],
    ['HEAD', true],
    ['OPTIONS', true],
    ['POST', false],
    ['PUT', false],
  ])(
    'a %s is allowed whatever its headers say: %s; an action by the same method never is',
    (method, passes) => {
      expect(ask({ method, secFetchSite: 'cross-site' })).toBe(!passes)
      expect(ask({ method, isAction: true, secFetchSite: 'cross-site' })).toBe(true)
    },
  )
})

describe('isCrossOrigin', () => {
  test('takes Sec-Fetch-Site at its word, whatever the Origin', () => {
    expect(ask({ secFetchSite: 'same-origin', origin: 'null' })).toBe(false)
    expect(ask({ secFetchSite: 'same-site', origin: 'https://example.com' })).toBe(true)
  })

  test.each(['same-origin, same-origin', 'none, cross-site', 'Same-Origin', 'anything'])(
    'refuses a Sec-Fetch-Site that no browser sends: %s',
    (secFetchSite) => {
      expect(ask({ secFetchSite, origin: 'https://example.com' })).toBe(true)
    },
  )

  test('takes empty headers as absent ones', () => {
    expect(ask({ secFetchSite: '', origin: '' })).toBe(false)
    expect(ask({ secFetchSite: '', origin: 'https://attacker.example' })).toBe(true)
  })

  test.each([
    ['https://example.com', 'example.com', false],
    ['https://example.com', 'Example.COM', false],
    ['HTTPS://EXAMPLE.com', 'example.com', false],
    // The scheme is not compared: a proxy may have ended TLS.
    ['http://example.com', 'example.com', false],
    // Default ports say nothing, on either side.
    ['https://example.com', 'example.com:443', false],
    ['https://example.com:443', 'example.com', false],
    ['http://example.com', 'example.com:80', false],
    ['http://example.com:80', 'example.com', false],
    // ... which is default depends on the scheme of the origin.
    ['https://example.com:80', 'example.com', true],
    ['http://example.com:443', 'example.com', true],
    ['https://example.com', 'example.com:80', true],
    ['http://localhost:3000', 'localhost:3000', false],
    ['http://localhost:3000', 'localhost:3001', true],
    ['http://localhost:3000', 'localhost', true],
    ['http://localhost', 'localhost:3000', true],
    ['http://[::1]:3000', '[::1]:3000', false],
    ['http://[::1]', '[::1]:3000', true],
    ['https://sub.example.com', 'example.com', true],
    ['https://example.com.attacker.example', 'example.com', true],
    ['https://notexample.com', 'example.com', true],
    // Nothing but one web origin counts.
    ['example.com', 'example.com', true],
    ['//example.com', 'example.com', true],
    ['https:example.com', 'example.com', true],
    ['https://example.com/', 'example.com', true],
    ['https://example.com/path', 'example.com', true],
    ['https://user@example.com', 'example.com', true],
    ['https://attacker.example\\@example.com', 'example.com', true],
    ['https://example.com, https://example.com', 'example.com', true],
    ['https://example.com https://attacker.example', 'example.com', true],
    ['https://example.com\n', 'example.com', true],
    ['chrome-extension://example.com', 'example.com', true],
    ['file://', 'example.com', true],
    ['https://', '', true],
    ['https://:443', '', true],
    ['https://example.com', undefined, true],
    ['https://example.com', '', true],
  ])('Origin %j at our host %j: refused is %s', (origin, host, refused) => {
    expect(ask({ origin, host })).toBe(refused)
  })

  test('finds a trusted origin however it is written', () => {
    for (const origin of ['https://trusted.example:443', 'HTTPS://Trusted.Example']) {
      expect(ask({ origin })).toBe(false)
    }
    for (const origin of [
      'http://trusted.example',
      'https://trusted.example:8443',
      'https://a.trusted.example',
    ]) {
      expect(ask({ origin })).toBe(true)
    }
  })

  test('answers whatever comes, and opens to nothing but our host and trusted origins', () => {
    fc.assert(
      fc.property(
        fc.option(fc.string(), { nil: undefined }),
        fc.string({ minLength: 1 }),
        (secFetchSite, origin) => {
          fc.pre(secFetchSite !== 'none' && secFetchSite !== 'same-origin')
          expect(ask({ secFetchSite, origin })).toBe(true)
        },
      ),
    )
  })
})

describe('parseTrustedOrigins', () => {
  // Go's table.
  test.each([
    ['https://example.com', 'https://example.com'],
    ['https://example.com:8080', 'https://example.com:8080'],
    ['http://example.com', 'http://example.com'],
    // And ours: an origin as the browser will send it.
    ['HTTPS://App.Example:443', 'https://app.example'],
    ['http://app.example:80', 'http://app.example'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
    // Pages of apps and extensions.
    ['capacitor://localhost', 'capacitor://localhost'],
    ['ionic://localhost', 'ionic://localhost'],
    ['tauri://localhost', 'tauri://localhost'],
    [
      'Chrome-Extension://ABCDEFGHIJKLMNOPabcdefghijklmnop',
      'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
    ],
    [
      'moz-extension://019a0000-0000-7000-8000-000000000000',
      'moz-extension://019a0000-0000-7000-8000-000000000000',
    ],
  ])('takes %s as %s', (entry, origin) => {
    expect([...parseTrustedOrigins([entry])]).toEqual([origin])
  })

  test.each([
    'example.com',
    'https://',
    'https://example.com/',
    'https://example.com/path',
    'https://example.com?query=value',
    'https://example.com#fragment',
    'https://ex ample.com',
    '',
    'null',
    '*',
    'https://*.example.com',
    'https://user@example.com',
    'https://example.com:99999',
    'https://a, https://b',
    'ftp://example.com',
    'wss://example.com',
    'file://',
    'file:///index.html',
    'capacitor://',
    'capacitor://localhost/',
    'chrome-extension://*',
    'javascript://localhost',
    'data:text/html,x',
    'https://exa<mple.com',
    /example/,
    null,
    undefined,
    7,
  ])('refuses %p, and says how an origin is written', (entry) => {
    expect(() => parseTrustedOrigins([entry])).toThrow(
      expect.objectContaining({
        code: 'OPTION_INVALID',
        message: expect.stringContaining('https://app.example'),
      }),
    )
  })

  test.each([
    ['file://', 'any site can send'],
    ['null', 'any site can send'],
    ['wss://app.example', 'the origin of the page that opens it'],
    ['https://*.example.com', 'name each origin'],
  ])('says why %s can’t be trusted', (entry, words) => {
    expect(() => parseTrustedOrigins([entry])).toThrow(words)
  })

  test('is empty where nothing is given, and wants an array', () => {
    expect(parseTrustedOrigins(undefined).size).toBe(0)
    expect(parseTrustedOrigins([]).size).toBe(0)
    for (const value of ['https://app.example', null, {}, new Set()]) {
      expect(() => parseTrustedOrigins(value)).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }))
    }
  })

  test('opens what it takes', () => {
    const trustedOrigins = parseTrustedOrigins(['https://App.example:443', 'http://localhost:5173'])
    expect(ask({ origin: 'https://app.example', trustedOrigins })).toBe(false)
    expect(ask({ secFetchSite: 'same-site', origin: 'http://localhost:5173', trustedOrigins })).toBe(false)
    expect(ask({ origin: 'https://trusted.example', trustedOrigins })).toBe(true)
  })

  test('opens to the page of an app by its name, and to no other', () => {
    const trustedOrigins = parseTrustedOrigins(['capacitor://localhost'])
    const from = (origin: string) =>
      ask({ origin, secFetchSite: 'cross-site', host: 'localhost', trustedOrigins })
    expect(from('capacitor://localhost')).toBe(false)
    for (const origin of [
      'ionic://localhost',
      'http://localhost',
      'https://localhost',
      'capacitor://localhost:81',
    ]) {
      expect(from(origin)).toBe(true)
    }
  })

  test('never takes the page of an app for our own, whatever its host is called', () => {
    expect(ask({ origin: 'capacitor://localhost', host: 'localhost' })).toBe(true)
    expect(ask({ origin: 'http://localhost', host: 'localhost' })).toBe(false)
  })
})

describe('refusalOf, over HTTP', () => {
  let own: string
  let close: () => Promise<void>
  let seen: SessionError | undefined

  beforeAll(async () => {
    ;({ url: own, close } = await listen((req, res) => {
      seen = refusalOf(req, trusted, 'handshake')
      res.writeHead(seen?.status ?? 200).end()
    }))
  })

  afterAll(() => close())

  async function post(headers: Record<string, string | string[]>): Promise<number | undefined> {
    const req = request(own, { method: 'POST', headers }).end()
    const [response] = (await once(req, 'response')) as [IncomingMessage]
    response.resume()
    return response.statusCode
  }

  test('answers as Go’s server does', async () => {
    expect(await post({ origin: 'https://attacker.example', 'sec-fetch-site': 'cross-site' })).toBe(403)
    expect(await post({ 'sec-fetch-site': 'same-origin' })).toBe(200)
    expect(await post({ origin: own })).toBe(200)
    expect(await post({ origin: 'https://trusted.example' })).toBe(200)
    expect(await post({ origin: 'https://attacker.example' })).toBe(403)
    expect(await post({})).toBe(200)
  })

  test('refuses headers that were sent twice', async () => {
    expect(await post({ origin: [own, own] })).toBe(403)
    expect(await post({ 'sec-fetch-site': ['same-origin', 'same-origin'] })).toBe(403)
  })

  test('says in the error what it saw', async () => {
    await post({ origin: 'https://attacker.example' })
    expect(seen).toMatchObject({ code: 'CROSS_ORIGIN', status: 403, expose: true })
    expect(seen?.message).toContain('"POST" was refused')
    expect(seen?.message).toContain('Origin "https://attacker.example", Sec-Fetch-Site absent')
    expect(seen?.message).toContain(`our host "${new URL(own).host}"`)
  })

  test('knows no proxy where there is no Express app, as in an upgrade', async () => {
    expect(await post({ origin: 'https://app.example', 'x-forwarded-host': 'app.example' })).toBe(403)
    expect(seen?.message).toContain('A WebSocket handshake')
    expect(seen?.message).toContain('authenticateUpgrade(sessions, req, { app })')
  })
})

describe('hostOf', () => {
  function app(trustProxy?: unknown) {
    const made = express()
    if (trustProxy !== undefined) made.set('trust proxy', trustProxy)
    return made.use((req, res) => void res.json([hostOf(req), refusalOf(req, trusted, 'handshake')?.message]))
  }

  async function seenBy(
    trustProxy: unknown,
    headers: Record<string, string>,
  ): Promise<(string | undefined)[]> {
    const response = await new Visitor(app(trustProxy)).post('/', { Host: 'backend:3000', ...headers })
    return response.body as (string | undefined)[]
  }

  test('is Host, whatever X-Forwarded-Host says, unless the app trusts the proxy', async () => {
    const headers = { 'X-Forwarded-Host': 'app.example', Origin: 'https://app.example' }
    for (const trustProxy of [undefined, false, '192.0.2.1']) {
      const [host, refusal] = await seenBy(trustProxy, headers)
      expect(host).toBe('backend:3000')
      expect(refusal).toContain(`X-Forwarded-Host "app.example" would match`)
      expect(refusal).toContain(`'trust proxy'`)
    }
  })

  test('is the first X-Forwarded-Host of a trusted proxy', async () => {
    for (const trustProxy of [true, 1, 'loopback']) {
      for (const forwarded of ['app.example', 'app.example, inner.example', ' app.example ,x']) {
        const headers = { 'X-Forwarded-Host': forwarded, Origin: 'https://app.example' }
        expect(await seenBy(trustProxy, headers)).toEqual(['app.example', null])
      }
    }
  })

  test('is the Host with its port where X-Forwarded-Host is the same without one', async () => {
    const origin = 'http://localhost:8080'
    const at = (Host: string, forwarded: string) =>
      seenBy(true, { Host, 'X-Forwarded-Host': forwarded, Origin: origin })
    expect(await at('localhost:8080', 'localhost')).toEqual(['localhost:8080', null])
    expect(await at('LocalHost:8080', 'localhost')).toEqual(['LocalHost:8080', null])
    expect((await at('localhost:3000', 'localhost:8080'))[0]).toBe('localhost:8080')
    expect((await at('backend:8080', 'localhost'))[0]).toBe('localhost')
    expect((await at('[::1]:3000', 'localhost'))[0]).toBe('localhost')
  })

  test('is Host where a trusted proxy sends no X-Forwarded-Host', async () => {
    expect(await seenBy(true, {})).toEqual(['backend:3000', null])
    expect(await seenBy(true, { 'X-Forwarded-Host': ', inner' })).toEqual(['backend:3000', null])
  })

  test('is :authority over HTTP/2', async () => {
    const server = http2.createServer((req, res) => {
      const asked = req as unknown as IncomingMessage
      res.end(JSON.stringify([hostOf(asked), refusalOf(asked, trusted, 'handshake') === undefined]))
    })
    const { url, close } = await listen(server)
    const client = http2.connect(url)
    const stream = client.request({
      ':method': 'POST',
      ':authority': 'app.example',
      host: 'other.example',
      origin: 'https://app.example',
    })
    stream.end()
    const chunks = await stream.setEncoding('utf8').toArray()
    client.close()
    await close()
    expect(JSON.parse(chunks.join(''))).toEqual(['app.example', true])
  })
})

describe('crossOriginError', () => {
  function message(question: Partial<OriginQuestion>, forwarded?: string, action?: Action): string {
    return crossOriginError({ ...aPost, ...question }, action, forwarded).message
  }

  test('names trustedOrigins where that can help', () => {
    expect(message({ origin: 'https://app.example' })).toContain('trustedOrigins')
    expect(message({ origin: 'https://app.example', secFetchSite: 'same-site' })).toContain('trustedOrigins')
  })

  test('names the trust of the proxy only where that would help', () => {
    const origin = 'https://app.example'
    expect(message({ origin }, 'app.example')).toContain('trust proxy')
    expect(message({ origin }, 'other.example')).not.toContain('trust proxy')
    expect(message({ origin, secFetchSite: 'cross-site' }, 'app.example')).not.toContain('trust proxy')
  })

  test('explains where Origin null comes from', () => {
    expect(message({ origin: 'null' })).toContain('Referrer-Policy')
  })

  test('names crossSite at a login alone, where there is no Origin to trust and where there is one', () => {
    for (const origin of [undefined, 'https://idp.example']) {
      const asked = { isAction: true, secFetchSite: 'cross-site', origin }
      expect(message(asked, undefined, 'login')).toContain('crossSite: true')
      expect(message(asked, undefined, 'logout')).not.toContain('login')
      expect(message(asked, undefined, 'logout')).toContain('a form of your own page, sent by POST')
      expect(message(asked, undefined, 'handshake')).not.toContain('crossSite')
      expect(message(asked)).not.toContain('crossSite')
    }
  })

  test('says that the proxy has left out the port, where that is all', () => {
    const [origin, host] = ['http://app.example:8080', 'app.example']
    expect(message({ origin, host }, host)).toContain('$http_host')
    expect(message({ origin: 'http://other.example:8080', host }, host)).not.toContain('$http_host')
    expect(message({ origin, host })).not.toContain('$http_host')
  })

  test('shows what strangers sent on one line, and shortened', () => {
    const hostile = `\r\nSet-Cookie: a\u001b[2J\u009b${'x'.repeat(10_000)}`
    const text = crossOriginError(
      { ...aPost, method: hostile, secFetchSite: hostile, origin: hostile, host: hostile },
      'login',
      hostile,
    ).message
    expect(text).not.toMatch(/\p{Cc}/u)
    expect(text.length).toBeLessThan(1_000)
  })
})
