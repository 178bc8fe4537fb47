import { login, requireUser } from 'express-sid'
import { ann } from '../../support/people.js'
import { expresses, site as siteOn, type ExpressModule } from '../../support/site.js'
import { setCookies, Visitor } from '../../support/visitor.js'

const asPage = { Accept: 'text/html' }

function site(module: ExpressModule) {
  return siteOn(module, {}, (routes) => {
    routes.all(
      '/sign-in',
      login((req) => req.method === 'POST' && ann, { redirect: '/home' }),
    )
    routes.all('/plain', requireUser(), (req, res) => void res.json(req.user))
    routes.all(
      ['/pages/:name', '/pages'],
      requireUser({ loginPage: '/sign-in' }),
      (req, res) => void res.json(req.user),
    )
    routes.get('/cached', requireUser(), (_req, res) => void res.set('Cache-Control', 'public').end())
    routes.get(
      '/set-before',
      (_req, res, next) => next(void res.set('Cache-Control', 'private, max-age=60')),
      requireUser(),
      (_req, res) => void res.end(),
    )
    routes.get('/odd', requireUser({ loginPage: '/sign-in?lang=de' }), (_req, res) => void res.end())
  })
}

describe.each(expresses)('requireUser() on %s', (_name, module) => {
  test('lets a user pass, and no cache keep what lies behind', async () => {
    const res = await (await site(module).logIn()).get('/plain')
    expect([res.status, res.body]).toEqual([200, ann])
    expect(res.headers['cache-control']).toBe('private, no-store')
    expect(res.headers.vary).toBe('Cookie')
  })

  test('leaves the application its own Cache-Control, set before or after', async () => {
    const browser = await site(module).logIn()
    expect((await browser.get('/cached')).headers['cache-control']).toBe('public')
    expect((await browser.get('/set-before')).headers['cache-control']).toBe('private, max-age=60')
  })

  test('responds 401 to strangers and guests', async () => {
    const { visitor } = site(module)
    const guest = visitor()
    await guest.run((session) => session.set('a', 1))
    expect(guest.cookie).toMatch(/^sid=/)
    for (const one of [visitor(), guest, visitor({ cookie: 'sid=garbage' })]) {
      const res = await one.get('/plain', { Accept: 'application/json' })
      expect([res.status, res.body.error.code]).toEqual([401, 'UNAUTHENTICATED'])
      expect(res.headers['cache-control']).toBe('no-store')
      expect(setCookies(res)).toEqual([])
    }
  })

  test('asks our session, not whatever put a user onto the request', async () => {
    const { visitor } = siteOn(module, {}, (routes) => {
      routes.use((req, _res, next) => next(void (req.user = ann)))
      routes.get('/', requireUser(), (_req, res) => void res.end())
    })
    expect((await visitor().get()).status).toBe(401)
  })

  test('sends a browser to the login page, and after the login back to where it was', async () => {
    const browser = site(module).visitor()
    const asked = await browser.get('/pages/one?a=1&b=%2F%26', { ...asPage, 'Sec-Fetch-Mode': 'navigate' })
    expect(asked.status).toBe(303)
    expect(asked.headers['cache-control']).toBe('no-store')
    const to = asked.headers.location!
    expect(to).toBe(`/sign-in?returnTo=${encodeURIComponent('/pages/one?a=1&b=%2F%26')}`)
    const loggedIn = await browser.post(to, asPage)
    expect([loggedIn.status, loggedIn.headers.location]).toEqual([303, '/pages/one?a=1&b=%2F%26'])
    expect((await browser.get(loggedIn.headers.location)).body).toEqual(ann)
  })

  test('knows the whole path on a sub-router', async () => {
    const { visitor } = siteOn(module, {}, (routes) => {
      const router = module.Router()
      router.get('/page', requireUser({ loginPage: '/sign-in' }))
      routes.use('/inner', router)
    })
    const res = await visitor().get('/inner/page', asPage)
    expect(res.headers.location).toBe('/sign-in?returnTo=%2Finner%2Fpage')
  })

  test('adds returnTo to the query that the login page already has', async () => {
    const res = await site(module).visitor().get('/odd', asPage)
    expect(res.headers.location).toBe('/sign-in?lang=de&returnTo=%2Fodd')
  })

  test('puts returnTo before the fragment of the login page', async () => {
    const { visitor } = siteOn(module, {}, (routes) => {
      routes.get('/a', requireUser({ loginPage: '/sign-in#form' }))
      routes.get('/b', requireUser({ loginPage: '/sign-in?lang=de#is-it?' }))
    })
    const to = async (path: string) => (await visitor().get(path, asPage)).headers.location
    expect(await to('/a')).toBe('/sign-in?returnTo=%2Fa#form')
    expect(await to('/b')).toBe('/sign-in?lang=de&returnTo=%2Fb#is-it?')
  })

  test.each(['/sign-in', '/sign-in#form', '/sign-in?lang=de', '/?sign-in'])(
    'says at once that it guards its own login page %s, instead of a redirect for ever',
    async (loginPage) => {
      const { visitor } = siteOn(module, {}, (routes) => routes.use(requireUser({ loginPage })))
      const first = await visitor().get('/members', asPage)
      expect(first.status).toBe(303)
      for (const path of [first.headers.location!, loginPage]) {
        const res = await visitor().get(path, asPage)
        expect([res.status, res.body.code]).toEqual([500, 'OPTION_INVALID'])
        expect(res.body.message).toContain(`guards its own loginPage ${loginPage}`)
      }
      // Another page of the same path is none.
      const other = await visitor().get('/sign-in?other', asPage)
      expect(other.headers.location).toContain(`returnTo=${encodeURIComponent('/sign-in?other')}`)
    },
  )

  test('behind a proxy that takes off a prefix, comes back to where the browser was', async () => {
    const { app } = siteOn(module)
    // What docs/responses.md says.
    const inner = module()
    inner.use((req, _res, next) => {
      req.originalUrl = `/shop${req.originalUrl}`
      next()
    })
    inner.use(app)
    app.get('/members', requireUser({ loginPage: '/shop/sign-in' }))
    const proxied = new Visitor(inner)
    const res = await proxied.get('/members?page=2', asPage)
    expect(res.headers.location).toBe('/shop/sign-in?returnTo=%2Fshop%2Fmembers%3Fpage%3D2')
  })

  test('does not take the word of a visitor for a prefix', async () => {
    const res = await site(module)
      .visitor()
      .get('/pages', { ...asPage, 'X-Forwarded-Prefix': '/evil' })
    expect(res.headers.location).toBe('/sign-in?returnTo=%2Fpages')
  })

  test("does not come back to a form's target, a HEAD, or an overlong address", async () => {
    const stranger = site(module).visitor()
    const form = await stranger.post('/pages', asPage)
    const long = await stranger.get(`/pages?${'x'.repeat(3000)}`, asPage)
    const head = await stranger.ask('HEAD', '/pages', asPage)
    for (const res of [form, long, head]) {
      expect([res.status, res.headers.location]).toEqual([303, '/sign-in'])
    }
  })

  test.each([
    ['fetch()', { Accept: '*/*', 'Sec-Fetch-Mode': 'cors' }],
    ['fetch() of HTML', { Accept: 'text/html', 'Sec-Fetch-Mode': 'same-origin' }],
    ['curl', { Accept: '*/*' }],
  ])('responds 401 to %s: a script would take the login page for its data', async (_what, headers) => {
    expect((await site(module).visitor().get('/pages', headers)).status).toBe(401)
  })

  test('sends a navigation to the login page, whatever it accepts', async () => {
    const headers = { Accept: '*/*', 'Sec-Fetch-Mode': 'navigate' }
    const res = await site(module).visitor().get('/pages', headers)
    expect(res.headers.location).toBe('/sign-in?returnTo=%2Fpages')
  })

  test('responds 401 to JSON clients, login page or not', async () => {
    for (const accept of ['application/json', 'application/json, text/plain, */*']) {
      const res = await site(module).visitor().get('/pages', { Accept: accept })
      expect([res.status, res.body.error.code]).toEqual([401, 'UNAUTHENTICATED'])
    }
  })

  test('redirects to no other site, whatever address was asked for', async () => {
    const { visitor } = siteOn(module, {}, (routes) => {
      routes.use(requireUser({ loginPage: '/sign-in' }))
    })
    for (const path of [
      '//evil.example/x',
      '/\\evil.example',
      '/%5cevil.example',
      '/%0d%0aSet-Cookie:%20a=1',
    ]) {
      const res = await visitor().get(path, asPage)
      const [page, query] = res.headers.location!.split('?')
      expect(page).toBe('/sign-in')
      expect(new URLSearchParams(query).get('returnTo') ?? '/').toMatch(/^\/(?![/\\])/)
    }
  })
})

test.each([
  [{ loginpage: '/x' }, 'Did you mean loginPage?'],
  [{ loginPage: true }, 'loginPage of requireUser() must be a path or an address'],
  ['/x', 'The options of requireUser() must be an object'],
])('requireUser() refuses the options %j at the start', (options, words) => {
  expect(() => requireUser(options as never)).toThrow(
    expect.objectContaining({ code: 'OPTION_INVALID', message: expect.stringContaining(words) }),
  )
})
