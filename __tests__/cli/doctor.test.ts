import { startApp as startProcess } from '../support/app-process.js'
import { needs } from '../support/needs.js'
import { RedisServer } from '../support/redis-servers.js'
import { cli, cliJson } from './support/io.js'
import {
  closeAll,
  PASSWORD,
  startApp,
  startProxy,
  type PlantedApp,
  type ProxyOptions,
} from './support/planted.js'

afterEach(closeAll)

const env = { EXPRESS_SID_CREDENTIALS: `username=ann&password=${PASSWORD}` }

interface Report {
  readonly findings: { readonly id: string; readonly level: string; readonly message: string }[]
  readonly leftSession?: string
}

async function examine(app: string, ...words: string[]) {
  const { exitCode, json } = await cliJson<Report>(['doctor', '--app', app, '--page', '/account', ...words], {
    env,
  })
  expect(exitCode).toBe(json.findings.length === 0 ? 0 : 1)
  for (const { message } of json.findings) expect(message.length).toBeGreaterThan(60)
  return { ids: json.findings.map(({ id }) => id), ...json }
}

const at = ({ port }: PlantedApp) => `http://127.0.0.1:${port}`

/** The app at https://shop.test, or http, behind a proxy. */
async function behindProxy(app: PlantedApp, options: ProxyOptions = {}, ...words: string[]) {
  const port = await startProxy([app.port], options)
  const scheme = options.tls === true ? 'https' : 'http'
  return examine(`${scheme}://shop.test`, '--connect', `127.0.0.1:${port}`, '--insecure', ...words)
}

describe('on a healthy app', () => {
  test('nothing is found, and what it logged in is logged out', async () => {
    const app = await startApp()
    expect((await examine(at(app))).ids).toEqual([])
    expect(app.sessions()).toBe(0)
  })

  test('nothing is found behind a proxy with TLS', async () => {
    const app = await startApp({ cookie: { secure: true } }, { trustProxy: true })
    expect((await behindProxy(app, { tls: true })).ids).toEqual([])
    expect(app.sessions()).toBe(0)
  })

  test('nothing is found of two apps with names of their own', async () => {
    const [shop, blog] = [
      await startApp({ cookie: { name: 'shop' } }),
      await startApp({ cookie: { name: 'blog' } }),
    ]
    expect((await examine(at(shop), '--also', at(blog))).ids).toEqual([])
    expect([shop.sessions(), blog.sessions()]).toEqual([0, 0])
  })
})

