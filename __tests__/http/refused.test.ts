import { createServer } from 'node:http'
import { login, logout, requireUser, sessionMiddleware, type Refused } from 'express-sid'
import { SessionError } from '../../src/errors.js'
import { sendRefusal } from '../../src/http/refusal/refusal-page.js'
import { ann } from '../support/people.js'
import { expresses, site, toErrorHandler } from '../support/site.js'
import { expectNoUnhandledRejection } from '../support/unhandled.js'
import { Visitor, type Answer } from '../support/visitor.js'

const json = { Accept: 'application/json' }
const page = { Accept: 'text/html,application/xhtml+xml,*/*;q=0.8' }
const foreign = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }

describe.each(expresses)('what is refused, on %s', (_name, module) => {
  expectNoUnhandledRejection()

  /** Each of the four places that refuse, asked by a client that accepts this. */
  async function refusals(accept: Record<string, string>, refused?: Refused): Promise<Answer[]> {
    const { visitor, logIn, errors } = site(module, refused ? { refused } : {}, (routes) => {
      routes.get('/members', requireUser(), (_req, res) => void res.end())
    })
    const browser = await logIn()
    const answers = [
      await browser.post('/', { ...accept, ...foreign }),
      await visitor().get('/members', accept),
      await visitor().get('/login', { ...accept, ...foreign }),
      await visitor().get('/logout', { ...accept, ...foreign }),
    ]
    expect(errors).toEqual([])
    return answers
  }

  test('is no error: JSON clients get the code and the message', async () => {
    const answers = await refusals(json)
    expect(answers.map(({ status, body }) => [status, body.error.code])).toEqual([
      [403, 'CROSS_ORIGIN'],
      [401, 'UNAUTHENTICATED'],
      [403, 'CROSS_ORIGIN'],
      [403, 'CROSS_ORIGIN'],
    ])
    for (const { body, headers } of answers) {
      expect(body).toEqual({ error: { code: body.error.code, message: expect.any(String) } })
      expect(headers['cache-control']).toBe('no-store')
      expect(headers.vary).toBe('Cookie, Accept')
    }
  })

  test('is a small page for a browser, which loads and runs nothing', async () => {
    for (const { type, text, headers } of await refusals(page)) {
      expect(type).toBe('text/html')
      expect(text).toMatch(/^<!doctype html>/)
      expect(text).not.toMatch(/<(?:script|link|img|style)|https?:\/\/(?!evil)/)
      expect(headers['content-security-policy']).toBe("default-src 'none'")
      expect(headers['x-content-type-options']).toBe('nosniff')
    }
  })

  test('is text for everybody else', async () => {
    for (const { type, text } of await refusals({})) {
      expect(type).toBe('text/plain')
      expect(text).toMatch(/Log in to see this|https:\/\/evil\.example/)
    }
  })

  test('is not logged', async () => {
    const written = jest.spyOn(console, 'error').mockImplementation(() => undefined)
    const { app, visitor } = site(module, {}, (routes) => routes.get('/members', requireUser()))
    app.set('env', 'development')
    expect((await visitor().get('/members')).status).toBe(401)
    expect(written).not.toHaveBeenCalled()
    written.mockRestore()
  })

  test('goes to the option refused, once for the whole app', async () => {
    const codes: string[] = []
    const answers = await refusals(json, async (req, res, _next, error) => {
      codes.push(`${req.path} ${error.code}`)
      res.status(error.status).send('no')
    })
    expect(answers.map(({ status, text }) => [status, text])).toEqual([
      [403, 'no'],
      [401, 'no'],
      [403, 'no'],
      [403, 'no'],
    ])
    expect(codes).toEqual([
      '/ CROSS_ORIGIN',
      '/members UNAUTHENTICATED',
      '/login CROSS_ORIGIN',
      '/logout CROSS_ORIGIN',
    ])
  })

  test('goes to the option refused of a helper first', async () => {
    const say =
      (word: string): Refused =>
      (_req, res, _next, { status }) =>
        res.status(status).send(word)
    const { visitor } = site(module, { refused: say('manager') }, (routes) => {
      routes.get('/members', requireUser({ refused: say('guard') }))
      routes.get(
        '/in',
        login(() => ann, { refused: say('in') }),
      )
      routes.get('/out', logout({ refused: say('out') }))
      routes.get('/others', requireUser())
    })
    const said = async (path: string) => (await visitor().get(path, foreign)).text
    expect(await Promise.all(['/members', '/in', '/out', '/others'].map(said))).toEqual([
      'guard',
      'in',
      'out',
      'manager',
    ])
  })

  test.each<[string, Refused]>([
    ['calls next with the error', toErrorHandler],
    [
      'throws',
      (_req, _res, _next, error) => {
        throw error
      },
    ],
    ['rejects', (_req, _res, _next, error) => Promise.reject(error)],
  ])('reaches the error handler of an app whose refused %s', async (_how, refused) => {
    const { visitor, logIn, errors } = site(module, { refused }, (routes) =>
      routes.get('/members', requireUser()),
    )
    expect((await visitor().get('/members')).body).toMatchObject({ code: 'UNAUTHENTICATED' })
    expect((await (await logIn()).post('/', foreign)).body).toMatchObject({ code: 'CROSS_ORIGIN' })
    expect(errors).toEqual([
      expect.objectContaining({ code: 'UNAUTHENTICATED', status: 401, statusCode: 401 }),
      expect.objectContaining({ code: 'CROSS_ORIGIN', status: 403, statusCode: 403 }),
    ])
  })

  test('a failure of the store stays an error', async () => {
    const { logIn, store, errors } = site(module, { refused: (_req, res) => res.send('refused') })
    const browser = await logIn()
    store.breakAt('get', 'throws')
    expect((await browser.get('/')).status).toBe(503)
    expect(errors).toHaveLength(1)
  })

  test("what the app's own function throws stays its error, whatever its status is", async () => {
    const teapot = Object.assign(new Error('no coffee'), { status: 418 })
    const { visitor, errors } = site(module, {}, (routes) => {
      routes.post(
        '/login',
        login(() => Promise.reject(teapot)),
      )
    })
    expect((await visitor().login()).status).toBe(418)
    expect(errors).toEqual([teapot])
  })
})

