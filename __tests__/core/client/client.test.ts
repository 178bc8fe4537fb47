import * as fc from 'fast-check'
import { cleanAddress, sameNetwork } from '../../../src/core/client/address.js'
import { compareClients, rememberedClient } from '../../../src/core/client/client.js'
import { cleanUserAgent, engineOf, labelOf } from '../../../src/core/client/user-agent.js'

const webkit = 'AppleWebKit/605.1.15 (KHTML, like Gecko)'
const blink = 'AppleWebKit/537.36 (KHTML, like Gecko)'
const mac = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)'
const windows = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64)'
const linux = 'Mozilla/5.0 (X11; Linux x86_64'
const android = 'Mozilla/5.0 (Linux; Android 10; K)'
const iphone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X)'

/** Real user agents: what they are called, and their engine. */
const known = [
  [`${mac} ${blink} Chrome/124.0.0.0 Safari/537.36`, 'Chrome on macOS', 'Blink'],
  [
    `${windows} ${blink} Chrome/124.0.0.0 Safari/537.36 Edg/124.0.2478.51`,
    'Microsoft Edge on Windows',
    'Blink',
  ],
  [`${windows} ${blink} Chrome/123.0.0.0 Safari/537.36 OPR/109.0.0.0`, 'Opera on Windows', 'Blink'],
  [`${linux}) ${blink} Chrome/124.0.0.0 Safari/537.36 Vivaldi/6.7.3329.17`, 'Vivaldi on Linux', 'Blink'],
  // Brave sends Chrome's.
  [`${android} ${blink} Chrome/124.0.0.0 Mobile Safari/537.36`, 'Chrome on Android', 'Blink'],
  [
    `${android} ${blink} SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36`,
    'Samsung Internet on Android',
    'Blink',
  ],
  [
    `${android} ${blink} Chrome/124.0.6367.54 Mobile Safari/537.36 EdgA/123.0.2420.102`,
    'Microsoft Edge on Android',
    'Blink',
  ],
  [`${linux}; rv:125.0) Gecko/20100101 Firefox/125.0`, 'Firefox on Linux', 'Gecko'],
  ['Mozilla/5.0 (Android 14; Mobile; rv:125.0) Gecko/125.0 Firefox/125.0', 'Firefox on Android', 'Gecko'],
  [`${mac} ${webkit} Version/17.4 Safari/605.1.15`, 'Safari on macOS', 'WebKit'],
  [`${iphone} ${webkit} Version/17.4 Mobile/15E148 Safari/604.1`, 'Safari on iOS', 'WebKit'],
  [`${iphone} ${webkit} CriOS/124.0.6367.68 Mobile/15E148 Safari/604.1`, 'Chrome on iOS', 'WebKit'],
  [`${iphone} ${webkit} FxiOS/125.0 Mobile/15E148 Safari/605.1.15`, 'Firefox on iOS', 'WebKit'],
  [
    `${iphone} ${webkit} Version/17.0 EdgiOS/124.0.2478.50 Mobile/15E148 Safari/604.1`,
    'Microsoft Edge on iOS',
    'WebKit',
  ],
  // An iPad's browsers ask for desktop pages in the name of macOS.
  [`${mac} ${webkit} CriOS/124 Version/11.1.1 Safari/605.1.15`, 'Chrome on macOS', 'WebKit'],
  [
    `${windows} ${blink} Chrome/64.0.3282.140 Safari/537.36 Edge/18.17763`,
    'Microsoft Edge on Windows',
    undefined,
  ],
  [
    'Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko',
    'Internet Explorer on Windows',
    undefined,
  ],
  [
    `Mozilla/5.0 ${blink.slice(0, -1)}; compatible; Googlebot/2.1; +http://www.google.com/bot.html) Chrome/124.0.0.0 Safari/537.36`,
    'Googlebot',
    undefined,
  ],
  ['curl/8.5.0', 'curl', undefined],
  ['python-requests/2.31.0', 'python-requests', undefined],
  ['Go-http-client/1.1', 'Go-http-client', undefined],
  ['node', 'Unknown browser', undefined],
  ['', 'Unknown browser', undefined],
  ['Mozilla/5.0', 'Unknown browser', undefined],
  ['Mozilla/5.0 (X11; Linux x86_64)', 'Unknown browser on Linux', undefined],
] as const