describe('it finds', () => {
  const planted: [what: string, id: string, look: () => Promise<{ ids: string[] }>][] = [
    [
      'a proxy that the app does not trust',
      'trust-proxy',
      async () => behindProxy(await startApp(), { tls: true }),
    ],
    [
      'a Secure cookie behind plain http',
      'secure-on-http',
      async () => behindProxy(await startApp({ cookie: { secure: true } })),
    ],
    ['plain http', 'plain-http', async () => behindProxy(await startApp({ cookie: { secure: false } }))],
    [
      'two apps on one host with one cookie',
      'shared-cookie',
      async () => examine(at(await startApp()), '--also', at(await startApp())),
    ],
    [
      'a cache in front that keeps pages of users',
      'cache',
      async () => behindProxy(await startApp({}, { trustProxy: true }), { tls: true, caches: true }),
    ],
    [
      'a proxy that drops Vary',
      'vary',
      async () =>
        behindProxy(await startApp({}, { trustProxy: true }), {
          tls: true,
          response: (headers) => delete headers.vary,
        }),
    ],
    [
      'a page of a user that is public',
      'public-page',
      async () =>
        behindProxy(await startApp({}, { trustProxy: true }), {
          tls: true,
          response: (headers) => void (headers['cache-control'] = 'public, max-age=60'),
        }),
    ],
    [
      'a proxy that lets the login be cached',
      'login-cacheable',
      async () =>
        behindProxy(await startApp({}, { trustProxy: true }), {
          tls: true,
          response: (headers, { method }) => method === 'POST' && delete headers['cache-control'],
        }),
    ],
    [
      'a proxy that drops Set-Cookie',
      'cookie-lost',
      async () =>
        behindProxy(await startApp({}, { trustProxy: true }), {
          tls: true,
          response: (headers) => delete headers['set-cookie'],
        }),
    ],
    [
      'a proxy that rewrites cookies',
      'attributes',
      async () =>
        behindProxy(await startApp({ cookie: { name: 'shop' } }, { trustProxy: true }), {
          tls: true,
          response(headers) {
            const lines = headers['set-cookie'] as string[] | undefined
            if (lines)
              headers['set-cookie'] = lines.map((line) =>
                line.replaceAll(/; (?:HttpOnly|SameSite=\w+)/gi, ''),
              )
          },
        }),
    ],
    [
      'a proxy that does not pass on the host',
      'host-rewritten',
      async () =>
        behindProxy(await startApp({ cookie: { secure: false } }), {
          request: (headers) => void (headers.host = 'upstream:3000'),
        }),
    ],
    [
      'a cookie for another domain',
      'domain',
      async () => examine(at(await startApp({ cookie: { domain: 'other.test' } }))),
    ],
    [
      'a cookie for another path',
      'path',
      async () => examine(at(await startApp({ cookie: { path: '/admin' } }))),
    ],
    [
      'a cookie that all sites send along',
      'samesite-none',
      async () =>
        behindProxy(await startApp({ cookie: { sameSite: 'none' } }, { trustProxy: true }), { tls: true }),
    ],
    [
      'processes that do not share a store',
      'several-processes',
      async () => {
        const apps = [await startApp(), await startApp(), await startApp()]
        return examine(`http://127.0.0.1:${await startProxy(apps.map(({ port }) => port))}`)
      },
    ],
    [
      'a login that is elsewhere',
      'login-path',
      async () => examine(at(await startApp()), '--login', '/sign-in'),
    ],
    [
      'a page that is the same for all',
      'not-logged-in',
      async () =>
        examine(
          at(await startApp({}, { change: (app) => app.get('/home', (_, res) => void res.send('hi')) })),
          '--page',
          '/home',
        ),
    ],
  ]

  test.each(planted)('%s', async (_, id, look) => {
    expect((await look()).ids).toContain(id)
  })

  test('a clock that is off by an hour', async () => {
    const app = await startProcess('__tests__/cli/support/clock-app.ts')
    try {
      const { ids, findings } = await examine(app.url)
      expect(ids).toEqual(['clock'])
      expect(findings[0]!.message).toContain('60 min ahead')
    } finally {
      await app.stop()
    }
  })

  test('a logout that ends nothing: it says which session still lives', async () => {
    const app = await startApp()
    const { ids, leftSession } = await examine(at(app), '--logout', '/account')
    expect([ids, app.sessions()]).toEqual([['logout'], 1])
    expect(leftSession).toMatch(/^[0-9a-f-]{36}$/)
  })

  test('credentials that are wrong', async () => {
    const app = await startApp()
    const wrong = { EXPRESS_SID_CREDENTIALS: 'username=ann&password=wrong-password' }
    const { stdout, printed } = await cli(['doctor', '--app', at(app)], { env: wrong })
    expect(stdout).toContain('PROBLEM login-refused')
    expect(printed).not.toContain('wrong-password')
  })
})

needs('redis-server')('of a Redis server it finds', () => {
  let server: RedisServer | undefined
  afterEach(() => server?.remove())

  test.each([
    ['that it evicts', ['--maxmemory', '50mb', '--maxmemory-policy', 'allkeys-lru'], 'redis-evicts'],
    ['that it is a replica', ['--replicaof', '127.0.0.1', '1'], 'replica'],
  ])('%s', async (_, args, id) => {
    server = await RedisServer.start(args)
    const { exitCode, json } = await cliJson<Report>(['doctor', '--store', server.url])
    expect([exitCode, json.findings.map((one) => one.id)]).toEqual([1, [id]])
  })
})

test('a store that is not there, or has no tables, is a finding', async () => {
  for (const store of ['sqlite:/nowhere/x.sqlite', 'redis://127.0.0.1:1']) {
    const { exitCode, json } = await cliJson<Report>(['doctor', '--store', store])
    expect([exitCode, json.findings.map(({ id }) => id)]).toEqual([1, ['store']])
  }
})

test('credentials come from the standard input or the environment, and are never printed', async () => {
  const app = await startApp()
  const { exitCode, printed } = await cli(
    ['doctor', '--app', at(app), '--page', '/account', '--credentials', '-'],
    {
      input: [`username=ann&password=${PASSWORD}`],
    },
  )
  expect([exitCode, printed.trim()]).toEqual([0, 'Nothing is wrong.'])
  expect(await cli(['doctor', '--app', at(app)])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('EXPRESS_SID_CREDENTIALS') as unknown,
  })
})
