import { crossOriginCases } from '../support/cross-origin-cases.js'
import { startVictim, type Victim, type VictimOptions } from './support/victim.js'

jest.setTimeout(30_000)

/** A server made from the tarball, for all tests of one describe. */
function server(options: VictimOptions) {
  let victim: Victim
  beforeAll(async () => {
    victim = await startVictim('memory', options)
  })
  afterAll(() => victim.stop())
  const ask = (...args: Parameters<Victim['ask']>) => victim.ask(...args)
  /** The address that a session of this login was recorded with. */
  const addressOf = async (name: string, token: string) => {
    const { body } = await ask('GET /list', `Cookie: ${name}=${token}`)
    return (JSON.parse(body) as { ip: string; current: boolean }[]).find(({ current }) => current)?.ip
  }
  const warnings = () => victim.logged().match(/ExpressSidWarning: .*/g) ?? []
  return { ask, addressOf, warnings, whoIs: (...lines: string[]) => victim.whoIs(...lines) }
}

const forwarded = [
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: shop.example',
  'X-Forwarded-For: 203.0.113.7',
]
const secureCookie =
  /^Set-Cookie: __Host-sid=[^;]+; Max-Age=2592000; Path=\/; HttpOnly; Secure; SameSite=Lax$/im

describe('a server in production over plain http, over raw sockets', () => {
  const { ask, addressOf, warnings, whoIs } = server({ mode: 'production' })

  test('gives the Secure cookie all the same, and says once what to set', async () => {
    for (const as of ['ann', 'bob']) expect((await ask(`POST /login?as=${as}`)).headers).toMatch(secureCookie)
    expect(warnings().filter((line) => line.includes('trust proxy'))).toHaveLength(1)
  })

  test('reads the one name that it writes', async () => {
    const { sid } = await ask('POST /login?as=ann')
    expect(await whoIs(`Cookie: __Host-sid=${sid!}`)).toBe('ann')
    for (const name of ['sid', '__Secure-sid', '__host-sid', '__Host-SID']) {
      expect(await whoIs(`Cookie: ${name}=${sid!}`)).toBeNull()
    }
    // One planted under the plain name changes nothing for its owner either.
    expect(await whoIs(`Cookie: sid=${'a'.repeat(102)}; __Host-sid=${sid!}`)).toBe('ann')
  })

  test('believes no forwarded header', async () => {
    const { sid } = await ask('POST /login?as=ann', ...forwarded)
    expect(await addressOf('__Host-sid', sid!)).toBe('127.0.0.1')
    const fromProxied = ['Origin: https://shop.example', ...forwarded]
    expect((await ask('POST /login?as=ann', ...fromProxied)).status).toBe(403)
    expect((await ask('POST /logout', `Cookie: __Host-sid=${sid!}`, ...fromProxied)).status).toBe(403)
    expect(await whoIs(`Cookie: __Host-sid=${sid!}`)).toBe('ann')
  })

  test('tells visitors no stack', async () => {
    const { body } = await ask('POST /login?as=ann', 'Origin: https://attacker.example')
    expect(body).not.toMatch(/node_modules|\.js:\d/)
  })
})

describe('a server in production behind a TLS proxy, over raw sockets', () => {
  const { ask, addressOf, warnings, whoIs } = server({ mode: 'production', trustProxy: 1 })

  test('gives the Secure cookie, knows the visitor’s address, and has nothing to warn of', async () => {
    const res = await ask('POST /login?as=ann', ...forwarded)
    expect(res.headers).toMatch(secureCookie)
    expect(await whoIs(`Cookie: __Host-sid=${res.sid!}`, ...forwarded)).toBe('ann')
    expect(await addressOf('__Host-sid', res.sid!)).toBe('203.0.113.7')
    expect(warnings().filter((line) => line.includes('trust proxy'))).toEqual([])
  })

  test('takes the host that the visitor sees for its own, and no other', async () => {
    const statusFrom = async (origin: string) =>
      (await ask('POST /login?as=ann', `Origin: ${origin}`, ...forwarded)).status
    expect(await statusFrom('https://shop.example')).toBe(200)
    expect(await statusFrom('https://our.example')).toBe(403)
    expect(await statusFrom('https://attacker.example')).toBe(403)
  })

  test('believes the proxy, and not what a visitor has told the proxy before', async () => {
    const { sid } = await ask(
      'POST /login?as=ann',
      'X-Forwarded-For: 192.0.2.66, 203.0.113.7',
      ...forwarded.slice(0, 2),
    )
    expect(await addressOf('__Host-sid', sid!)).toBe('203.0.113.7')
  })
})

describe('a server in development that trusts no proxy, over raw sockets', () => {
  const { ask, addressOf } = server({})

  test('does not take a request for a secure one because it says so', async () => {
    const { headers, sid } = await ask('POST /login?as=ann', ...forwarded)
    expect(headers).toMatch(/^Set-Cookie: sid=[^;]+; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/im)
    expect(await addressOf('sid', sid!)).toBe('127.0.0.1')
  })
})

describe('a server, over raw sockets, in the cases of Go’s CrossOriginProtection', () => {
  const { ask } = server({ host: 'example.com', trustedOrigins: 'https://trusted.example' })
  const lines = (secFetchSite: string | undefined, origin: string | undefined) => [
    ...(secFetchSite === undefined ? [] : [`Sec-Fetch-Site: ${secFetchSite}`]),
    ...(origin === undefined ? [] : [`Origin: ${origin}`]),
  ]

  describe.each(['POST', 'PUT', 'PATCH', 'DELETE', 'GET'])('by %s', (method) => {
    test.each(crossOriginCases)(
      'a login with Sec-Fetch-Site %s and Origin %s: refused is %s',
      async (secFetchSite, origin, refused) => {
        const { status, sid } = await ask(`${method} /login?as=ann`, ...lines(secFetchSite, origin))
        expect([status, sid !== undefined]).toEqual(refused ? [403, false] : [200, true])
      },
    )
  })

  test.each(crossOriginCases)(
    'what a login’s cookie is sent with, Sec-Fetch-Site %s and Origin %s: refused is %s, and reading never',
    async (secFetchSite, origin, refused) => {
      const { sid } = await ask('POST /login?as=ann')
      const headers = [`Cookie: sid=${sid!}`, ...lines(secFetchSite, origin)]
      expect((await ask('POST /count', ...headers)).status).toBe(refused ? 403 : 200)
      for (const method of ['GET', 'HEAD', 'OPTIONS']) {
        expect((await ask(`${method} /guarded`, ...headers)).status).toBe(200)
      }
    },
  )
})