/** Any text, and texts made of what user agents are made of, which go further into the parser. */
const userAgents = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 700 }),
  fc
    .array(fc.oneof(fc.constantFrom(...known.flatMap(([text]) => text.split(/(?=[ /;(])/))), fc.string()), {
      maxLength: 40,
    })
    .map((parts) => parts.join('')),
)

describe('cleanUserAgent', () => {
  test('gives a user agent back as it is', () => {
    for (const [text] of known) expect(cleanUserAgent(text)).toBe(text)
  })

  test('is empty where the header is absent', () => {
    expect(cleanUserAgent(undefined)).toBe('')
  })

  test('removes what could forge a line of a log or steer a terminal', () => {
    expect(cleanUserAgent('a\r\nb\u0000c\u001b[31md\u007fe\u009bf\tg')).toBe('abc[31mdefg')
  })

  test('keeps at most 512 characters', () => {
    expect(cleanUserAgent('x'.repeat(512))).toHaveLength(512)
    expect(cleanUserAgent('x'.repeat(513))).toHaveLength(512)
  })

  test('leaves nothing to clean, whatever comes', () => {
    fc.assert(
      fc.property(userAgents, (text) => {
        const cleaned = cleanUserAgent(text)
        expect(cleaned.length).toBeLessThanOrEqual(512)
        expect(cleaned).not.toMatch(/\p{Cc}/u)
        expect(cleanUserAgent(cleaned)).toBe(cleaned)
      }),
    )
  })
})

describe('cleanAddress', () => {
  test.each([
    ['1.2.3.4', '1.2.3.4'],
    ['2001:db8::1', '2001:db8::1'],
    ['::1', '::1'],
    // An IPv4 client of a server that listens on ::
    ['::ffff:1.2.3.4', '1.2.3.4'],
    ['::FFFF:1.2.3.4', '1.2.3.4'],
    ['fe80::1%eth0', 'fe80::1'],
    ['fe80::1%25en0', 'fe80::1'],
    // As some gateways write it into X-Forwarded-For.
    ['1.2.3.4:5678', '1.2.3.4'],
    ['[2001:db8::1]:5678', '2001:db8::1'],
    ['[2001:db8::1]', '2001:db8::1'],
    ['64:ff9b::1.2.3.4', '64:ff9b::1.2.3.4'],
    ['unknown', 'unknown'],
    ['evil%', 'evil%'],
    ['1.2.3.4\r\nforged', '1.2.3.4forged'],
    ['', ''],
    [undefined, ''],
  ])('makes %j to %j', (ip, cleaned) => {
    expect(cleanAddress(ip)).toBe(cleaned)
  })

  test('gives every address back as it is', () => {
    fc.assert(
      fc.property(fc.ipV4(), (ip) => {
        expect(cleanAddress(ip)).toBe(ip)
        expect(cleanAddress(`::ffff:${ip}`)).toBe(ip)
      }),
    )
  })

  test('is bounded and free of control characters, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 100 }), (text) => {
        const cleaned = cleanAddress(text)
        expect(cleaned.length).toBeLessThanOrEqual(64)
        expect(cleaned).not.toMatch(/\p{Cc}/u)
      }),
    )
    expect(cleanAddress('x'.repeat(65))).toHaveLength(64)
  })
})