test('what a client has sent is only shown in a page, never part of it', () => {
  const sent: { body?: string } = {}
  const res = {
    getHeader: () => undefined,
    setHeader: () => undefined,
    end: (body: string) => (sent.body = body),
  }
  const error = new SessionError('CROSS_ORIGIN', `Seen: <script>alert("1" + '2')</script> & more`)
  sendRefusal({ accepts: () => 'html' } as never, res as never, undefined, error)
  expect(sent.body).toContain('&lt;script&gt;alert(&quot;1&quot; + &#39;2&#39;)&lt;/script&gt; &amp; more')
  expect(sent.body).not.toContain('<script>')
})

test('without Express, a refusal is text', async () => {
  const middleware = sessionMiddleware()
  const server = createServer((req, res) => {
    void middleware(req as never, res as never, () => res.end('went on'))
  })
  const cookie = `sid=019a0000-0000-7000-8000-000000000000.${'A'.repeat(65)}`
  const res = await new Visitor(server, { cookie }).post('/', { ...json, ...foreign })
  expect([res.status, res.type]).toEqual([403, 'text/plain'])
})

test.each([
  ['sessionMiddleware()', () => sessionMiddleware({ refused: 'no' as never })],
  ['requireUser()', () => requireUser({ refused: null as never })],
  ['login()', () => login(() => ann, { refused: {} as never })],
  ['logout()', () => logout({ refused: 7 as never })],
])('%s takes a function alone as refused', (_helper, make) => {
  expect(make).toThrow(
    expect.objectContaining({
      code: 'OPTION_INVALID',
      message: expect.stringMatching(/refused.* a function/),
    }),
  )
})