describe('labelOf', () => {
  test.each(known)('calls %s %s', (userAgent, label) => {
    expect(labelOf(userAgent)).toBe(label)
  })

  test('shows no markup that comes as a name', () => {
    expect(labelOf('<script>alert(1)</script>/1.0 (X11; Linux x86_64)')).toBe('Unknown browser on Linux')
    expect(labelOf(`${'x'.repeat(41)}/1.0`)).toBe('Unknown browser')
  })

  test('never throws, is never empty, is short and plain', () => {
    fc.assert(
      fc.property(userAgents, (text) => {
        const label = labelOf(text)
        expect(label).toMatch(/^\w[\w .+!-]*$/)
        expect(label.length).toBeLessThanOrEqual(84)
      }),
    )
  })
})

describe('engineOf', () => {
  test.each(known)('of %s (%s) is %s', (userAgent, _label, engine) => {
    expect(engineOf(userAgent)).toBe(engine)
  })

  test('answers the same after many other user agents', () => {
    const [chrome] = known[0]
    for (let i = 0; i < 600; i++) engineOf(`Tool${i}/1.0`)
    expect(engineOf(chrome)).toBe('Blink')
    expect(engineOf('Tool1/1.0')).toBeUndefined()
  })

  test('never throws, and knows three engines', () => {
    fc.assert(
      fc.property(userAgents, (text) => {
        expect([undefined, 'Blink', 'Gecko', 'WebKit']).toContain(engineOf(text))
      }),
    )
  })
})

describe('sameNetwork', () => {
  test.each([
    ['203.0.113.7', '203.0.113.7', true],
    ['203.0.113.7', '203.0.113.250', true],
    ['203.0.113.7', '203.0.114.7', false],
    ['203.0.113.7', '203.1.113.7', false],
    ['2001:db8:1:2::3', '2001:db8:1:ffff:a:b:c:d', true],
    ['2001:db8:1::', '2001:DB8:0001:0::9', true],
    ['2001:db8:1::1', '2001:db8:2::1', false],
    ['2001:db8::1', '2001:db8:0:5::1', true],
    ['::1', '::2', true],
    ['1::', '::1', false],
    ['64:ff9b::1.2.3.4', '64:ff9b::9.9.9.9', true],
    ['::ffff:203.0.113.7', '203.0.113.9', true],
    ['::ffff:203.0.113.7', '203.0.114.9', false],
    // The same in hexadecimal: 203.0.113.7 and 203.0.114.9.
    ['::ffff:cb00:7107', '203.0.113.9', true],
    ['::FFFF:cb00:7107', '::ffff:cb00:7209', false],
    ['203.0.113.7', '2001:db8::1', false],
    // All of IPv4 has a place in this /48, which makes it no network of theirs.
    ['203.0.113.7', '::1', false],
    ['unknown', 'unknown', true],
    ['unknown', '203.0.113.7', false],
    ['203.0.113.7', 'unknown', false],
    ['203.0.113.7', '203.0.113', false],
    ['', '203.0.113.7', true],
    ['203.0.113.7', '', true],
  ])('of %s and %s is %s', (a, b, same) => {
    expect(sameNetwork(a, b)).toBe(same)
    expect(sameNetwork(b, a)).toBe(same)
  })

  test('of IPv4 is decided by the first three bytes', () => {
    const byte = fc.nat(255)
    const address = fc.tuple(byte, byte, fc.nat(1), byte)
    fc.assert(
      fc.property(address, address, (a, b) => {
        const same = a.slice(0, 3).join('.') === b.slice(0, 3).join('.')
        expect(sameNetwork(a.join('.'), b.join('.'))).toBe(same)
      }),
    )
  })

  test('of IPv6 is decided by the first three groups', () => {
    // The first group is not 0, so that none of them stands for an IPv4 address.
    const head = fc.tuple(fc.integer({ min: 1, max: 2 }), fc.nat(1), fc.nat(1))
    const tail = fc.array(fc.nat(0xffff), { minLength: 5, maxLength: 5 })
    const text = (groups: number[]) => groups.map((group) => group.toString(16)).join(':')
    fc.assert(
      fc.property(head, head, tail, tail, (a, b, tailOfA, tailOfB) => {
        expect(sameNetwork(text([...a, ...tailOfA]), text([...b, ...tailOfB]))).toBe(text(a) === text(b))
      }),
    )
  })

  test('never throws', () => {
    const text = fc.oneof(fc.string(), fc.ipV4(), fc.ipV6(), fc.constant('fe80::1%eth0'))
    fc.assert(fc.property(text, text, (a, b) => typeof sameNetwork(a, b) === 'boolean'))
  })
})

describe('compareClients', () => {
  const chrome = { userAgent: known[0][0], ip: '203.0.113.7' }
  const newerChrome = { ...chrome, userAgent: chrome.userAgent.replace('124', '125') }
  const firefox = { ...chrome, userAgent: `${linux}; rv:125.0) Gecko/20100101 Firefox/125.0` }
  const curl = { ...chrome, userAgent: 'curl/8.5.0' }
  const elsewhere = '198.51.100.1'

  test('an equal client did not change', () => {
    expect(compareClients(chrome, { ...chrome })).toEqual([])
  })

  test('a browser with another engine is another browser', () => {
    expect(compareClients(chrome, firefox)).toEqual(['engine'])
    expect(compareClients(firefox, chrome)).toEqual(['engine'])
  })

  test('an update of the browser changes its user agent only', () => {
    expect(compareClients(chrome, newerChrome)).toEqual(['userAgent'])
  })

  test('an unknown engine is not another one', () => {
    expect(compareClients(chrome, curl)).toEqual(['userAgent'])
    expect(compareClients(curl, chrome)).toEqual(['userAgent'])
    expect(compareClients(chrome, { ...chrome, userAgent: '' })).toEqual(['userAgent'])
  })

  test('another network is a change, another address in the same one is not', () => {
    expect(compareClients(chrome, { ...chrome, ip: elsewhere })).toEqual(['network'])
    expect(compareClients(chrome, { ...chrome, ip: '203.0.113.99' })).toEqual([])
    expect(compareClients({ ...chrome, ip: '' }, chrome)).toEqual([])
  })

  test('no address at all is not the network on record', () => {
    expect(compareClients(chrome, { ...chrome, ip: '' })).toEqual(['network'])
    expect(compareClients({ ...chrome, ip: '' }, { ...chrome, ip: '' })).toEqual([])
  })

  test('both changes are told', () => {
    expect(compareClients(chrome, { ...firefox, ip: elsewhere })).toEqual(['engine', 'network'])
    expect(compareClients(chrome, { ...newerChrome, ip: elsewhere })).toEqual(['userAgent', 'network'])
  })
})

describe('rememberedClient', () => {
  const chrome = { userAgent: known[0][0], ip: '192.0.2.1' }

  test('does not forget a known engine for an unknown one, or any browser could follow', () => {
    const curl = { userAgent: 'curl/8.5.0', ip: '198.51.100.1' }
    expect(rememberedClient(chrome, curl)).toEqual({ userAgent: chrome.userAgent, ip: curl.ip })
    expect(rememberedClient(chrome, { userAgent: '', ip: '' }).userAgent).toBe(chrome.userAgent)
  })

  test('does not forget an address for none, or any network could follow', () => {
    expect(rememberedClient(chrome, { ...chrome, ip: '' })).toEqual(chrome)
  })

  test('remembers any other client as it was seen', () => {
    const newer = { ...chrome, userAgent: chrome.userAgent.replace('124', '125') }
    expect(rememberedClient(chrome, newer)).toEqual(newer)
    const wget = { userAgent: 'Wget/1.21', ip: '' }
    expect(rememberedClient({ userAgent: 'curl/8.5.0', ip: '' }, wget)).toEqual(wget)
  })
})
